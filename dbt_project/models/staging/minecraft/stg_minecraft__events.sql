with

source as (

    select * from {{ source('minecraft', 'events') }}

),

renamed as (

    select
        ---------- ids
        server_uuid,
        file_key,
        line_number,

        ---------- times
        logged_at,
        logged_at_local,
        log_date,

        ---------- properties
        kind as event_kind,
        player_name,
        player_uuid,
        detail,
        parser_version,

        ---------- load
        _loaded_at

    from source

)

select * from renamed
