{#-
    A table and not incremental, as fct_player_sessions is: a file that arrives late derives runs anew.
-#}
{{ config(indexes=[{'columns': ['server_uuid', 'started_at']}, {'columns': ['started_at']}]) }}

with

runs as (

    select * from {{ ref('int_minecraft__server_runs') }}

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
