with

events as (

    select * from {{ ref('stg_minecraft__events') }}

),

sessions as (

    select * from {{ ref('stg_minecraft__player_sessions') }}

),

sightings as (

    select
        server_uuid,
        player_name,
        player_uuid,
        logged_at as seen_at
    from events
    where player_uuid is not null and player_name is not null

    union all

    select
        server_uuid,
        player_name,
        player_uuid,
        coalesce(joined_at, left_at, left_at_lower, last_seen_at, left_at_upper) as seen_at
    from sessions
    where player_uuid is not null

),

spans as (

    select
        server_uuid,
        player_name,
        player_uuid,
        min(seen_at) as first_seen_at,
        max(seen_at) as last_seen_at
    from sightings
    group by server_uuid, player_name, player_uuid

)

select * from spans
