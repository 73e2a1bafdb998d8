{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key='session_id',
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__sessions', 'derived_minecraft.server_runs'],
        'scope': ['session_id'],
        'tested_from': 'joined_at',
    },
    indexes=[
        {'columns': ['server_uuid', 'joined_at']},
        {'columns': ['player_id']},
        {'columns': ['joined_at']},
        {'columns': ['network_session_id']},
        {'columns': ['run_id']},
        {'columns': ['server_uuid', 'run_started_at']},
    ],
    pre_hook="{{ take_up(touched_sessions_with_runs()) }}",
    post_hook=[
        "{{ note_taken_up() }}",
        "{{ keep_index('fct_player_sessions_open', ['server_uuid'], 'is_open') }}",
        "{{ keep_index('fct_player_sessions_crashed', ['joined_at'], \"close_reason = 'server_crashed'\") }}",
    ]
) }}

with

sessions as (

    {{ rows_touched('int_minecraft__sessions', ['session_id']) }}

),

runs as (

    select
        server_uuid,
        started_at,
        min(run_key) as run_key
    from {{ ref('stg_minecraft__server_runs') }}
    where started_at is not null
    group by server_uuid, started_at

),

measured as (

    select
        sessions.session_id,
        sessions.server_uuid,
        sessions.session_key,
        sessions.network_session_id,
        sessions.player_id,
        sessions.player_uuid,
        sessions.player_name,
        sessions.is_proxy,
        sessions.server_switches,
        sessions.joined_at,
        sessions.left_at,
        sessions.left_at_lower,
        sessions.left_at_upper,
        sessions.close_reason,
        sessions.close_detail,
        sessions.is_open,
        sessions.is_join_observed,
        sessions.is_end_observed,
        sessions.counted_from,
        sessions.counted_until,
        {{ seconds_between('sessions.counted_from', 'sessions.counted_until') }} / 60 as counted_minutes,
        case
            when sessions.joined_at is not null
                then {{ seconds_between(
                    'sessions.joined_at', 'coalesce(sessions.left_at, sessions.left_at_upper)'
                ) }} / 60
        end as longest_minutes,
        sessions.timezone,
        {{ local_date('sessions.joined_at', 'sessions.timezone') }} as joined_date,
        md5(runs.server_uuid::text || '/' || runs.run_key)::uuid as run_id,
        sessions.run_started_at,
        sessions.last_seen_at,
        sessions.chat_messages,
        sessions.commands,
        sessions.deaths,
        sessions.advancements
    from sessions
    left join runs on sessions.server_uuid = runs.server_uuid and sessions.run_started_at = runs.started_at

)

select * from measured
