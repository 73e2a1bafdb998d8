with

kills as (

    select * from {{ ref('int_arma3__kills') }}

),

totals as (

    select
        replay_key,
        count(*) filter (where victim_kind = 'unit') as deaths,
        count(*) filter (where is_credited) as kills,
        count(*) filter (where is_team_kill) as team_kills,
        count(*) filter (where is_suicide) as suicides,
        count(*) filter (where victim_kind = 'unit' and killer_unit_id is null) as deaths_by_unknown
    from kills
    group by replay_key

),

killers as (

    select
        replay_key,
        killer_player_key,
        max(killer_name) as player_name,
        count(*) filter (where is_credited) as kills,
        count(*) filter (where is_team_kill) as team_kills
    from kills
    where killer_player_key is not null
    group by replay_key, killer_player_key

),

-- players of as many kills share a place, and five lines are shown
placed as (

    select
        *,
        dense_rank() over (partition by replay_key order by kills desc) as kills_place,
        dense_rank() over (partition by replay_key order by team_kills desc) as team_kills_place,
        row_number() over (
            partition by replay_key order by kills desc, player_name asc, killer_player_key asc
        ) as kills_line,
        row_number() over (
            partition by replay_key order by team_kills desc, player_name asc, killer_player_key asc
        ) as team_kills_line
    from killers

),

best as (

    select
        replay_key,
        jsonb_agg(
            jsonb_build_object('place', kills_place, 'player', player_name, 'kills', kills) order by kills_line
        ) filter (where kills > 0 and kills_line <= 5) as best_players,
        jsonb_agg(
            jsonb_build_object('place', team_kills_place, 'player', player_name, 'team_kills', team_kills)
            order by team_kills_line
        ) filter (where team_kills > 0 and team_kills_line <= 5) as most_team_kills
    from placed
    group by replay_key

),

told as (

    select
        *,
        jsonb_build_object(
            'second', at_second,
            'victim', victim_name,
            'victim_vehicle', victim_vehicle_name,
            'killer', killer_name,
            'killer_vehicle', killer_vehicle_name,
            'weapon', weapon_name,
            'distance_metres', distance_metres,
            'is_team_kill', is_team_kill,
            'is_suicide', is_suicide
        ) as told
    from kills
    where victim_kind = 'unit'

),

outstanding as (

    select
        replay_key,
        (array_agg(told order by at_second, kill_number))[1] as first_kill,
        (array_agg(told order by at_second desc, kill_number desc))[1] as last_kill,
        (
            array_agg(told order by distance_metres desc, kill_number asc)
            filter (where distance_metres is not null and is_suicide is false)
        )[1] as longest_kill
    from told
    group by replay_key

)

select
    totals.*,
    best.best_players,
    best.most_team_kills,
    outstanding.first_kill,
    outstanding.last_kill,
    outstanding.longest_kill
from totals
left join best on totals.replay_key = best.replay_key
left join outstanding on totals.replay_key = outstanding.replay_key
