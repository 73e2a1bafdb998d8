with

source as (

    select * from {{ source('arma3', 'positions') }}

),

renamed as (

    select
        ---------- ids
        replay_key,
        unit_id,
        step,

        ---------- place
        cell_x,
        cell_y,

        ---------- how long
        seconds as alive_seconds,
        vehicle_seconds

    from source

)

select * from renamed
