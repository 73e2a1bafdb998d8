with

twice as (

    select
        replay_key,
        game_key
    from {{ ref('int_arma3__games') }}
    where not is_counted

),

player_games as (

    select * from {{ ref('int_arma3__player_games') }}

),

of_players as (

    select
        replay_key,
        count(*) as participants,
        sum(deaths)::bigint as deaths
    from player_games
    group by replay_key

),

in_common as (

    select
        twice.replay_key,
        count(*) as names_in_common
    from twice
    inner join player_games as recorded on twice.replay_key = recorded.replay_key
    inner join player_games as listed
        on twice.game_key = listed.replay_key and recorded.player_name = listed.player_name
    group by twice.replay_key

),

-- a recording knows soldiers whom nobody played too, and a page does not
of_kills as (

    select
        replay_key,
        count(*) filter (where is_credited) as kills,
        count(*) filter (where is_team_kill) as team_kills
    from {{ ref('int_arma3__kills') }}
    where victim_player_key is not null and killer_player_key is not null
    group by replay_key

)

select
    twice.replay_key,
    twice.game_key,
    recorded.participants as participants_recorded,
    listed.participants as participants_listed,
    coalesce(in_common.names_in_common, 0) as names_in_common,
    recorded.deaths as deaths_recorded,
    listed.deaths as deaths_listed,
    case when recordings.are_kills_known then coalesce(kills_recorded.kills, 0) end as kills_recorded,
    case when pages.are_kills_known then coalesce(kills_listed.kills, 0) end as kills_listed,
    case when recordings.are_kills_known then coalesce(kills_recorded.team_kills, 0) end as team_kills_recorded,
    case when pages.are_kills_known then coalesce(kills_listed.team_kills, 0) end as team_kills_listed,
    recordings.winner_side as winner_recorded,
    pages.winner_side as winner_listed
from twice
inner join {{ ref('stg_arma3__replays') }} as recordings on twice.replay_key = recordings.replay_key
inner join {{ ref('stg_arma3__replays') }} as pages on twice.game_key = pages.replay_key
inner join of_players as recorded on twice.replay_key = recorded.replay_key
inner join of_players as listed on twice.game_key = listed.replay_key
left join in_common on twice.replay_key = in_common.replay_key
left join of_kills as kills_recorded on twice.replay_key = kills_recorded.replay_key
left join of_kills as kills_listed on twice.game_key = kills_listed.replay_key
