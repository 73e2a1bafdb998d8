{{ config(alias='d_players') }}

with

players as (

    select * from {{ ref('fct_arma3_player_games') }}

)

-- the name of the newest game; of two sites that number a player alike, that of the one that plays now
select distinct on (player_id)
    player_id::integer as id_from_json,
    left(player_name, 255)::varchar(255) as nickname
from players
where player_id is not null
order by player_id asc, played_date desc nulls last, started_at desc nulls last, site asc, replay_key desc
