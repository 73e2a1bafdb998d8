-- Materializations that are not the newest of their asset and still describe its columns: of the assets that the run
-- %(run_id)s made the one before it, or, where that is NULL, all since %(since)s.
with

newest as (

    select asset_key, max(id) as id
    from event_logs
    where dagster_event_type = 'ASSET_MATERIALIZATION'
        and (%(run_id)s::text is null or run_id = %(run_id)s)
    group by asset_key

),

superseded as (

    select (
        select max(old.id)
        from event_logs as old
        where old.dagster_event_type = 'ASSET_MATERIALIZATION'
            and old.asset_key = newest.asset_key
            and old.id < newest.id
    ) as id
    from newest
    where %(run_id)s::text is not null
    union
    select old.id
    from event_logs as old
    inner join newest on old.asset_key = newest.asset_key and old.id < newest.id
    where %(run_id)s::text is null
        and old.dagster_event_type = 'ASSET_MATERIALIZATION'
        and old.timestamp >= %(since)s

)

select old.id, old.event
from event_logs as old
inner join superseded on old.id = superseded.id
where strpos(old.event, '"dagster/column_schema"') > 0
    or strpos(old.event, '"dagster/column_lineage"') > 0
