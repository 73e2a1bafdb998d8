{{ config(tags=['daily']) }}

with

kills as (

    select kills.*
    from {{ ref('int_arma3__kills') }} as kills
    inner join {{ ref('int_arma3__games') }} as games on kills.replay_key = games.replay_key
    where games.is_counted and kills.weapon_name is not null

),

of_players as (

    select distinct on (kills.weapon_name)
        kills.weapon_name,
        (array_agg(kills.killer_name order by kills.played_date desc nulls last, kills.kill_number desc))[1]
            as best_player,
        count(*) as best_player_kills
    from kills
    where kills.is_credited and kills.killer_player_key is not null
    group by kills.weapon_name, kills.killer_player_key
    order by kills.weapon_name asc, count(*) desc, kills.killer_player_key asc

),

of_weapons as (

    select
        weapon_name,
        count(*) filter (where is_credited) as kills,
        count(*) filter (where is_team_kill) as team_kills,
        count(*) filter (where is_suicide) as suicides,
        count(*) filter (where victim_kind = 'vehicle') as vehicles_destroyed,
        count(distinct killer_player_key) as players,
        count(distinct replay_key) as games,
        max(distance_metres) filter (where is_credited) as longest_kill_metres,
        avg(distance_metres::numeric) filter (where is_credited)::double precision as mean_kill_metres,
        min(played_date) as first_played_date,
        max(played_date) as last_played_date
    from kills
    group by weapon_name

)

select
    of_weapons.weapon_name,
    of_weapons.kills,
    of_weapons.team_kills,
    of_weapons.suicides,
    of_weapons.vehicles_destroyed,
    of_weapons.players,
    of_weapons.games,
    of_weapons.longest_kill_metres,
    of_weapons.mean_kill_metres,
    of_players.best_player,
    of_players.best_player_kills,
    of_weapons.first_played_date,
    of_weapons.last_played_date
from of_weapons
left join of_players on of_weapons.weapon_name = of_players.weapon_name
