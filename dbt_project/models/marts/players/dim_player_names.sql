{{ config(tags=['daily'], indexes=[{'columns': ['lower(player_name)']}]) }}

with

sessions as (

    select * from {{ ref('int_minecraft__sessions') }}

),

names as (

    select
        player_id,
        player_name,
        min(seen_at) as first_used_at,
        max(last_shown_at) as last_used_at,
        count(*)::integer as sessions_total
    from sessions
    group by player_id, player_name

)

select
    *,
    row_number() over (partition by player_id order by last_used_at desc, player_name asc) = 1 as is_newest
from names
