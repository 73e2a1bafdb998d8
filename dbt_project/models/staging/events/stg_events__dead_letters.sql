with

source as (

    select * from {{ source('events', 'dead_letters') }}

),

renamed as (

    select
        ---------- ids
        game,

        ---------- times
        received_at,

        ---------- what was refused, and why
        reason,
        detail,
        body,

        ---------- load
        _loaded_at

    from source

)

select * from renamed
