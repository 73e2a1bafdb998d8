{{ config(tags=['daily']) }}

with

headroom as (

    select * from {{ ref('fct_node_headroom') }}

),

servers as (

    select * from {{ ref('stg_pterodactyl__servers') }}

),

-- a server of a size is taken to have as much disk for its memory as servers have in the middle
proportions as (

    select
        percentile_cont(0.5) within group (
            order by disk_limit_mebibytes::double precision / memory_limit_mebibytes
        ) as disk_to_memory
    from servers
    where is_active and memory_limit_mebibytes > 0 and disk_limit_mebibytes > 0

),

sizes as (

    select
        sizes.gibibytes * 1024 as size_memory_mebibytes,
        sizes.gibibytes * 1024 * proportions.disk_to_memory as size_disk_mebibytes
    from (
        values
        {% for size in var('standard_sizes_gibibytes') -%}
        ({{ size }}){{ '' if loop.last else ',' }}
        {% endfor -%}
    ) as sizes (gibibytes)
    cross join proportions

),

-- how many fit is a whole number and not below none; a resource without end, or a disk of unknown size, sets no bound
bounds as (

    select
        headroom.*,
        sizes.size_memory_mebibytes,
        sizes.size_disk_mebibytes,
        {% for left in ['memory_left', 'disk_left', 'memory_unused', 'disk_unused'] -%}
        floor(
            case when headroom.{{ left }}_mebibytes < 0 then 0 else headroom.{{ left }}_mebibytes end
            / sizes.size_{{ left.split('_')[0] }}_mebibytes
        ) as {{ left }}_fit,
        {% endfor -%}
        headroom.allocations_left as allocations_fit
    from headroom
    cross join sizes

),

counted as (

    select
        *,
        case
            when allocations_fit is null then 'allocations_not_read'
        end as limits_unknown_reason,
        case
            when allocations_fit is null then 'allocations_not_read'
            when memory_unused_mebibytes is null or disk_unused_mebibytes is null then 'not_sampled'
        end as use_unknown_reason,
        least(memory_left_fit, disk_left_fit, allocations_fit) as fit_by_limits,
        least(memory_unused_fit, disk_unused_fit, allocations_fit) as fit_by_use
    from bounds

)

select
    node_uuid,
    node_name,
    as_of_date,
    size_memory_mebibytes,
    size_disk_mebibytes,
    is_public and not is_under_maintenance as is_open,
    case when limits_unknown_reason is null then fit_by_limits::integer end as servers_fit_by_limits,
    case
        when limits_unknown_reason is not null then null
        when fit_by_limits = memory_left_fit then 'memory'
        when fit_by_limits = disk_left_fit then 'disk'
        else 'allocations'
    end as limits_bound_by,
    limits_unknown_reason,
    case when use_unknown_reason is null then fit_by_use::integer end as servers_fit_by_use,
    case
        when use_unknown_reason is not null then null
        when fit_by_use = memory_unused_fit then 'memory'
        when fit_by_use = disk_unused_fit then 'disk'
        else 'allocations'
    end as use_bound_by,
    use_unknown_reason,
    servers_without_memory_limit,
    days_sampled,
    coverage_ratio
from counted
