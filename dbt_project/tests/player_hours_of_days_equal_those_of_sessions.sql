-- splitting sessions at day borders neither loses nor doubles time
with

days as (

    select
        server_uuid,
        sum(player_hours) as player_hours
    from {{ ref('fct_server_daily') }}
    group by server_uuid

),

sessions as (

    select
        server_uuid,
        sum(counted_minutes) / 60 as player_hours
    from {{ ref('fct_player_sessions') }}
    group by server_uuid

)

select
    sessions.server_uuid,
    sessions.player_hours as player_hours_of_sessions,
    days.player_hours as player_hours_of_days
from sessions
left join days on sessions.server_uuid = days.server_uuid
where
    sessions.player_hours is not null
    and (days.player_hours is null or abs(days.player_hours - sessions.player_hours) > 0.001)
