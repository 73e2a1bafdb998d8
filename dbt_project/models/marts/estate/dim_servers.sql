with

servers as (

    select * from {{ ref('stg_pterodactyl__servers') }}

),

users as (

    {{ newest_by_id(ref('stg_pterodactyl__users'), 'user_id') }}

),

nodes as (

    {{ newest_by_id(ref('stg_pterodactyl__nodes'), 'node_id') }}

),

locations as (

    {{ newest_by_id(ref('stg_pterodactyl__locations'), 'location_id') }}

),

allocations as (

    {{ newest_by_id(ref('stg_pterodactyl__allocations'), 'allocation_id') }}

),

nests as (

    {{ newest_by_id(ref('stg_pterodactyl__nests'), 'nest_id') }}

),

eggs as (

    {{ newest_by_id(ref('stg_pterodactyl__eggs'), 'egg_id') }}

),

timezones as (

    select * from {{ ref('stg_ops__server_timezones') }}

),

joined as (

    select
        servers.server_uuid,
        servers.server_id,
        servers.identifier,
        servers.external_id,
        servers.server_name,
        servers.description,
        servers.status,
        servers.is_suspended,
        servers.is_installed,
        servers.is_active,
        servers.created_at,
        servers.updated_at,
        servers.deleted_at,
        nullif(servers.memory_limit_mebibytes, 0) as memory_limit_mebibytes,
        servers.swap_limit_mebibytes,
        nullif(servers.disk_limit_mebibytes, 0) as disk_limit_mebibytes,
        nullif(servers.cpu_limit_percent, 0) as cpu_limit_percent,
        servers.cpu_threads,
        servers.io_weight,
        servers.is_oom_killer_disabled,
        servers.database_limit,
        servers.allocation_limit,
        servers.backup_limit,
        servers.docker_image,
        servers.owner_user_id,
        users.user_uuid as owner_user_uuid,
        users.username as owner_username,
        servers.node_id,
        nodes.node_uuid,
        nodes.node_name,
        locations.location_code,
        servers.allocation_id,
        allocations.ip_address,
        allocations.port,
        servers.nest_id,
        nests.nest_name,
        servers.egg_id,
        eggs.egg_uuid,
        eggs.egg_name,
        coalesce(timezones.timezone, 'UTC') as timezone,
        coalesce(timezones.timezone_source, 'utc') as timezone_source
    from servers
    left join users on servers.owner_user_id = users.user_id
    left join nodes on servers.node_id = nodes.node_id
    left join locations on nodes.location_id = locations.location_id
    left join allocations on servers.allocation_id = allocations.allocation_id
    left join nests on servers.nest_id = nests.nest_id
    left join eggs on servers.egg_id = eggs.egg_id
    left join timezones on servers.server_uuid = timezones.server_uuid

)

select * from joined
