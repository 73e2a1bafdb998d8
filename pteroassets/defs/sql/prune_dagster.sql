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
