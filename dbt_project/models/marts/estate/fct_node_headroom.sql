{{ config(tags=['daily']) }}

with

nodes as (

    select *
    from {{ ref('stg_pterodactyl__nodes') }}
    where is_active

),

days as (

    select *
    from {{ ref('fct_node_daily') }}
    where scope = 'node'

),

newest as (

    select max(local_date) as last_date from days

),

-- a week, since the days of the week differ
peaks as (

    select
        days.node_uuid,
        count(days.memory_used_peak_mebibytes)::integer as days_sampled,
        max(days.memory_used_peak_mebibytes) as memory_used_peak_mebibytes,
        max(days.memory_used_high_mebibytes) as memory_used_high_mebibytes,
        max(days.disk_used_peak_mebibytes) as disk_used_peak_mebibytes,
        {{ coverage('sum(days.server_hours_sampled)', 'sum(days.server_hours_expected)') }} as coverage_ratio
    from days
    inner join newest on days.local_date > newest.last_date - 7
    group by days.node_uuid

),

joined as (

    select
        days.node_uuid,
        nodes.node_name,
        days.local_date as as_of_date,
        nodes.is_public,
        nodes.is_under_maintenance,
        days.memory_overallocate_percent < 0 as is_memory_unlimited,
        days.disk_overallocate_percent < 0 as is_disk_unlimited,
        days.memory_allowed_mebibytes - days.memory_allocated_mebibytes as memory_left_mebibytes,
        days.disk_allowed_mebibytes - days.disk_allocated_mebibytes as disk_left_mebibytes,
        days.allocations_left,
        days.servers_without_memory_limit,
        days.servers_without_disk_limit,
        days.servers_total = 0 as is_empty,
        case
            when days.servers_total = 0 then days.memory_mebibytes
            else days.memory_mebibytes - peaks.memory_used_peak_mebibytes
        end as memory_unused_mebibytes,
        case
            when days.servers_total = 0 then days.memory_mebibytes
            else days.memory_mebibytes - peaks.memory_used_high_mebibytes
        end as memory_unused_at_least_mebibytes,
        case
            when days.servers_total = 0 then days.disk_mebibytes
            else days.disk_mebibytes - peaks.disk_used_peak_mebibytes
        end as disk_unused_mebibytes,
        peaks.days_sampled,
        peaks.coverage_ratio
    from days
    inner join newest on days.local_date = newest.last_date
    inner join nodes on days.node_uuid = nodes.node_uuid
    left join peaks on days.node_uuid = peaks.node_uuid

)

select * from joined
