{#- A view: ratings are computed outside of dbt, anew where games changed. -#}
{{ config(materialized='view') }}

with

ratings as (

    select
        *,
        row_number() over (partition by player_hash order by played_date desc) as days_ago
    from {{ ref('stg_arma3__ratings') }}

),

players as (

    select
        player_key,
        site,
        player_name
    from {{ ref('fct_arma3_players') }}

)

select
    players.player_key,
    ratings.played_date,
    players.site,
    players.player_name,
    ratings.rating,
    ratings.rating_deviation,
    ratings.rating - 3 * ratings.rating_deviation as rating_low,
    ratings.games_rated,
    ratings.games_won,
    ratings.days_ago = 1 as is_newest
from ratings
inner join players on ratings.player_hash = md5(players.player_key)
