with

source as (

    {{ current_versions(source('pterodactyl', 'users')) }}

),

renamed as (

    select
        ---------- ids
        uuid as user_uuid,
        id as user_id,
        record ->> 'external_id' as external_id,

        ---------- properties
        record ->> 'username' as username,
        record ->> 'email' as email,
        record ->> 'first_name' as first_name,
        record ->> 'last_name' as last_name,
        record ->> 'language' as language,

        ---------- booleans
        (record ->> 'root_admin')::boolean as is_root_admin,
        (record ->> '2fa')::boolean as has_two_factor,

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
