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

counted as (

    select
        runs.server_uuid,
        runs.run_key,
        runs.started_at,
        runs.ready_at,
        runs.startup_seconds,
        runs.ended_at,
        runs.ended_at_lower,
        runs.ended_at_upper,
        runs.end_reason,
        runs.crash_cause,
        runs.crash_report,
        runs.software,
        runs.game_version,
        runs.overload_warnings,
        runs.refused_entries,
        runs.fake_players,
        runs.end_reason is null as is_running,
        coalesce(timezones.timezone, 'UTC') as timezone,
        runs.started_at as counted_from,
        {{ counted_until(
            'runs.started_at',
            [
                'runs.ended_at',
                'runs.ended_at_lower',
                'case when runs.end_reason is null then last_lines.last_line_at end',
            ]
        ) }} as counted_until
    from runs
    left join lateral (
        select max(files.last_line_at) as last_line_at
        from files
        where files.server_uuid = runs.server_uuid and runs.end_reason is null
    ) as last_lines on true
    left join timezones on runs.server_uuid = timezones.server_uuid

)

select * from counted
