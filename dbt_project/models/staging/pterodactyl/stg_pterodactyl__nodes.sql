with

source as (

    {{ current_versions(source('pterodactyl', 'nodes')) }}

),

renamed as (

    select
        ---------- ids
        uuid as node_uuid,
        id as node_id,
        (record ->> 'location_id')::bigint as location_id,

        ---------- properties
        record ->> 'name' as node_name,
        record ->> 'description' as description,
        record ->> 'fqdn' as fqdn,
        record ->> 'scheme' as scheme,
        (record ->> 'daemon_listen')::integer as daemon_port,
        (record ->> 'daemon_sftp')::integer as sftp_port,
        record ->> 'daemon_base' as daemon_folder,

        ---------- capacity
        (record ->> 'memory')::bigint as memory_mebibytes,
        (record ->> 'memory_overallocate')::bigint as memory_overallocate_percent,
        (record ->> 'disk')::bigint as disk_mebibytes,
        (record ->> 'disk_overallocate')::bigint as disk_overallocate_percent,
        (record ->> 'upload_size')::bigint as upload_limit_mebibytes,
        (record -> 'allocated_resources' ->> 'memory')::bigint as allocated_memory_mebibytes,
        (record -> 'allocated_resources' ->> 'disk')::bigint as allocated_disk_mebibytes,

        ---------- booleans
        (record ->> 'public')::boolean as is_public,
        (record ->> 'behind_proxy')::boolean as is_behind_proxy,
        (record ->> 'maintenance_mode')::boolean as is_under_maintenance,

        ---------- times
        (record ->> 'created_at')::timestamptz as created_at,
        (record ->> 'updated_at')::timestamptz as updated_at,

        ---------- validity
        is_active,
        valid_from,
        deleted_at,

        ---------- load
        _source,
        _loaded_at

    from source

)

select * from renamed
