with

source as (

    {{ current_versions(source('pterodactyl', 'server_databases')) }}

),

renamed as (

    select
        ---------- ids
        id as server_database_id,
        (record ->> 'server')::bigint as server_id,
        (record ->> 'host')::bigint as database_host_id,

        ---------- properties
        record ->> 'database' as database_name,
        record ->> 'username' as database_username,
        record ->> 'remote' as connections_from,
        (record ->> 'max_connections')::integer as max_connections,

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
