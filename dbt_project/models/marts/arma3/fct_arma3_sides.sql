{{ config(tags=['daily']) }}

with

game_sides as (

    select * from {{ ref('int_arma3__game_sides') }}

),

counted as (

    select
        mission_name,
        island_name,
        side,
        count(*) as games,
        count(is_win) as games_decided,
        count(*) filter (where is_win) as wins,
        avg(players)::double precision as mean_players,
        count(distinct commander_player_key) as commanders,
        sum(kills)::bigint as kills,
        sum(deaths)::bigint as deaths,
        sum(team_kills)::bigint as team_kills,
        sum(survivors)::bigint as survivors,
        sum(survival_known)::bigint as survival_known,
        max(played_date) as last_played_date
    from game_sides
    group by mission_name, island_name, side

)

select
    mission_name,
    island_name,
    side,
    games,
    games_decided,
    wins,
    {{ ratio('wins', 'games_decided') }} as win_share,
    {% for bound, sign in [('low', '-'), ('high', '+')] -%}
    case when games_decided > 0 then {{ wilson_bound('wins', 'games_decided', sign) }} end as win_share_{{ bound }},
    {% endfor -%}
    mean_players,
    commanders,
    kills,
    deaths,
    team_kills,
    survivors,
    {{ ratio('survivors', 'survival_known') }} as survival_share,
    last_played_date
from counted
