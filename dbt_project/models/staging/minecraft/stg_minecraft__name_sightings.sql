with

source as (

    select * from {{ source('minecraft', 'name_sightings') }}

),

renamed as (

    select
        ---------- ids
        server_uuid,
        file_key,
        player_name,
        player_uuid,

        ---------- times
        first_seen_at,
        last_seen_at,

        ---------- load
        _loaded_at

    from source

)

select * from renamed
