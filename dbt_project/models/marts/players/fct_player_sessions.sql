{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key='session_id',
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__sessions'],
        'scope': ['session_id'],
        'tested_from': 'joined_at',
    },
    indexes=[
        {'columns': ['server_uuid', 'joined_at']},
        {'columns': ['player_id']},
        {'columns': ['joined_at']},
        {'columns': ['network_session_id']},
    ],
    pre_hook="{{ take_up(touched_in(['int_minecraft__sessions'], {'session_id': 'uuid'})) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

sessions as (

    {{ rows_touched('int_minecraft__sessions', ['session_id']) }}

),

measured as (

    select
        session_id,
        server_uuid,
        session_key,
        network_session_id,
        player_id,
        player_uuid,
        player_name,
        is_proxy,
        server_switches,
        joined_at,
        left_at,
        left_at_lower,
        left_at_upper,
        close_reason,
        close_detail,
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
        timezone,
        {{ local_date('joined_at', 'timezone') }} as joined_date,
        run_started_at,
        last_seen_at,
        chat_messages,
        commands,
        deaths,
        advancements
    from sessions

)

select * from measured
