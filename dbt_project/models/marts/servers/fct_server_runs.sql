{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key='run_id',
    on_schema_change='fail',
    meta={
        'changes_of': ['derived_minecraft.server_runs', 'ops.server_timezones'],
        'scope': ['server_uuid', 'run_key'],
        'tested_from': 'started_at',
    },
    indexes=[
        {'columns': ['server_uuid', 'started_at']},
        {'columns': ['started_at']},
        {'columns': ['is_running']},
    ],
    pre_hook="{{ take_up(touched_runs()) }}",
    post_hook=[
        "{{ note_taken_up() }}",
        "{{ keep_index('fct_server_runs_started_date', ['started_date']) }}",
        "{{ keep_index('fct_server_runs_crashes', ['started_date', 'crash_cause'], \"end_reason = 'crashed'\") }}",
    ]
) }}

with

runs as (

    {{ rows_touched('int_minecraft__server_runs', ['server_uuid', 'run_key']) }}

),

measured as (

    select
        md5(server_uuid::text || '/' || run_key)::uuid as run_id,
        server_uuid,
        run_key,
        started_at,
        ready_at,
        startup_seconds,
        ended_at,
        ended_at_lower,
        ended_at_upper,
        end_reason,
        crash_cause,
        crash_report,
        is_running,
        started_at is not null as is_start_observed,
        ended_at is not null as is_end_observed,
        counted_from,
        counted_until,
        {{ seconds_between('counted_from', 'counted_until') }} / 60 as counted_minutes,
        {{ seconds_between('started_at', 'coalesce(ended_at, ended_at_upper)') }} / 60 as longest_minutes,
        timezone,
        {{ local_date('started_at', 'timezone') }} as started_date,
        software,
        game_version,
        overload_warnings,
        refused_entries,
        fake_players
    from runs

)

select * from measured
