-- A check that passes every few minutes says the same each time. Of results before %(before)s stay what failed, the results
-- beside it, and the last one of each day. Of two runs that end at once one does it: both would wait for each other's rows.
with

turn as materialized (

    select pg_try_advisory_xact_lock(hashtext('forget_results')) as is_ours

),

placed as (

    select
        id,
        evaluation_event_storage_id,
        create_timestamp,
        execution_status,
        lag(execution_status) over of_check as status_before,
        lead(execution_status) over of_check as status_after,
        lead(create_timestamp) over of_check as next_at
    from asset_check_executions
    where execution_status <> 'PLANNED' and (select is_ours from turn)
    window of_check as (partition by asset_key, check_name, partition order by id)

),

gone as (

    delete from asset_check_executions as old
    using placed
    where old.id = placed.id
        and placed.create_timestamp < %(before)s
        and placed.next_at::date = placed.create_timestamp::date
        and placed.execution_status = 'SUCCEEDED'
        and placed.status_before = 'SUCCEEDED'
        and placed.status_after = 'SUCCEEDED'
    returning old.evaluation_event_storage_id

)

delete from event_logs where id in (select evaluation_event_storage_id from gone)
