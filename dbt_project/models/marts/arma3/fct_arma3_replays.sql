{#- A view: it is as new as the last replay. -#}
{{ config(materialized='view') }}

with

replays as (

    select * from {{ ref('stg_arma3__replays') }}

),

of_sides as (

    select
        replay_key,
        {% for side in ['east', 'west', 'guer', 'civ'] -%}
        max(players) filter (where side = '{{ side | upper }}') as players_{{ side }},
        max(commander_name) filter (where side = '{{ side | upper }}') as commander_{{ side }},
        {% endfor -%}
        count(*) as sides
    from {{ ref('stg_arma3__sides') }}
    group by replay_key

),

of_participants as (

    select
        replay_key,
        {% for side in ['east', 'west', 'guer', 'civ'] -%}
        count(*) filter (where is_survivor and side = '{{ side | upper }}') as survivors_{{ side }},
        {% endfor -%}
        count(*) filter (where is_survivor) as survivors,
        count(is_survivor) as participants_known,
        count(*) as participants
    from {{ ref('int_arma3__participants') }}
    group by replay_key

),

kill_figures as (

    select * from {{ ref('int_arma3__kill_figures') }}

),

counted_vehicles as (

    select
        replay_key,
        vehicle_class,
        vehicle_name,
        count(*) as vehicles
    from {{ ref('stg_arma3__vehicles') }}
    group by replay_key, vehicle_class, vehicle_name

),

of_vehicles as (

    select
        replay_key,
        jsonb_agg(
            jsonb_build_object('class', vehicle_class, 'name', vehicle_name, 'vehicles', vehicles)
            order by vehicle_class asc, vehicles desc, vehicle_name asc
        ) as vehicles
    from counted_vehicles
    group by replay_key

)

select
    replays.replay_key,
    replays.site,
    replays.site_kind,
    replays.replay_id,
    replays.site_number,
    replays.url,
    replays.generation,
    replays.outcome,
    replays.reason,
    replays.mission_name,
    replays.island_name,
    replays.played_date,
    replays.started_at,
    replays.ended_at,
    replays.timezone,
    replays.clock_source,
    replays.duration_seconds,
    replays.slots,
    replays.players,
    replays.winner_side,
    replays.winner_reason,
    {% for side in ['east', 'west', 'guer', 'civ'] -%}
    of_sides.players_{{ side }},
    of_sides.commander_{{ side }},
    {{ arma3_survivors('survivors_' ~ side) }} as survivors_{{ side }},
    {% endfor -%}
    {{ arma3_survivors('survivors') }} as survivors,
    of_participants.participants,
    {{ arma3_of_kills('kill_figures.deaths') }} as deaths,
    {{ arma3_of_kills('kill_figures.kills') }} as kills,
    {{ arma3_of_kills('kill_figures.team_kills') }} as team_kills,
    {{ arma3_of_kills('kill_figures.suicides') }} as suicides,
    {{ arma3_of_kills('kill_figures.deaths_by_unknown') }} as deaths_by_unknown,
    case when replays.are_kills_known then coalesce(kill_figures.best_players, '[]') end as best_players,
    case when replays.are_kills_known then coalesce(kill_figures.most_team_kills, '[]') end as most_team_kills,
    kill_figures.first_kill,
    kill_figures.last_kill,
    kill_figures.longest_kill,
    case when replays.are_vehicles_known then coalesce(of_vehicles.vehicles, '[]') end as vehicles,
    replays.landed_at
from replays
left join of_sides on replays.replay_key = of_sides.replay_key
left join of_participants on replays.replay_key = of_participants.replay_key
left join kill_figures on replays.replay_key = kill_figures.replay_key
left join of_vehicles on replays.replay_key = of_vehicles.replay_key
where replays.landed_at is not null
