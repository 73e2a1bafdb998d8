with

source as (

    select * from {{ source('arma3', 'stints') }}

),

renamed as (

    select
        ---------- ids
        replay_key,
        unit_id,
        number as stint_number,

        ---------- stint
        name as player_name,
        is_player,
        first_second,
        last_second

    from source

)

select * from renamed
