{{ config(tags=['daily']) }}

with

pairs as (

    select * from {{ ref('fct_player_servers') }}
    where not is_proxy

),

counted as (

    select
        server_uuid,
        count(*)::integer as players,
        count(second_joined_at)::integer as players_came_twice,
        percentile_cont(0.5) within group (order by first_session_minutes) as first_session_minutes_median,
        percentile_cont(0.5) within group (order by hours_to_second_session) as hours_to_second_session_median,
        percentile_cont(0.5) within group (order by gap_hours_median) as gap_hours_median
    from pairs
    group by grouping sets ((server_uuid), ())

)

select
    case when server_uuid is null then 'host' else 'server' end as scope,
    coalesce(server_uuid::text, 'host') as scope_key,
    server_uuid,
    players,
    players_came_twice,
    {{ ratio('players_came_twice', 'players') }} as came_twice_ratio,
    first_session_minutes_median,
    hours_to_second_session_median,
    gap_hours_median
from counted
where players > 0
