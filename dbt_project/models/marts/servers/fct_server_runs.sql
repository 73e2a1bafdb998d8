{#-
    A table and not incremental, as fct_player_sessions is: a file that arrives late derives runs anew.
-#}
{{ config(indexes=[{'columns': ['server_uuid', 'started_at']}, {'columns': ['started_at']}]) }}

with

runs as (

    select * from {{ ref('stg_minecraft__server_runs') }}

),

files as (

    select * from {{ ref('stg_minecraft__log_files') }}

),

timezones as (

    select * from {{ ref('stg_ops__server_timezones') }}

),

last_lines as (

    select
        server_uuid,
        max(last_line_at) as last_line_at
    from files
    group by server_uuid

),

-- an end that no line shows counts at its lower bound, a run that goes on up to the last line read
counted as (

    select
        runs.*,
        runs.end_reason is null as is_running,
        coalesce(timezones.timezone, 'UTC') as timezone,
        case
            when runs.started_at is not null
                then
                    greatest(
                        runs.started_at,
                        coalesce(
                            runs.ended_at,
                            runs.ended_at_lower,
                            case when runs.end_reason is null then last_lines.last_line_at end
                        )
                    )
        end as counted_until
    from runs
    left join last_lines on runs.server_uuid = last_lines.server_uuid
    left join timezones on runs.server_uuid = timezones.server_uuid

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
        started_at as counted_from,
        counted_until,
        {{ seconds_between('started_at', 'counted_until') }} / 60 as counted_minutes,
        {{ seconds_between('started_at', 'coalesce(ended_at, ended_at_upper)') }} / 60 as longest_minutes,
        timezone,
        {{ local_date('started_at', 'timezone') }} as started_date,
        software,
        game_version,
        overload_warnings,
        refused_entries,
        fake_players
    from counted

)

select * from measured
