with

source as (

    {{ current_versions(source('pterodactyl', 'locations')) }}

),

renamed as (

    select
        ---------- ids
        id as location_id,

        ---------- properties
        record ->> 'short' as location_code,
        record ->> 'long' as location_name,

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
