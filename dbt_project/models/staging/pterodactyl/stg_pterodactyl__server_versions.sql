with

source as (

    select * from {{ source('pterodactyl', 'servers') }}

),

renamed as (

    select
        ---------- ids
        uuid as server_uuid,
        id as server_id,
        record ->> 'identifier' as identifier,
        record ->> 'external_id' as external_id,
        (record ->> 'user')::bigint as owner_user_id,
        (record ->> 'node')::bigint as node_id,
        (record ->> 'allocation')::bigint as allocation_id,
        (record ->> 'nest')::bigint as nest_id,
        (record ->> 'egg')::bigint as egg_id,

        ---------- properties
        record ->> 'name' as server_name,
        record ->> 'description' as description,
        record ->> 'status' as status,
        record -> 'container' ->> 'image' as docker_image,

        ---------- limits
        (record -> 'limits' ->> 'memory')::bigint as memory_limit_mebibytes,
        (record -> 'limits' ->> 'swap')::bigint as swap_limit_mebibytes,
        (record -> 'limits' ->> 'disk')::bigint as disk_limit_mebibytes,
        (record -> 'limits' ->> 'io')::bigint as io_weight,
        (record -> 'limits' ->> 'cpu')::bigint as cpu_limit_percent,
        record -> 'limits' ->> 'threads' as cpu_threads,
        (record -> 'feature_limits' ->> 'databases')::bigint as database_limit,
        (record -> 'feature_limits' ->> 'allocations')::bigint as allocation_limit,
        (record -> 'feature_limits' ->> 'backups')::bigint as backup_limit,
        case
            when jsonb_typeof(record #> '{relationships,allocations,data}') = 'array'
                then jsonb_array_length(record #> '{relationships,allocations,data}')
        end as allocations_total,

        ---------- booleans
        (record ->> 'suspended')::boolean as is_suspended,
        (record -> 'limits' ->> 'oom_disabled')::boolean as is_oom_killer_disabled,
        (record -> 'container' ->> 'installed')::integer = 1 as is_installed,

        ---------- times
        (record ->> 'created_at')::timestamptz as created_at,
        (record ->> 'updated_at')::timestamptz as updated_at,

        ---------- validity
        is_active,
        valid_from,
        valid_to,
        missing_since,
        deleted_at,

        ---------- load
        _source,
        _loaded_at

    from source

)

select * from renamed
