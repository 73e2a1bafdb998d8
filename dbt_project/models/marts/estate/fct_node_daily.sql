{{ config(tags=['daily'], indexes=[{'columns': ['scope_key', 'local_date']}, {'columns': ['local_date']}]) }}

with

host as (

    select * from {{ ref('int_host_timezone') }}

),

use as (

    select * from {{ ref('int_node_use_daily') }}

),

loads as (

    select
        max(observed_at) as read_until,
        min(observed_at) filter (where table_name = 'raw_pterodactyl.utilization_samples') as sampled_from
    from {{ ref('stg_ops__loads') }}
    where table_name in ('raw_pterodactyl.servers', 'raw_pterodactyl.utilization_samples') and is_complete

),

allowed as (

    select
        *,
        {{ allowed('memory_mebibytes', 'memory_overallocate_percent') }} as memory_allowed_mebibytes,
        {{ allowed('disk_mebibytes', 'disk_overallocate_percent') }} as disk_allowed_mebibytes
    from {{ ref('int_node_terms_daily') }}

),

-- where one node promises without end, so does the host; a part of its allocations is not all of them
scoped as (

    select
        'node' as scope,
        node_uuid::text as scope_key,
        node_uuid,
        local_date,
        {% for measure in node_terms_measures() -%}
        {{ measure }},
        {% endfor -%}
        1 as nodes_total,
        memory_overallocate_percent,
        disk_overallocate_percent
    from allowed

    union all

    select
        'host' as scope,
        'host' as scope_key,
        null as node_uuid,
        local_date,
        {% for measure in node_terms_measures() -%}
        case when count({{ measure }}) = count(*) then sum({{ measure }}) end as {{ measure }},
        {% endfor -%}
        count(*)::integer as nodes_total,
        null as memory_overallocate_percent,
        null as disk_overallocate_percent
    from allowed
    group by local_date

),

bounded as (

    select
        scoped.*,
        host.timezone,
        {{ local_day_start('scoped.local_date', 'host.timezone') }} as day_starts_at,
        {{ local_day_start('(scoped.local_date + 1)', 'host.timezone') }} as day_ends_at
    from scoped
    cross join host

),

joined as (

    select
        bounded.scope,
        bounded.scope_key,
        bounded.node_uuid,
        bounded.local_date,
        bounded.timezone,
        bounded.day_ends_at <= loads.read_until as is_whole,
        bounded.nodes_total,
        bounded.servers_total::integer as servers_total,
        bounded.servers_without_memory_limit::integer as servers_without_memory_limit,
        bounded.servers_without_disk_limit::integer as servers_without_disk_limit,
        bounded.servers_without_cpu_limit::integer as servers_without_cpu_limit,
        bounded.memory_mebibytes::bigint as memory_mebibytes,
        bounded.memory_overallocate_percent,
        bounded.memory_allowed_mebibytes,
        bounded.memory_allocated_mebibytes::bigint as memory_allocated_mebibytes,
        {{ ratio('bounded.memory_allocated_mebibytes', 'bounded.memory_mebibytes') }} as memory_committed_ratio,
        bounded.disk_mebibytes::bigint as disk_mebibytes,
        bounded.disk_overallocate_percent,
        bounded.disk_allowed_mebibytes,
        bounded.disk_allocated_mebibytes::bigint as disk_allocated_mebibytes,
        {{ ratio('bounded.disk_allocated_mebibytes', 'bounded.disk_mebibytes') }} as disk_committed_ratio,
        bounded.cpu_allocated_percent / 100.0::double precision as cpu_allocated_cores,
        bounded.allocations_total::integer as allocations_total,
        bounded.allocations_assigned::integer as allocations_assigned,
        (bounded.allocations_total - bounded.allocations_assigned)::integer as allocations_left,
        use.memory_used_mean_mebibytes,
        use.memory_used_peak_mebibytes,
        use.memory_used_high_mebibytes,
        use.memory_peak_hour_at,
        use.disk_used_mean_mebibytes,
        use.disk_used_peak_mebibytes,
        use.cpu_used_mean_cores,
        use.cpu_used_peak_cores,
        use.cpu_used_high_cores,
        coalesce(use.hours_sampled, 0) as hours_sampled,
        coalesce(use.servers_sampled, 0) as servers_sampled,
        coalesce(use.server_hours_sampled, 0) as server_hours_sampled,
        case
            when loads.sampled_from < least(bounded.day_ends_at, loads.read_until)
                then
                    bounded.servers_total * {{ seconds_between(
                        'greatest(bounded.day_starts_at, loads.sampled_from)',
                        'least(bounded.day_ends_at, loads.read_until)'
                    ) }} / 3600
            else 0
        end as server_hours_expected
    from bounded
    cross join loads
    left join use on bounded.scope_key = use.scope_key and bounded.local_date = use.local_date

)

select
    *,
    {{ coverage('server_hours_sampled', 'server_hours_expected') }} as coverage_ratio,
    case
        when servers_total = 0 then 'no_servers'
        when memory_used_peak_mebibytes is null then 'not_sampled'
    end as use_unknown_reason
from joined
