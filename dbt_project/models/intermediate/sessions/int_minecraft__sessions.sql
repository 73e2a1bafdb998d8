{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key='session_id',
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__sessions_on_servers', 'int_minecraft__network_identities', 'int_minecraft__proxy_matches'],
        'scope': ['session_id'],
        'tested_from': 'seen_at',
        'tells': ['session_id', 'network_session_id', 'player_id'],
    },
    indexes=[
        {'columns': ['seen_at']},
        {'columns': ['session_id'], 'unique': true},
        {'columns': ['network_session_id']},
        {'columns': ['player_id']},
        {'columns': ['server_uuid', 'seen_at']},
    ],
    pre_hook="{{ take_up(touched_in(
        ['int_minecraft__sessions_on_servers', 'int_minecraft__network_identities', 'int_minecraft__proxy_matches'],
        {'session_id': 'uuid'}
    )) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

sessions as (

    {{ rows_touched('int_minecraft__sessions_on_servers', ['session_id']) }}

),

identities as (

    select * from {{ ref('int_minecraft__network_identities') }}

),

matches as (

    select * from {{ ref('int_minecraft__proxy_matches') }}

),

identified as (

    select
        sessions.session_id,
        sessions.server_uuid,
        sessions.session_key,
        coalesce(matches.proxy_session_id, sessions.session_id) as network_session_id,
        matches.proxy_server_uuid,
        coalesce(identities.player_id, sessions.player_id) as player_id,
        coalesce(identities.identity_kind, sessions.identity_kind) as identity_kind,
        case
            when identities.session_id is null then sessions.identity_server_uuid
            else identities.identity_server_uuid
        end as identity_server_uuid,
        sessions.player_name,
        case
            when identities.session_id is null then sessions.player_uuid
            else identities.player_uuid
        end as player_uuid,
        sessions.is_proxy,
        sessions.server_switches,
        sessions.timezone,
        sessions.joined_at,
        sessions.left_at,
        sessions.left_at_lower,
        sessions.left_at_upper,
        sessions.last_seen_at,
        sessions.run_started_at,
        sessions.close_reason,
        sessions.close_detail,
        sessions.is_join_observed,
        sessions.is_end_observed,
        sessions.is_open,
        sessions.counted_from,
        sessions.counted_until,
        sessions.seen_at,
        sessions.last_shown_at,
        sessions.chat_messages,
        sessions.commands,
        sessions.deaths,
        sessions.advancements
    from sessions
    left join identities on sessions.session_id = identities.session_id
    left join matches on sessions.session_id = matches.session_id

)

select * from identified
