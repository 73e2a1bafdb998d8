with

servers as (

    {{ current_versions(ref('stg_pterodactyl__server_versions')) }}

)

select
    ---------- ids
    server_uuid,
    server_id,
    identifier,
    external_id,
    owner_user_id,
    node_id,
    allocation_id,
    nest_id,
    egg_id,

    ---------- properties
    server_name,
    description,
    status,
    docker_image,

    ---------- limits
    memory_limit_mebibytes,
    swap_limit_mebibytes,
    disk_limit_mebibytes,
    io_weight,
    cpu_limit_percent,
    cpu_threads,
    database_limit,
    allocation_limit,
    backup_limit,
    allocations_total,

    ---------- booleans
    is_suspended,
    is_oom_killer_disabled,
    is_installed,

    ---------- times
    created_at,
    updated_at,

    ---------- validity
    is_active,
    valid_from,
    deleted_at,

    ---------- load
    _source,
    _loaded_at
from servers
