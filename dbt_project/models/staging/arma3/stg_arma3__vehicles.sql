with

source as (

    select * from {{ source('arma3', 'vehicles') }}

),

renamed as (

    select
        ---------- ids
        replay_key,
        vehicle_id,

        ---------- vehicle
        vehicle_class,
        name as vehicle_name,
        side,

        ---------- course
        first_second,
        last_second,
        survived as is_survivor

    from source

)

select * from renamed
