{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key='network_session_id',
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__network_sessions'],
        'scope': ['network_session_id'],
        'tested_from': 'joined_at',
    },
    indexes=[
        {'columns': ['joined_at']},
        {'columns': ['player_id']},
        {'columns': ['entry_server_uuid', 'joined_at']},
    ],
    pre_hook="{{ take_up(touched_in(['int_minecraft__network_sessions'], {'network_session_id': 'uuid'})) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

sessions as (

    {{ rows_touched('int_minecraft__network_sessions', ['network_session_id']) }}

),

measured as (

    select
        network_session_id,
        player_id,
        player_uuid,
        player_name,
        entry_server_uuid,
        proxy_server_uuid,
        joined_at,
        left_at,
        left_at_lower,
        left_at_upper,
        close_reason,
        is_open,
        is_join_observed,
        is_end_observed,
        counted_from,
        counted_until,
        {{ seconds_between('counted_from', 'counted_until') }} / 60 as counted_minutes,
        case
            when joined_at is not null
                then {{ seconds_between('joined_at', 'coalesce(left_at, left_at_upper)') }} / 60
        end as longest_minutes,
        servers_visited,
        server_switches,
        backend_sessions,
        timezone,
        {{ local_date('joined_at', 'timezone') }} as joined_date,
        last_seen_at
    from sessions

)

select * from measured
