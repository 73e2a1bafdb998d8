-- splitting stays at day borders neither loses nor doubles time or joins
with

days as (

    select
        sum(player_hours) as player_hours,
        sum(sessions_started) as sessions_started
    from {{ ref('fct_network_daily') }}

),

stays as (

    select
        sum(counted_minutes) / 60 as player_hours,
        count(joined_at) as sessions_started
    from {{ ref('fct_network_sessions') }}

)

select
    stays.player_hours as player_hours_of_stays,
    days.player_hours as player_hours_of_days,
    stays.sessions_started as stays_that_began,
    days.sessions_started as stays_of_the_days
from stays
cross join days
where
    (
        stays.player_hours is not null
        and (days.player_hours is null or abs(days.player_hours - stays.player_hours) > 0.001)
    )
    or coalesce(days.sessions_started, 0) <> stays.sessions_started
