{#-
    What the network tells of a player whom a log on its own shows only by name: a proxy writes names, and the
    back-end that the player was on at the same time the UUID. Nobody whose server shows a UUID becomes another player:
    offline UUIDs stay within their server.
-#}
{{ config(
    materialized='table',
    indexes=[{'columns': ['session_id'], 'unique': true}],
    post_hook="{{ analyze_rows() }}"
) }}

with

sessions as (

    select * from {{ ref('int_minecraft__sessions_on_servers') }}

),

connected as (

    select * from {{ ref('int_minecraft__connected_accounts') }}

),

names as (

    select * from {{ ref('int_minecraft__names_on_proxies') }}

),

-- a proxy sees the name only, so an offline UUID of its own says no more than the name does
nameless as (

    select *
    from sessions
    where identity_kind = 'name' or (is_proxy and identity_kind = 'offline_uuid')

),

told as (

    select
        nameless.server_uuid,
        nameless.player_name,
        nameless.seen_at,
        connected.*
    from connected
    inner join nameless on connected.session_id = nameless.session_id

),

sightings as (

    select
        server_uuid,
        player_name,
        player_id,
        identity_kind,
        identity_server_uuid,
        player_uuid,
        min(seen_at) as first_seen_at,
        max(seen_at) as last_seen_at
    from told
    group by server_uuid, player_name, player_id, identity_kind, identity_server_uuid, player_uuid

),

-- else a name belonged to whoever used it on this server nearest in time
nearby as (

    select
        nameless.session_id,
        sightings.player_id,
        sightings.identity_kind,
        sightings.identity_server_uuid,
        sightings.player_uuid,
        greatest(
            sightings.first_seen_at - nameless.seen_at,
            nameless.seen_at - sightings.last_seen_at,
            interval '0'
        ) as distance
    from nameless
    inner join sightings
        on
            nameless.server_uuid = sightings.server_uuid
            and nameless.player_name = sightings.player_name

),

-- where no account is known at all, a name on a proxy is one player: the one it was on a back-end first
by_name as (

    select
        nameless.session_id,
        names.player_id,
        names.identity_kind,
        names.identity_server_uuid,
        names.player_uuid
    from nameless
    inner join names
        on
            nameless.server_uuid = names.server_uuid
            and nameless.player_name = names.player_name
    where nameless.is_proxy

),

-- a union with ranks, since Postgres expects one row of each "is not among those" and then loops over all of them
claims as (

    {% for claim in ['told', 'nearby', 'by_name'] %}
    select
        session_id,
        player_id,
        identity_kind,
        identity_server_uuid,
        player_uuid,
        {{ loop.index }} as precedence,
        {{ 'distance' if claim == 'nearby' else "interval '0' as distance" }}
    from {{ claim }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

identities as (

    select distinct on (session_id)
        session_id,
        player_id,
        identity_kind,
        identity_server_uuid,
        player_uuid
    from claims
    order by session_id, precedence, distance, player_id

)

select * from identities
