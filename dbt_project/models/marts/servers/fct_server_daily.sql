{{ config(indexes=[{'columns': ['local_date']}]) }}

with

days as (

    select * from {{ ref('int_server_days') }}

),

sessions as (

    select * from {{ ref('int_minecraft__sessions_daily') }}

),

logs as (

    select * from {{ ref('int_minecraft__log_days') }}

),

logged as (

    select * from {{ ref('int_minecraft__servers') }}

),

utilization as (

    select * from {{ ref('int_server_utilization_daily') }}

),

validity as (

    select * from {{ ref('int_pterodactyl__server_validity') }}

),

-- no session on a day whose log was read is zero; on a day whose log was not, nobody knows
joined as (

    select
        days.server_uuid,
        days.local_date,
        days.timezone,
        days.day_starts_at,
        days.day_ends_at,
        {{ seconds_between('days.day_starts_at', 'days.day_ends_at') }} / 3600 as day_hours,
        coalesce(sessions.is_proxy, logged.is_proxy, false) as is_proxy,
        coalesce(sessions.sessions_started, case when days.is_log_known then 0 end) as sessions_started,
        coalesce(sessions.sessions_present, case when days.is_log_known then 0 end) as sessions_present,
        coalesce(sessions.sessions_without_join, case when days.is_log_known then 0 end) as sessions_without_join,
        coalesce(sessions.distinct_players, case when days.is_log_known then 0 end) as distinct_players,
        coalesce(sessions.player_hours, case when days.is_log_known then 0 end) as player_hours,
        coalesce(
            sessions.player_hours_end_inferred, case when days.is_log_known then 0 end
        ) as player_hours_end_inferred,
        coalesce(
            sessions.peak_concurrent_players, case when days.is_log_known then 0 end
        ) as peak_concurrent_players,
        days.is_log_known,
        logs.log_lines_read,
        logs.log_lines_understood,
        {{ ratio('logs.log_lines_understood', 'logs.log_lines_read') }} as log_understood_ratio,
        utilization.cpu_core_hours,
        utilization.memory_p95_mebibytes,
        validity.memory_limit_mebibytes,
        utilization.memory_p95_limit_ratio,
        utilization.uptime_hours,
        {{ ratio('utilization.uptime_hours * 60', 'utilization.minutes_sampled') }} as uptime_ratio,
        days.minutes_expected,
        coalesce(utilization.minutes_sampled, 0) as minutes_sampled,
        coalesce(utilization.minutes_gated, 0) as minutes_gated,
        coalesce(utilization.minutes_failed, 0) as minutes_failed,
        coalesce(utilization.minutes_suspect, 0) as minutes_suspect,
        {{ coverage('coalesce(utilization.minutes_sampled, 0)', 'days.minutes_expected') }} as coverage_ratio
    from days
    left join sessions
        on
            days.server_uuid = sessions.server_uuid
            and days.local_date = sessions.local_date
    left join logs
        on
            days.server_uuid = logs.server_uuid
            and days.local_date = logs.local_date
    left join logged on days.server_uuid = logged.server_uuid
    left join utilization
        on
            days.server_uuid = utilization.server_uuid
            and days.local_date = utilization.local_date
    left join lateral (
        select versions.memory_limit_mebibytes
        from validity as versions
        where
            versions.server_uuid = days.server_uuid
            and versions.counted_from < days.day_ends_at
        order by versions.counted_from desc
        limit 1
    ) as validity on true

)

select * from joined
