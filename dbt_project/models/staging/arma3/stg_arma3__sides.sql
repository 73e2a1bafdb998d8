with

source as (

    select * from {{ source('arma3', 'sides') }}

),

renamed as (

    select
        ---------- ids
        replay_key,
        side,
        commander_id as commander_player_id,

        ---------- side
        faction as faction_name,
        players,
        slots,
        commander_name

    from source

)

select * from renamed
