with

source as (

    {{ current_versions(source('pterodactyl', 'schedules')) }}

),

tasks as (

    select
        source.id as schedule_id,
        split_part(source.scope, ':', 2)::uuid as server_uuid,
        source.is_active,
        source._loaded_at,
        element.value -> 'attributes' as record
    from source
    cross join lateral jsonb_array_elements(
        case
            when jsonb_typeof(source.record -> 'relationships' -> 'tasks' -> 'data') = 'array'
                then source.record -> 'relationships' -> 'tasks' -> 'data'
            else '[]'::jsonb
        end
    ) as element

),

renamed as (

    select
        ---------- ids
        (record ->> 'id')::bigint as task_id,
        schedule_id,
        server_uuid,

        ---------- properties
        (record ->> 'sequence_id')::integer as task_number,
        record ->> 'action' as action,
        record ->> 'payload' as payload,
        (record ->> 'time_offset')::integer as offset_seconds,

        ---------- booleans
        (record ->> 'continue_on_failure')::boolean as is_continued_on_failure,

        ---------- times
        (record ->> 'created_at')::timestamptz as created_at,
        (record ->> 'updated_at')::timestamptz as updated_at,

        ---------- validity
        is_active,

        ---------- load
        _loaded_at

    from tasks

)

select * from renamed
