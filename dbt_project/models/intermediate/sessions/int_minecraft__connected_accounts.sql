{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key='session_id',
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__proxy_matches', 'int_minecraft__sessions_on_servers'],
        'scope': ['proxy_session_id'],
        'tells': ['session_id'],
    },
    indexes=[
        {'columns': ['session_id'], 'unique': true},
        {'columns': ['proxy_session_id']},
    ],
    pre_hook="{{ take_up(touched_connections()) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

sessions as (

    select * from {{ ref('int_minecraft__sessions_on_servers') }}

),

matches as (

    {{ rows_touched('int_minecraft__proxy_matches', ['proxy_session_id']) }}

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

)

select
    connections.session_id,
    connections.proxy_session_id,
    accounts.player_id,
    accounts.identity_kind,
    accounts.identity_server_uuid,
    accounts.player_uuid
from connections
inner join accounts on connections.proxy_session_id = accounts.proxy_session_id
