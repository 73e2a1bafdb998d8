with

source as (

    select * from {{ source('arma3', 'units') }}

),

renamed as (

    select
        ---------- ids
        replay_key,
        unit_id,
        player_id,

        ---------- unit
        name as unit_name,
        side,
        squad as squad_name,
        role as role_name,
        is_player,

        ---------- course
        first_second,
        last_second,
        survived as is_survivor,
        died_second,
        death_without_kill as is_death_without_kill

    from source

)

select * from renamed
