with

host as (

    select * from {{ ref('int_host_timezone') }}

),

servers as (

    select
        validity.*,
        {{ days_held('validity.counted_from', 'validity.valid_to', 'host.timezone') }}
    from {{ ref('int_pterodactyl__server_validity') }} as validity
    cross join host

),

versions_of_allocations as (

    select
        *,
        {{ held_until() }} as holds_until
    from {{ ref('stg_pterodactyl__allocation_versions') }}

),

allocations as (

    select
        versions.*,
        {{ days_held('versions.valid_from', 'versions.holds_until', 'host.timezone') }}
    from versions_of_allocations as versions
    cross join host

),

of_servers as (

    {{ steps_of('servers', ['node_id'], {
        'servers_total': 'count(*)',
        'servers_without_memory_limit': 'count(*) filter (where memory_limit_mebibytes is null)',
        'servers_without_disk_limit': 'count(*) filter (where disk_limit_mebibytes is null)',
        'servers_without_cpu_limit': 'count(*) filter (where cpu_limit_percent is null)',
        'memory_allocated_mebibytes': 'coalesce(sum(memory_limit_mebibytes), 0)',
        'disk_allocated_mebibytes': 'coalesce(sum(disk_limit_mebibytes), 0)',
        'cpu_allocated_percent': 'coalesce(sum(cpu_limit_percent), 0)',
    }) }}

),

of_allocations as (

    {{ steps_of('allocations', ['node_id'], {
        'allocations_total': 'count(*)',
        'allocations_assigned': 'count(*) filter (where is_assigned)',
    }) }}

)

select
    coalesce(of_servers.node_id, of_allocations.node_id) as node_id,
    coalesce(of_servers.local_date, of_allocations.local_date) as local_date,
    {% for name in measures_of_servers_held() -%}
    of_servers.{{ name }},
    {% endfor -%}
    of_allocations.allocations_total,
    of_allocations.allocations_assigned
from of_servers
full join of_allocations
    on of_servers.node_id = of_allocations.node_id and of_servers.local_date = of_allocations.local_date
