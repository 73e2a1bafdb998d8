with

source as (

    {{ current_versions(source('pterodactyl', 'eggs')) }}

),

variables as (

    select
        source.uuid as egg_uuid,
        source.is_active,
        source._loaded_at,
        element.value -> 'attributes' as record
    from source
    cross join lateral jsonb_array_elements(
        case
            when jsonb_typeof(source.record -> 'relationships' -> 'variables' -> 'data') = 'array'
                then source.record -> 'relationships' -> 'variables' -> 'data'
            else '[]'::jsonb
        end
    ) as element

),

renamed as (

    select
        ---------- ids
        (record ->> 'id')::bigint as egg_variable_id,
        egg_uuid,
        (record ->> 'egg_id')::bigint as egg_id,

        ---------- properties
        record ->> 'name' as variable_name,
        record ->> 'description' as description,
        record ->> 'env_variable' as environment_name,
        record ->> 'default_value' as default_value,
        record ->> 'rules' as rules,

        ---------- booleans
        (record ->> 'user_viewable')::boolean as is_user_viewable,
        (record ->> 'user_editable')::boolean as is_user_editable,

        ---------- times
        (record ->> 'created_at')::timestamptz as created_at,
        (record ->> 'updated_at')::timestamptz as updated_at,

        ---------- validity
        is_active,

        ---------- load
        _loaded_at

    from variables

)

select * from renamed
