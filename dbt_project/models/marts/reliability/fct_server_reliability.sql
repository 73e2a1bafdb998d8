{{ config(tags=['daily'], indexes=[{'columns': ['grain', 'period_start']}]) }}

{%- set causes = ['watchdog', 'out_of_memory', 'exception', 'crash_report', 'killed'] %}

with

-- a run counts on each day by its part of it
dated_runs as (

    select
        *,
        {{ local_date('counted_from', 'timezone') }} as first_date,
        {{ local_date("greatest(counted_from, counted_until - interval '1 microsecond')", 'timezone') }} as last_date
    from {{ ref('fct_server_runs') }}
    where counted_from is not null

),

run_days as (

    select
        runs.server_uuid,
        generated.day::date as local_date,
        {{ piece_from('generated.day::date', 'runs.first_date', 'runs.counted_from', 'runs.timezone') }} as piece_from,
        {{ piece_until('generated.day::date', 'runs.last_date', 'runs.counted_until', 'runs.timezone') }} as piece_until
    from dated_runs as runs
    cross join lateral generate_series(
        runs.first_date::timestamp, runs.last_date::timestamp, interval '1 day'
    ) as generated (day)

),

run_hours as (

    select
        server_uuid,
        grain,
        period_start,
        sum({{ seconds_between('piece_from', 'piece_until') }}::numeric)::double precision / 3600 as run_hours
    from {{ by_periods('run_days', 'local_date') }} as dated
    group by server_uuid, grain, period_start

),

starts as (

    select
        server_uuid,
        grain,
        period_start,
        count(*)::integer as starts,
        count(startup_seconds)::integer as startups_measured,
        percentile_cont(0.5) within group (order by startup_seconds) as startup_seconds_median,
        percentile_cont(0.9) within group (order by startup_seconds) as startup_seconds_p90,
        sum(overload_warnings)::integer as overload_warnings
    from {{ by_periods(ref('fct_server_runs'), 'started_date') }} as dated
    where is_start_observed
    group by server_uuid, grain, period_start

),

stops as (

    select
        server_uuid,
        grain,
        period_start,
        count(*)::integer as stops,
        count(*) filter (where kind = 'planned')::integer as stops_planned,
        count(*) filter (where kind = 'operator')::integer as stops_operator,
        count(*) filter (where kind = 'crash')::integer as crashes,
        count(*) filter (where kind is null)::integer as stops_unknown,
        count(*) filter (where is_restart)::integer as restarts,
        count(*) filter (where is_outage)::integer as outages,
        coalesce(sum(down_minutes_least) filter (where is_outage), 0) as outage_minutes_least,
        {{ crashes_by('watchdog') }} as crashes_watchdog,
        {{ crashes_by('out_of_memory') }} as crashes_out_of_memory,
        {{ crashes_by('exception') }} as crashes_exception,
        {{ crashes_by('crash_report') }} as crashes_crash_report,
        {{ crashes_by('killed') }} as crashes_killed
    from {{ by_periods(ref('fct_server_stops'), 'local_date') }} as dated
    group by server_uuid, grain, period_start

),

periods as (

    select
        server_uuid,
        grain,
        period_start,
        bool_or(is_proxy) as is_proxy,
        count(*)::integer as days_total,
        count(*) filter (where is_log_known)::integer as log_days_known,
        sum(minutes_expected::numeric)::double precision as minutes_expected,
        sum(minutes_sampled::numeric)::double precision as minutes_sampled,
        sum(uptime_hours::numeric)::double precision as uptime_hours
    from {{ by_periods(ref('fct_server_daily'), 'local_date') }} as dated
    group by server_uuid, grain, period_start

)

-- nothing that stopped on a day whose log was read is none; where the log was not read, nobody knows
select
    periods.server_uuid,
    periods.grain,
    periods.period_start,
    periods.is_proxy,
    periods.days_total,
    periods.log_days_known,
    periods.minutes_expected,
    periods.minutes_sampled,
    {{ coverage('periods.minutes_sampled', 'periods.minutes_expected') }} as coverage_ratio,
    periods.uptime_hours,
    {{ ratio('periods.uptime_hours * 60', 'periods.minutes_sampled') }} as uptime_ratio,
    {% for measure in ['run_hours.run_hours', 'starts.starts', 'starts.startups_measured', 'starts.overload_warnings',
        'stops.stops', 'stops.stops_planned', 'stops.stops_operator', 'stops.crashes', 'stops.stops_unknown',
        'stops.restarts', 'stops.outages', 'stops.outage_minutes_least'] -%}
    coalesce({{ measure }}, case when periods.log_days_known > 0 then 0 end) as {{ measure.split('.')[1] }},
    {% endfor -%}
    {% for cause in causes -%}
    coalesce(stops.crashes_{{ cause }}, case when periods.log_days_known > 0 then 0 end) as crashes_{{ cause }},
    {% endfor -%}
    starts.startup_seconds_median,
    starts.startup_seconds_p90,
    {{ ratio('run_hours.run_hours', 'stops.crashes') }} as hours_between_crashes,
    case
        when periods.log_days_known = 0 and stops.stops is null then 'log_unknown'
        when coalesce(stops.crashes, 0) = 0 then 'no_crash'
        when run_hours.run_hours is null then 'no_run'
    end as hours_between_crashes_reason
from periods
left join run_hours
    on
        periods.server_uuid = run_hours.server_uuid
        and periods.grain = run_hours.grain
        and periods.period_start = run_hours.period_start
left join starts
    on
        periods.server_uuid = starts.server_uuid
        and periods.grain = starts.grain
        and periods.period_start = starts.period_start
left join stops
    on
        periods.server_uuid = stops.server_uuid
        and periods.grain = stops.grain
        and periods.period_start = stops.period_start
