-- Of Dagster's own tables, what no run has any more and nobody looks at. Statements are separated by a blank line.

-- The newest event of its kind says what an asset is now: fresh, materialized, observed. Runs that are there keep all of
-- their own; the rest belongs to no run (changes of freshness, what a back-fill reported) or to one that is gone.
delete from event_logs as old
where old.timestamp < %(before)s
    and not exists (select from runs where runs.run_id = old.run_id)
    and old.id not in (
        select max(id) from event_logs where asset_key is not null group by asset_key, dagster_event_type
    );

delete from asset_event_tags as old
where not exists (select from event_logs where event_logs.id = old.event_id);

-- the newest execution of a check is what the page of its asset shows, however old it is
delete from asset_check_executions as old
where old.create_timestamp < %(before)s
    and not exists (select from runs where runs.run_id = old.run_id)
    and old.id not in (
        select max(id) from asset_check_executions where execution_status <> 'PLANNED'
        group by asset_key, check_name, partition
    );

-- A check that passes every few minutes says the same each time. Of a day that is over stay what failed, the results beside
-- it, and the last one.
with placed as (
    select
        id,
        evaluation_event_storage_id,
        create_timestamp,
        execution_status,
        lag(execution_status) over of_check as status_before,
        lead(execution_status) over of_check as status_after,
        lead(create_timestamp) over of_check as next_at
    from asset_check_executions
    where execution_status <> 'PLANNED'
    window of_check as (partition by asset_key, check_name, partition order by id)
),
gone as (
    delete from asset_check_executions as old
    using placed
    where old.id = placed.id
        and placed.create_timestamp < %(day_ago)s
        and placed.next_at::date = placed.create_timestamp::date
        and placed.execution_status = 'SUCCEEDED'
        and placed.status_before = 'SUCCEEDED'
        and placed.status_after = 'SUCCEEDED'
    returning old.evaluation_event_storage_id
)
delete from event_logs where id in (select evaluation_event_storage_id from gone);

delete from bulk_actions
where timestamp < %(before)s
    and status in ('COMPLETED', 'COMPLETED_SUCCESS', 'COMPLETED_FAILED', 'FAILED', 'CANCELED');

delete from backfill_tags as old
where not exists (select from bulk_actions where bulk_actions.key = old.backfill_id);

-- of jobs and plans that no run was made of: each version of the code brings new ones
delete from snapshots
where snapshot_id not in (
    select named.snapshot_id
    from runs, lateral (
        values (run_body::json ->> 'pipeline_snapshot_id'), (run_body::json ->> 'execution_plan_snapshot_id')
    ) as named (snapshot_id)
    where named.snapshot_id is not null
);

-- so that what comes next takes the place of what went, and the files do not grow
vacuum (analyze) runs, run_tags, event_logs, asset_event_tags, asset_check_executions, snapshots, job_ticks, bulk_actions,
    backfill_tags;
