{{ config(tags=['daily'], indexes=[{'columns': ['player_key']}, {'columns': ['games']}]) }}

with

player_games as (

    select
        *,
        row_number() over (
            partition by player_key
            order by played_date desc nulls last, started_at desc nulls last, replay_key desc
        ) as games_ago
    from {{ ref('fct_arma3_player_games') }}

),

of_games as (

    select
        player_key,
        min(site) as site,
        min(player_id) as player_id,
        max(player_name) filter (where games_ago = 1) as player_name,
        count(distinct player_name) as names_used,
        count(distinct squad_name) as squads,
        count(*) as games,
        min(played_date) as first_played_date,
        max(played_date) as last_played_date,
        sum(kills)::bigint as kills,
        sum(deaths)::bigint as deaths,
        sum(team_kills)::bigint as team_kills,
        sum(suicides)::bigint as suicides,
        count(*) filter (where is_survivor) as games_survived,
        count(is_survivor) as games_survival_known,
        max(longest_kill_metres) as longest_kill_metres,
        max(squad_name) filter (where games_ago = 1) as squad_name,
        count(*) filter (where is_win) as wins,
        count(is_win) as games_decided,
        count(*) filter (where is_commander) as games_commanded,
        sum(vehicles_destroyed)::bigint as vehicles_destroyed,
        sum(play_seconds::numeric)::double precision / 3600 as play_hours
    from player_games
    group by player_key

),

of_weapons as (

    select distinct on (killer_player_key)
        killer_player_key as player_key,
        weapon_name as best_weapon,
        count(*) as best_weapon_kills
    from {{ ref('int_arma3__kills') }}
    where is_credited and killer_player_key is not null and weapon_name is not null
    group by killer_player_key, weapon_name
    order by killer_player_key asc, count(*) desc, weapon_name asc

)

select
    of_games.player_key,
    of_games.site,
    of_games.player_id,
    of_games.player_name,
    of_games.names_used,
    of_games.squads,
    of_games.games,
    of_games.first_played_date,
    of_games.last_played_date,
    of_games.kills,
    of_games.deaths,
    of_games.team_kills,
    {{ ratio('of_games.team_kills', 'of_games.kills + of_games.team_kills') }} as team_kill_share,
    of_games.suicides,
    of_games.games_survived,
    of_games.games_survival_known,
    {{ ratio('of_games.games_survived', 'of_games.games_survival_known') }} as survival_share,
    of_weapons.best_weapon,
    of_weapons.best_weapon_kills,
    of_games.longest_kill_metres,
    of_games.squad_name,
    of_games.wins,
    of_games.games_decided,
    {{ ratio('of_games.wins', 'of_games.games_decided') }} as win_share,
    of_games.games_commanded,
    of_games.vehicles_destroyed,
    of_games.play_hours
from of_games
left join of_weapons on of_games.player_key = of_weapons.player_key
