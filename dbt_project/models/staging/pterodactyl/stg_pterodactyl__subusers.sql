with

source as (

    {{ current_versions(source('pterodactyl', 'subusers')) }}

),

renamed as (

    select
        ---------- ids
        id as subuser_id,
        (record ->> 'user_id')::bigint as user_id,
        (record ->> 'server_id')::bigint as server_id,

        ---------- properties
        record -> 'permissions' as permissions,

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
