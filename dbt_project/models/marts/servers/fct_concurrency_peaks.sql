{{ config(tags=['daily'], indexes=[{'columns': ['local_date']}, {'columns': ['scope', 'is_record', 'local_date']}]) }}

with

host as (

    select * from {{ ref('int_host_timezone') }}

),

servers as (

    select * from {{ ref('int_minecraft__session_days') }}

),

nodes as (

    {{ newest_by_id(ref('stg_pterodactyl__nodes'), 'node_id') }}

),

located as (

    select
        servers.piece_from,
        servers.piece_until,
        validity.node_id
    from servers
    inner join lateral (
        select versions.node_id
        from {{ ref('int_pterodactyl__server_validity') }} as versions
        where versions.server_uuid = servers.server_uuid and versions.counted_from <= servers.piece_from
        order by versions.counted_from desc
        limit 1
    ) as validity on true
    where not servers.is_proxy

),

-- the days of nodes are the host's, since their servers may have clocks of several zones
on_nodes as (

    select
        nodes.node_uuid::text as scope_key,
        host.timezone,
        located.piece_from,
        located.piece_until,
        {{ local_date('located.piece_from', 'host.timezone') }} as first_date,
        {{ local_date(
            "greatest(located.piece_from, located.piece_until - interval '1 microsecond')", 'host.timezone'
        ) }} as last_date
    from located
    inner join nodes on located.node_id = nodes.node_id
    cross join host

),

node_days as (

    select
        on_nodes.*,
        generated.day::date as local_date
    from on_nodes
    cross join lateral generate_series(
        on_nodes.first_date::timestamp, on_nodes.last_date::timestamp, interval '1 day'
    ) as generated (day)

),

pieces as (

    select
        'server' as scope,
        server_uuid::text as scope_key,
        local_date,
        piece_from,
        piece_until
    from servers

    union all

    select
        'node' as scope,
        scope_key,
        local_date,
        {{ piece_from('local_date', 'first_date', 'piece_from', 'timezone') }} as piece_from,
        {{ piece_until('local_date', 'last_date', 'piece_until', 'timezone') }} as piece_until
    from node_days

    union all

    select
        'host' as scope,
        'host' as scope_key,
        local_date,
        piece_from,
        piece_until
    from {{ ref('int_minecraft__network_session_days') }}

),

peaks as (

    {{ peak_concurrency('pieces', keys=['scope', 'scope_key', 'local_date']) }}

),

compared as (

    select
        scope,
        scope_key,
        case when scope = 'server' then scope_key::uuid end as server_uuid,
        case when scope = 'node' then scope_key::uuid end as node_uuid,
        local_date,
        peak_concurrent_players,
        peak_at,
        max(peak_concurrent_players) over (
            partition by scope_key order by local_date rows between unbounded preceding and 1 preceding
        ) as record_before
    from peaks

)

select
    *,
    peak_concurrent_players > coalesce(record_before, 0) as is_record
from compared
