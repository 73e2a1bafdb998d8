{#-
    What the network tells of a player whom a log on its own shows only by name: a proxy writes names, and the
    back-end that the player was on at the same time the UUID. Nobody whose server shows a UUID becomes another player:
    offline UUIDs stay within their server.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key='session_id',
    on_schema_change='fail',
    meta={
        'changes_of': [
            'int_minecraft__sessions_on_servers', 'int_minecraft__connected_accounts', 'int_minecraft__proxy_matches',
        ],
        'scope': ['server_uuid', 'player_name'],
        'tells': ['session_id'],
    },
    indexes=[{'columns': ['session_id'], 'unique': true}, {'columns': ['server_uuid', 'player_name']}],
    pre_hook="{{ take_up(touched_names_of_identities()) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

sessions as (

    {{ rows_touched('int_minecraft__sessions_on_servers', ['server_uuid', 'player_name']) }}

),

connected as (

    select * from {{ ref('int_minecraft__connected_accounts') }}

),

names as (

    {{ rows_touched('int_minecraft__names_on_proxies', ['server_uuid', 'player_name']) }}

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
    from nameless
    inner join connected on nameless.session_id = connected.session_id

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

)

select distinct on (claims.session_id)
    nameless.server_uuid,
    nameless.player_name,
    claims.session_id,
    claims.player_id,
    claims.identity_kind,
    claims.identity_server_uuid,
    claims.player_uuid
from claims
inner join nameless on claims.session_id = nameless.session_id
order by claims.session_id, claims.precedence, claims.distance, claims.player_id
