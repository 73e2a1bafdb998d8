with

source as (

    select * from {{ source('pterodactyl', 'activity') }}

),

renamed as (

    select
        ---------- ids
        activity_id,
        server_uuid,
        (record -> 'relationships' -> 'actor' -> 'attributes' ->> 'uuid')::uuid as actor_uuid,

        ---------- properties
        event,
        record -> 'relationships' -> 'actor' -> 'attributes' ->> 'username' as actor_name,
        record ->> 'ip' as ip_address,
        record -> 'properties' as properties,

        ---------- booleans
        (record ->> 'is_api')::boolean as is_api,

        ---------- times
        occurred_at,

        ---------- load
        _source,
        _load_id,
        _loaded_at

    from source

)

select * from renamed
