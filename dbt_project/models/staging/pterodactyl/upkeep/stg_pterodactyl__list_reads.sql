with

source as (

    select * from {{ source('pterodactyl', 'list_reads') }}

),

renamed as (

    select
        ---------- ids
        server_uuid,

        ---------- properties
        list_name,
        outcome,
        reason,
        rows_read,

        ---------- booleans
        outcome = 'ok' as is_read,

        ---------- times
        observed_at,
        read_at,
        known_since,
        known_until,

        ---------- load
        _loaded_at

    from source

)

select * from renamed
