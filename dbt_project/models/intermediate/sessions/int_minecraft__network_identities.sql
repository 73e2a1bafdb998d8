{#-
    What the network tells of a player whom a log on its own shows only by name: a proxy writes names, and the
    back-end that the player was on at the same time the UUID. Nobody whose server shows a UUID becomes another player:
    offline UUIDs stay within their server.
-#}
{{ config(
    materialized='table',
    indexes=[{'columns': ['session_id'], 'unique': true}],
    post_hook='analyze {{ this }}'
) }}

with

sessions as (

    select * from {{ ref('int_minecraft__sessions_on_servers') }}

),

matches as (

    select * from {{ ref('int_minecraft__proxy_matches') }}

),

-- the sessions of each connection to a proxy, its own among them
connections as (

    select
        proxy_session_id,
        session_id
    from matches

    union all

    select distinct
        proxy_session_id,
        proxy_session_id as session_id
    from matches

),

members as (

    select
        connections.proxy_session_id,
        sessions.*
    from connections
    inner join sessions on connections.session_id = sessions.session_id

),

accounts as (

    select distinct on (proxy_session_id)
        proxy_session_id,
        player_id,
        identity_kind,
        identity_server_uuid,
        player_uuid
    from members
    where identity_kind in ('account_uuid', 'bedrock_uuid')
    order by proxy_session_id asc, is_proxy desc, seen_at asc, session_id asc

),

-- a proxy sees the name only, so an offline UUID of its own says no more than the name does
nameless as (

    select *
    from sessions
    where identity_kind = 'name' or (is_proxy and identity_kind = 'offline_uuid')

),

told as (

    select
        nameless.session_id,
        nameless.server_uuid,
        nameless.player_name,
        nameless.seen_at,
        accounts.player_id,
        accounts.identity_kind,
        accounts.identity_server_uuid,
        accounts.player_uuid
    from connections
    inner join accounts on connections.proxy_session_id = accounts.proxy_session_id
    inner join nameless on connections.session_id = nameless.session_id

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
first_on_backends as (

    select distinct on (proxied.server_uuid, proxied.player_name)
        proxied.server_uuid,
        proxied.player_name,
        backends.player_id,
        backends.identity_kind,
        backends.identity_server_uuid,
        backends.player_uuid
    from matches
    inner join nameless as proxied on matches.proxy_session_id = proxied.session_id
    inner join sessions as backends on matches.session_id = backends.session_id
    where backends.identity_kind in ('offline_uuid', 'name')
    order by
        proxied.server_uuid asc,
        proxied.player_name asc,
        (backends.identity_kind = 'offline_uuid') desc,
        backends.seen_at asc,
        backends.session_id asc

),

by_name as (

    select
        nameless.session_id,
        first_on_backends.player_id,
        first_on_backends.identity_kind,
        first_on_backends.identity_server_uuid,
        first_on_backends.player_uuid
    from nameless
    inner join first_on_backends
        on
            nameless.server_uuid = first_on_backends.server_uuid
            and nameless.player_name = first_on_backends.player_name
    where nameless.is_proxy

),

-- a union with ranks, since Postgres expects one row of each "is not among those" and then loops over all of them
claims as (

    select
        session_id,
        player_id,
        identity_kind,
        identity_server_uuid,
        player_uuid,
        1 as precedence,
        interval '0' as distance
    from told

    union all

    select
        session_id,
        player_id,
        identity_kind,
        identity_server_uuid,
        player_uuid,
        2 as precedence,
        distance
    from nearby

    union all

    select
        session_id,
        player_id,
        identity_kind,
        identity_server_uuid,
        player_uuid,
        3 as precedence,
        interval '0' as distance
    from by_name

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
