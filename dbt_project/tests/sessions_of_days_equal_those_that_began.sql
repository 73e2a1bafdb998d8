with

days as (

    select
        server_uuid,
        local_date,
        sessions_started
    from {{ ref('fct_server_daily') }}

),

sessions as (

    select
        server_uuid,
        joined_date,
        count(*) as sessions_started
    from {{ ref('fct_player_sessions') }}
    where joined_date is not null
    group by server_uuid, joined_date

)

select
    sessions.server_uuid,
    sessions.joined_date,
    sessions.sessions_started as sessions_that_began,
    days.sessions_started as sessions_of_the_day
from sessions
left join days
    on
        sessions.server_uuid = days.server_uuid
        and sessions.joined_date = days.local_date
where days.sessions_started is distinct from sessions.sessions_started
