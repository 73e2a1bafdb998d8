with

source as (

    {{ current_versions(source('pterodactyl', 'eggs')) }}

),

renamed as (

    select
        ---------- ids
        uuid as egg_uuid,
        id as egg_id,
        (record ->> 'nest')::bigint as nest_id,
        (record -> 'config' ->> 'extends')::bigint as extends_egg_id,

        ---------- properties
        record ->> 'name' as egg_name,
        record ->> 'description' as description,
        record ->> 'author' as author,
        record ->> 'docker_image' as docker_image,
        record ->> 'startup' as startup_template,
        record -> 'config' ->> 'stop' as stop_command,

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
