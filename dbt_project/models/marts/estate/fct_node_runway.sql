{{ config(tags=['daily']) }}

with

days as (

    select *
    from {{ ref('fct_node_daily') }}
    where is_whole

),

newest as (

    select max(local_date) as last_date from days

),

recent as (

    select
        days.*,
        newest.last_date
    from days
    inner join newest on days.local_date > newest.last_date - {{ var('runway_window_days') }}

),

-- what a node holds of each resource at the end of each day, and how much it can hold
held as (

    select
        recent.scope,
        recent.scope_key,
        recent.node_uuid,
        recent.local_date,
        recent.last_date,
        resources.resource,
        resources.held,
        resources.capacity,
        resources.unknown_reason,
        case when resources.resource like '%_used' then recent.coverage_ratio end as coverage_ratio
    from recent
    cross join lateral (
        values
        ('memory_allocated', recent.memory_allocated_mebibytes, recent.memory_allowed_mebibytes, 'unlimited'),
        ('disk_allocated', recent.disk_allocated_mebibytes, recent.disk_allowed_mebibytes, 'unlimited'),
        ('allocations', recent.allocations_assigned, recent.allocations_total, 'not_read'),
        ('memory_used', recent.memory_used_peak_mebibytes, recent.memory_mebibytes, 'not_read'),
        ('disk_used', recent.disk_used_peak_mebibytes, recent.disk_mebibytes, 'not_read')
    ) as resources (resource, held, capacity, unknown_reason)

),

-- ordinary least squares of what is held on the day (N. R. Draper and H. Smith, Applied regression analysis, 1.4)
trends as (

    select
        scope,
        scope_key,
        node_uuid,
        resource,
        last_date,
        unknown_reason,
        min(local_date) filter (where held is not null) as first_date,
        max(local_date) as newest_date,
        avg(coverage_ratio) filter (where held is not null) as coverage_ratio,
        (array_agg(held order by local_date desc) filter (where held is not null))[1] as held_newest,
        (array_agg(capacity order by local_date desc))[1] as capacity,
        regr_count(held, local_date - last_date)::integer as days_counted,
        regr_slope(held, local_date - last_date) as slope,
        regr_sxx(held, local_date - last_date) as sxx,
        regr_syy(held, local_date - last_date) as syy
    from held
    group by scope, scope_key, node_uuid, resource, last_date, unknown_reason

),

judged as (

    select
        *,
        capacity - held_newest as left_newest,
        days_counted >= {{ var('runway_least_days') }} as has_history,
        {{ student_t('days_counted - 2') }}
        * sqrt(greatest(syy - slope * slope * sxx, 0) / nullif(days_counted - 2, 0) / nullif(sxx, 0)) as slope_margin
    from trends
    where newest_date = last_date

),

reasoned as (

    select
        *,
        case
            when capacity is null then unknown_reason
            when held_newest is null then 'not_sampled'
            when left_newest <= 0 then null
            when not has_history then 'too_little_history'
            when slope <= 0 then 'not_growing'
            when left_newest > slope * {{ var('runway_most_days') }} then 'not_within_ten_years'
        end as reason
    from judged

),

-- a trend that may be none has no late end; the steeper it may be, the earlier the early one
measured as (

    select
        *,
        case when left_newest <= 0 then 0 when reason is null then left_newest / slope end as runway_days,
        case
            when left_newest <= 0 then 0
            when reason is null then left_newest / (slope + slope_margin)
        end as runway_days_low,
        case
            when left_newest <= 0 then 0
            when reason is null and left_newest <= (slope - slope_margin) * {{ var('runway_most_days') }}
                then left_newest / (slope - slope_margin)
        end as runway_days_high
    from reasoned

)

select
    scope,
    scope_key,
    node_uuid,
    resource,
    last_date,
    first_date,
    days_counted,
    held_newest::double precision as held,
    capacity::double precision as capacity,
    case when left_newest > 0 then left_newest when left_newest <= 0 then 0 end::double precision as left_over,
    left_newest <= 0 as is_full,
    case when has_history then slope end as growth_per_day,
    case when has_history then slope - slope_margin end as growth_per_day_low,
    case when has_history then slope + slope_margin end as growth_per_day_high,
    runway_days,
    runway_days_low,
    runway_days_high,
    last_date + floor(runway_days)::integer as runs_out_on,
    last_date + floor(runway_days_low)::integer as runs_out_on_early,
    last_date + floor(runway_days_high)::integer as runs_out_on_late,
    coverage_ratio::double precision as coverage_ratio,
    reason
from measured
