with

source as (

    {{ current_versions(source('pterodactyl', 'backups')) }}

),

renamed as (

    select
        ---------- ids
        uuid as backup_uuid,
        split_part(scope, ':', 2)::uuid as server_uuid,

        ---------- properties
        record ->> 'name' as backup_name,
        case
            when (record ->> 'is_successful')::boolean then 'ok'
            when record ->> 'completed_at' is null then 'running'
            else 'failed'
        end as backup_state,
        record ->> 'checksum' as checksum,
        record -> 'ignored_files' as ignored_files,
        case when (record ->> 'is_successful')::boolean then (record ->> 'bytes')::bigint end as size_bytes,

        ---------- booleans
        (record ->> 'is_successful')::boolean as is_successful,
        (record ->> 'is_locked')::boolean as is_locked,

        ---------- times
        (record ->> 'created_at')::timestamptz as created_at,
        (record ->> 'completed_at')::timestamptz as completed_at,

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
