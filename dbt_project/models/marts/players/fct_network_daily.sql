with

days as (

    select * from {{ ref('int_host_days') }}

),

sessions as (

    select * from {{ ref('int_minecraft__network_sessions_daily') }}

),

-- no session on a day of which a log was read is zero; on a day of which none was, nobody knows
joined as (

    select
        days.local_date,
        days.timezone,
        days.day_starts_at,
        days.day_ends_at,
        {{ seconds_between('days.day_starts_at', 'days.day_ends_at') }} / 3600 as day_hours,
        days.servers_log_known,
        coalesce(sessions.sessions_started, case when days.servers_log_known > 0 then 0 end) as sessions_started,
        coalesce(sessions.sessions_present, case when days.servers_log_known > 0 then 0 end) as sessions_present,
        coalesce(
            sessions.sessions_without_join, case when days.servers_log_known > 0 then 0 end
        ) as sessions_without_join,
        coalesce(sessions.distinct_players, case when days.servers_log_known > 0 then 0 end) as distinct_players,
        coalesce(sessions.player_hours, case when days.servers_log_known > 0 then 0 end) as player_hours,
        coalesce(
            sessions.player_hours_end_inferred, case when days.servers_log_known > 0 then 0 end
        ) as player_hours_end_inferred,
        coalesce(
            sessions.peak_concurrent_players, case when days.servers_log_known > 0 then 0 end
        ) as peak_concurrent_players
    from days
    left join sessions on days.local_date = sessions.local_date

)

select * from joined
