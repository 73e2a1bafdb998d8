with

games as (

    select *
    from {{ ref('int_arma3__games') }}
    where is_counted

),

sides as (

    select * from {{ ref('stg_arma3__sides') }}

),

of_players as (

    select
        replay_key,
        side,
        count(*) as participants,
        sum(kills)::bigint as kills,
        sum(deaths)::bigint as deaths,
        sum(team_kills)::bigint as team_kills,
        count(*) filter (where is_survivor) as survivors,
        count(is_survivor) as survival_known
    from {{ ref('int_arma3__player_games') }}
    group by replay_key, side

)

-- a side without players took no part, whatever the source lists
select
    games.replay_key,
    sides.side,
    games.site,
    games.mission_name,
    games.island_name,
    games.played_date,
    games.duration_seconds,
    coalesce(sides.players, of_players.participants) as players,
    case
        when sides.commander_player_id is not null or sides.commander_name is not null
            then {{ arma3_player_key('games.site', 'sides.commander_player_id', 'sides.commander_name') }}
    end as commander_player_key,
    sides.commander_name,
    case when games.winner_side is not null then sides.side = games.winner_side end as is_win,
    of_players.kills,
    of_players.deaths,
    of_players.team_kills,
    coalesce(of_players.survivors, 0) as survivors,
    coalesce(of_players.survival_known, 0) as survival_known
from games
inner join sides on games.replay_key = sides.replay_key
left join of_players on sides.replay_key = of_players.replay_key and sides.side = of_players.side
where coalesce(sides.players, of_players.participants) > 0
