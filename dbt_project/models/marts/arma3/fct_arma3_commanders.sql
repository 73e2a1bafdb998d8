{{ config(tags=['daily']) }}

with

game_sides as (

    select *
    from {{ ref('int_arma3__game_sides') }}
    where commander_player_key is not null

),

counted as (

    select
        commander_player_key as player_key,
        min(site) as site,
        (array_agg(commander_name order by played_date desc nulls last, replay_key desc))[1] as player_name,
        mode() within group (order by side) as usual_side,
        count(*) as games,
        count(is_win) as games_decided,
        count(*) filter (where is_win) as wins,
        avg(players)::double precision as mean_players,
        sum(survivors)::bigint as survivors,
        sum(survival_known)::bigint as survival_known,
        min(played_date) as first_played_date,
        max(played_date) as last_played_date
    from game_sides
    group by commander_player_key

)

select
    player_key,
    site,
    player_name,
    usual_side,
    games,
    games_decided,
    wins,
    {{ ratio('wins', 'games_decided') }} as win_share,
    {% for bound, sign in [('low', '-'), ('high', '+')] -%}
    case when games_decided > 0 then {{ wilson_bound('wins', 'games_decided', sign) }} end as win_share_{{ bound }},
    {% endfor -%}
    mean_players,
    {{ ratio('survivors', 'survival_known') }} as survival_share,
    first_played_date,
    last_played_date
from counted
