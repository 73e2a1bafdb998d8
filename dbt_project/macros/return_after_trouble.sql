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

at_limits as (

    select
        visit_hours.session_id,
        {% for name, p95, limit in [
            ('cpu', 'cpu_percent_p95', 'cpu_limit_percent'),
            ('memory', 'memory_mebibytes_p95', 'memory_limit_mebibytes'),
        ] -%}
        case
            when bool_or(hours.{{ p95 }} >= {{ var('at_limit_from') }} * validity.{{ limit }}) then true
            when bool_and(coalesce(hours.samples_measured > 0, false)) then false
        end as is_{{ name }}_met{{ ',' if not loop.last }}
        {% endfor %}
    from visit_hours
    left join {{ ref('fct_utilization_hourly') }} as hours
        on visit_hours.server_uuid = hours.server_uuid and visit_hours.hour_at = hours.hour_at
    left join lateral (
        select
            versions.cpu_limit_percent,
            versions.memory_limit_mebibytes
        from {{ ref('int_pterodactyl__server_validity') }} as versions
        where
            versions.server_uuid = visit_hours.server_uuid
            and versions.counted_from <= visit_hours.hour_at
        order by versions.counted_from desc
        limit 1
    ) as validity on true
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
