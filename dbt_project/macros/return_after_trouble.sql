{#-
    From visits to the CTE at_limits: whether the server was at its limit in an hour of the session. It was if the 95th
    percentile of the hour's samples reached nearly the limit of then; it was not if every hour of it was measured and
    none is such a one; else nobody knows.
-#}
{% macro visits_at_limits() -%}
visit_hours as (

    select distinct
        visits.session_id,
        visits.server_uuid,
        generated.hour_at
    from visits
    cross join lateral generate_series(
        date_trunc('hour', visits.joined_at, 'UTC'), visits.counted_until, interval '1 hour'
    ) as generated (hour_at)

),

-- when each limit held, and until the next one did
limits as materialized (

    select
        server_uuid,
        counted_from,
        lead(counted_from) over (partition by server_uuid order by counted_from) as counted_until,
        cpu_limit_percent,
        memory_limit_mebibytes
    from {{ ref('int_pterodactyl__server_validity') }}

),

-- by hour and not by visit, since many visits share an hour
hours as materialized (

    select
        hours.server_uuid,
        hours.hour_at,
        coalesce(hours.samples_measured > 0, false) as is_measured,
        hours.cpu_percent_p95 >= {{ var('at_limit_from') }} * limits.cpu_limit_percent as is_at_cpu_limit,
        hours.memory_mebibytes_p95 >= {{ var('at_limit_from') }} * limits.memory_limit_mebibytes as is_at_memory_limit
    from {{ ref('fct_utilization_hourly') }} as hours
    left join limits
        on
            hours.server_uuid = limits.server_uuid
            and hours.hour_at >= limits.counted_from
            and hours.hour_at < coalesce(limits.counted_until, 'infinity')

),

at_limits as (

    select
        visit_hours.session_id,
        {% for name in ['cpu', 'memory'] -%}
        case
            when bool_or(hours.is_at_{{ name }}_limit) then true
            when bool_and(coalesce(hours.is_measured, false)) then false
        end as is_{{ name }}_met{{ ',' if not loop.last }}
        {% endfor %}
    from visit_hours
    left join hours
        on visit_hours.server_uuid = hours.server_uuid and visit_hours.hour_at = hours.hour_at
    group by visit_hours.session_id

)
{%- endmacro %}


{#-
    From judged to the CTE measured: by week and over all weeks, how many came back. A week is judged when the seven days
    after each of its visits have passed; over all weeks the visits count of which they have.
-#}
{% macro counted_returns() -%}
counted as (

    select
        judged.scope,
        judged.scope_key,
        grains.grain,
        case grains.grain when 'week' then judged.week_start else judged.first_week end as period_start,
        judged.trouble,
        judged.is_met,
        count(*)::integer as visits_total,
        count(*) filter (where judged.has_passed)::integer as visits_passed,
        count(*) filter (where judged.has_passed and judged.is_back)::integer as visits_back,
        count(*) filter (where not judged.has_passed and judged.is_still_read)::integer as visits_immature
    from judged
    cross join (values ('week'), ('all')) as grains (grain)
    group by
        judged.scope,
        judged.scope_key,
        grains.grain,
        case grains.grain when 'week' then judged.week_start else judged.first_week end,
        judged.trouble,
        judged.is_met

),

reasoned as (

    select
        *,
        case
            when visits_immature > 0 and (grain = 'week' or visits_passed = 0) then 'immature'
            when visits_passed = 0 then 'log_ends_before'
        end as reason,
        coalesce(sum(visits_total) filter (where is_met is null) over (
            partition by scope_key, grain, period_start, trouble
        ), 0)::integer as visits_unknown
    from counted

),

measured as (

    select
        scope,
        scope_key,
        grain,
        period_start,
        trouble,
        is_met,
        visits_total,
        case when reason is null then visits_passed end as visits_counted,
        case when reason is null then visits_back end as visits_returned,
        case when reason is null then {{ ratio('visits_back', 'visits_passed') }} end as return_ratio,
        case when reason is null then {{ wilson_bound('visits_back', 'visits_passed', '-') }} end as return_low,
        case when reason is null then {{ wilson_bound('visits_back', 'visits_passed', '+') }} end as return_high,
        visits_unknown,
        reason is null as is_mature,
        reason
    from reasoned
    where is_met is not null

)
{%- endmacro %}
