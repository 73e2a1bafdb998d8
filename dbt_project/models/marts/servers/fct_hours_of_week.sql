{{ config(tags=['daily'], indexes=[{'columns': ['scope', 'players_mean']}]) }}

with

hours as (

    select * from {{ ref('fct_players_hourly') }}
    where seconds_known > 0

),

software as (

    select * from {{ ref('dim_server_software') }}

),

servers as (

    select * from {{ ref('stg_pterodactyl__servers') }}
    where is_active

),

nodes as (

    {{ newest_by_id(ref('stg_pterodactyl__nodes'), 'node_id') }}

),

host as (

    select * from {{ ref('int_host_timezone') }}

),

-- each server on its own clock
by_server as (

    select
        server_uuid,
        timezone,
        local_weekday,
        local_hour,
        sum(seconds_known) / 3600 as hours_known,
        sum(player_seconds) / 3600 as player_hours,
        max(peak_concurrent_players) as peak_concurrent_players
    from hours
    group by server_uuid, timezone, local_weekday, local_hour

),

-- what is compared or added up goes by one clock; the players of a proxy are on the servers behind it as well
by_host_clock as (

    select
        hours.server_uuid,
        host.timezone,
        extract(isodow from hours.hour_at at time zone host.timezone)::integer as local_weekday,
        extract(hour from hours.hour_at at time zone host.timezone)::integer as local_hour,
        sum(hours.seconds_known) / 3600 as hours_known,
        sum(hours.player_seconds) / 3600 as player_hours,
        max(hours.peak_concurrent_players) as peak_concurrent_players
    from hours
    cross join host
    left join software on hours.server_uuid = software.server_uuid
    where not coalesce(software.is_proxy, false)
    group by
        hours.server_uuid,
        host.timezone,
        extract(isodow from hours.hour_at at time zone host.timezone)::integer,
        extract(hour from hours.hour_at at time zone host.timezone)::integer

),

scoped as (

    select
        'server' as scope,
        server_uuid::text as scope_key,
        server_uuid,
        null::uuid as node_uuid,
        timezone,
        local_weekday,
        local_hour,
        hours_known,
        player_hours,
        peak_concurrent_players
    from by_server

    union all

    select
        'node' as scope,
        nodes.node_uuid::text as scope_key,
        null::uuid as server_uuid,
        nodes.node_uuid,
        by_host_clock.timezone,
        by_host_clock.local_weekday,
        by_host_clock.local_hour,
        by_host_clock.hours_known,
        by_host_clock.player_hours,
        by_host_clock.peak_concurrent_players
    from by_host_clock
    inner join servers on by_host_clock.server_uuid = servers.server_uuid
    inner join nodes on servers.node_id = nodes.node_id

    union all

    select
        'host' as scope,
        'host' as scope_key,
        null::uuid as server_uuid,
        null::uuid as node_uuid,
        by_host_clock.timezone,
        by_host_clock.local_weekday,
        by_host_clock.local_hour,
        by_host_clock.hours_known,
        by_host_clock.player_hours,
        by_host_clock.peak_concurrent_players
    from by_host_clock

)

select
    scope,
    scope_key,
    server_uuid,
    node_uuid,
    timezone,
    local_weekday,
    local_hour,
    count(*)::integer as servers_known,
    sum(hours_known)::double precision as hours_known,
    sum(player_hours)::double precision as player_hours,
    sum(player_hours / hours_known)::double precision as players_mean,
    max(peak_concurrent_players)::integer as peak_concurrent_players
from scoped
group by scope, scope_key, server_uuid, node_uuid, timezone, local_weekday, local_hour
