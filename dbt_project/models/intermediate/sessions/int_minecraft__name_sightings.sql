with

files as (

    select * from {{ ref('stg_minecraft__name_sightings') }}

),

sessions as (

    select * from {{ ref('stg_minecraft__player_sessions') }}

),

sightings as (

    select
        server_uuid,
        player_name,
        player_uuid,
        first_seen_at,
        last_seen_at
    from files

    union all

    select
        server_uuid,
        player_name,
        player_uuid,
        coalesce(joined_at, left_at, left_at_lower, last_seen_at, left_at_upper) as first_seen_at,
        coalesce(joined_at, left_at, left_at_lower, last_seen_at, left_at_upper) as last_seen_at
    from sessions
    where player_uuid is not null

),

spans as (

    select
        server_uuid,
        player_name,
        player_uuid,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from sightings
    group by server_uuid, player_name, player_uuid

)

select * from spans
