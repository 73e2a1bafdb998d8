with

nodes as (

    select * from {{ ref('stg_pterodactyl__nodes') }}

),

locations as (

    {{ newest_by_id(ref('stg_pterodactyl__locations'), 'location_id') }}

),

allocations as (

    select * from {{ ref('stg_pterodactyl__allocations') }}

),

servers as (

    select * from {{ ref('stg_pterodactyl__servers') }}

),

allocations_of_node as (

    select
        node_id,
        count(*)::integer as allocations_total,
        count(*) filter (where is_assigned)::integer as allocations_assigned
    from allocations
    where is_active
    group by node_id

),

servers_of_node as (

    select
        node_id,
        count(*)::integer as servers_active
    from servers
    where is_active
    group by node_id

),

joined as (

    select
        nodes.node_uuid,
        nodes.node_id,
        nodes.node_name,
        nodes.description,
        nodes.location_id,
        locations.location_code,
        locations.location_name,
        nodes.fqdn,
        nodes.scheme,
        nodes.daemon_port,
        nodes.is_public,
        nodes.is_behind_proxy,
        nodes.is_under_maintenance,
        nodes.memory_mebibytes,
        nodes.memory_overallocate_percent,
        nodes.allocated_memory_mebibytes,
        nodes.disk_mebibytes,
        nodes.disk_overallocate_percent,
        nodes.allocated_disk_mebibytes,
        case when nodes.is_active then coalesce(servers_of_node.servers_active, 0) end as servers_active,
        allocations_of_node.allocations_total,
        allocations_of_node.allocations_assigned,
        nodes.is_active,
        nodes.created_at,
        nodes.updated_at,
        nodes.deleted_at
    from nodes
    left join locations on nodes.location_id = locations.location_id
    left join servers_of_node on nodes.node_id = servers_of_node.node_id and nodes.is_active
    left join allocations_of_node on nodes.node_id = allocations_of_node.node_id and nodes.is_active

)

select * from joined
