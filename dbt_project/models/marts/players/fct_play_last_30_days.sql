{{ config(tags=['daily']) }}

with

sessions as (

    select * from {{ ref('fct_player_sessions') }}

),

stays as (

    select * from {{ ref('fct_network_sessions') }}

),

servers as (

    select * from {{ ref('dim_servers') }}

),

last_days as (

    select
        max(joined_at) as counted_until,
        max(joined_at) - interval '30 days' as counted_from
    from sessions

),

-- a stay on a network counts once, whatever servers it went through
counted as (

    select
        'server' as scope,
        sessions.server_uuid::text as scope_key,
        sessions.server_uuid,
        null::uuid as egg_uuid,
        sessions.player_id,
        sessions.counted_minutes,
        sessions.is_open,
        sessions.is_end_observed,
        sessions.close_reason,
        sessions.deaths
    from sessions
    inner join last_days on sessions.joined_at > last_days.counted_from
    where not sessions.is_proxy

    union all

    select
        'egg' as scope,
        servers.egg_uuid::text as scope_key,
        null::uuid as server_uuid,
        servers.egg_uuid,
        sessions.player_id,
        sessions.counted_minutes,
        sessions.is_open,
        sessions.is_end_observed,
        sessions.close_reason,
        sessions.deaths
    from sessions
    inner join last_days on sessions.joined_at > last_days.counted_from
    inner join servers on sessions.server_uuid = servers.server_uuid
    where not sessions.is_proxy and servers.egg_uuid is not null

    union all

    select
        'host' as scope,
        'host' as scope_key,
        null::uuid as server_uuid,
        null::uuid as egg_uuid,
        stays.player_id,
        stays.counted_minutes,
        stays.is_open,
        stays.is_end_observed,
        stays.close_reason,
        null::integer as deaths
    from stays
    inner join last_days on stays.joined_at > last_days.counted_from

)

select
    counted.scope,
    counted.scope_key,
    counted.server_uuid,
    counted.egg_uuid,
    last_days.counted_until,
    count(distinct counted.player_id)::integer as players,
    count(*)::integer as sessions,
    sum(counted.counted_minutes::numeric)::double precision / 60 as play_hours,
    count(counted.counted_minutes) filter (where not counted.is_open)::integer as sessions_measured,
    percentile_cont(0.5) within group (order by counted.counted_minutes) filter (
        where not counted.is_open
    ) as session_minutes_median,
    percentile_cont(0.9) within group (order by counted.counted_minutes) filter (
        where not counted.is_open
    ) as session_minutes_p90,
    count(*) filter (where not counted.is_open and not counted.is_end_observed)::integer as ends_inferred,
    count(*) filter (where counted.close_reason = 'kicked')::integer as kicks,
    count(*) filter (where counted.close_reason = 'timed_out')::integer as timeouts,
    sum(counted.deaths)::integer as deaths
from counted
cross join last_days
group by counted.scope, counted.scope_key, counted.server_uuid, counted.egg_uuid, last_days.counted_until
