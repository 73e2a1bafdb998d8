with

source as (

    {{ current_versions(source('pterodactyl', 'nests')) }}

),

renamed as (

    select
        ---------- ids
        uuid as nest_uuid,
        id as nest_id,

        ---------- properties
        record ->> 'name' as nest_name,
        record ->> 'description' as description,
        record ->> 'author' as author,

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
