with

source as (

    select * from {{ source('arma3', 'ratings') }}

),

renamed as (

    select
        ---------- ids
        player_hash,

        ---------- when
        played_on as played_date,

        ---------- rating
        rating,
        deviation as rating_deviation,
        games as games_rated,
        wins as games_won

    from source

)

select * from renamed
