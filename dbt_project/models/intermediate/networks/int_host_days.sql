with

host as (

    select * from {{ ref('int_host_timezone') }}

),

known_logs as (

    select * from {{ ref('int_minecraft__known_logs') }}

),

sessions as (

    select * from {{ ref('int_minecraft__network_sessions_daily') }}

),

known as (

    select
        known_logs.server_uuid,
        {{ local_date('known_logs.logs_known_from', 'host.timezone') }} as first_date,
        {{ local_date("known_logs.logs_known_until - interval '1 microsecond'", 'host.timezone') }} as last_date
    from known_logs
    cross join host
    where known_logs.logs_known_from < known_logs.logs_known_until

),

-- one more from the first day on, one less after the last
steps as (

    select
        first_date as local_date,
        1 as change
    from known

    union all

    select
        last_date + 1 as local_date,
        -1 as change
    from known

),

changes as (

    select
        local_date,
        sum(change) as change
    from steps
    group by local_date

),

edges as (

    select
        min(local_date) as first_date,
        max(local_date) as last_date
    from changes

),

spine as (

    select generate_series(first_date::timestamp, last_date::timestamp, interval '1 day')::date as local_date
    from edges

    union

    select local_date from sessions

),

counted as (

    select
        spine.local_date,
        sessions.local_date is not null as has_sessions,
        coalesce(sum(changes.change) over (order by spine.local_date), 0)::integer as servers_log_known
    from spine
    left join changes on spine.local_date = changes.local_date
    left join sessions on spine.local_date = sessions.local_date

),

bounded as (

    select
        counted.local_date,
        host.timezone,
        {{ local_day_start('counted.local_date', 'host.timezone') }} as day_starts_at,
        {{ local_day_start('(counted.local_date + 1)', 'host.timezone') }} as day_ends_at,
        counted.servers_log_known
    from counted
    cross join host
    where counted.servers_log_known > 0 or counted.has_sessions

)

select * from bounded
