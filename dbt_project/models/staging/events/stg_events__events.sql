with

source as (

    select * from {{ source('events', 'events') }}

),

renamed as (

    select
        ---------- ids
        game,
        event_id,
        event_type,
        version,
        player_id,
        record ->> 'player_name' as player_name,
        case
            when record ->> 'minecraft_uuid' ~* '^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$'
                then (record ->> 'minecraft_uuid')::uuid
        end as minecraft_uuid,
        session_id,

        ---------- times
        occurred_at,
        received_at,
        clock_skew_milliseconds,

        ---------- fields of its type: models of each type name them, since another type may call others so
        record -> 'properties' as properties,

        ---------- load
        record,
        _loaded_at

    from source

)

select * from renamed
