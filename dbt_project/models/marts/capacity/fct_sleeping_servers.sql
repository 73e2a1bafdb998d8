{{ config(tags=['daily']) }}

with

servers as (

    select * from {{ ref('dim_servers') }}
    where is_active

),

known_logs as (

    select * from {{ ref('int_minecraft__known_logs') }}

),

players as (

    select
        server_uuid,
        max(last_seen_at) as last_played_at
    from {{ ref('fct_player_daily') }}
    group by server_uuid

),

days as (

    select * from {{ ref('fct_server_daily') }}
    where minutes_sampled > 0

),

newest as (

    select
        (select max(days.local_date) from days) as sampled_date,
        (select max(known_logs.logs_known_until) from known_logs) as logs_known_until

),

running as (

    select
        server_uuid,
        max(local_date) filter (where uptime_hours > 0) as last_ran_date,
        max(local_date) as last_sampled_date
    from days
    group by server_uuid

),

off as (

    select
        days.server_uuid,
        count(*)::integer as days_off
    from days
    inner join running on days.server_uuid = running.server_uuid
    where days.local_date > coalesce(running.last_ran_date, '-infinity')
    group by days.server_uuid

),

-- who was never seen was not there since the log is known, which may be longer
joined as (

    select
        servers.server_uuid,
        servers.is_suspended,
        servers.memory_limit_mebibytes,
        servers.cpu_limit_percent,
        servers.disk_limit_mebibytes,
        listed.allocations_total,
        disk.disk_mebibytes_max as disk_used_mebibytes,
        running.last_ran_date,
        running.last_sampled_date,
        case when running.last_sampled_date is not null then coalesce(off.days_off, 0) end as days_off,
        players.last_played_at,
        known_logs.logs_known_from,
        known_logs.logs_known_until,
        {{ seconds_between(
            'coalesce(players.last_played_at, known_logs.logs_known_from)', 'known_logs.logs_known_until'
        ) }} / 86400 as days_empty,
        coalesce(running.last_sampled_date >= newest.sampled_date - 2, false) as is_sampled_now,
        coalesce(
            known_logs.logs_known_until >= newest.logs_known_until - interval '2 days', false
        ) as is_log_known_now
    from servers
    cross join newest
    left join {{ ref('stg_pterodactyl__servers') }} as listed on servers.server_uuid = listed.server_uuid
    left join running on servers.server_uuid = running.server_uuid
    left join off on servers.server_uuid = off.server_uuid
    left join players on servers.server_uuid = players.server_uuid
    left join known_logs on servers.server_uuid = known_logs.server_uuid
    left join lateral (
        select hours.disk_mebibytes_max
        from {{ ref('fct_utilization_hourly') }} as hours
        where hours.server_uuid = servers.server_uuid and hours.disk_mebibytes_max is not null
        order by hours.hour_at desc
        limit 1
    ) as disk on true

),

judged as (

    select
        *,
        case
            when is_suspended then null
            when is_sampled_now and days_off >= {{ var('asleep_after_days') }} then 'off'
            when is_log_known_now and days_empty >= {{ var('asleep_after_days') }} then 'empty'
            when is_log_known_now and last_played_at is not null then 'awake'
        end as found
    from joined

)

select
    server_uuid,
    found in ('off', 'empty') as is_asleep,
    nullif(found, 'awake') as sleep_kind,
    case
        when found is not null then null
        when is_suspended then 'suspended'
        when logs_known_until is null then 'log_unknown'
        when not is_log_known_now then 'log_ends_before'
        else 'history_too_short'
    end as reason,
    case found when 'off' then days_off when 'empty' then days_empty end as days_asleep,
    days_off,
    last_ran_date,
    last_sampled_date,
    days_empty,
    last_played_at,
    logs_known_from,
    logs_known_until,
    memory_limit_mebibytes,
    cpu_limit_percent,
    disk_limit_mebibytes,
    disk_used_mebibytes,
    allocations_total
from judged
