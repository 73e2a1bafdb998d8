{{ config(tags=['daily']) }}

with

games as (

    select *
    from {{ ref('int_arma3__games') }}
    where is_counted

),

vehicles as (

    select vehicles.*
    from {{ ref('stg_arma3__vehicles') }} as vehicles
    inner join games on vehicles.replay_key = games.replay_key
    where vehicles.vehicle_name is not null

),

kills as (

    select kills.*
    from {{ ref('int_arma3__kills') }} as kills
    inner join games on kills.replay_key = games.replay_key

),

of_vehicles as (

    select
        vehicle_name,
        mode() within group (order by vehicle_class) as vehicle_class,
        count(*) as vehicles,
        count(distinct replay_key) as games,
        count(is_survivor) as vehicles_end_known,
        count(*) filter (where not is_survivor) as vehicles_lost
    from vehicles
    group by vehicle_name

),

-- a kill is of the vehicle in which the killer sat then, whoever drove it before
of_crews as (

    select
        killer_vehicle_name as vehicle_name,
        count(*) filter (where is_credited) as kills,
        count(*) filter (where is_team_kill) as team_kills,
        count(distinct killer_player_key) as killers
    from kills
    where killer_vehicle_name is not null
    group by killer_vehicle_name

),

of_victims as (

    select
        victim_vehicle_name as vehicle_name,
        count(*) filter (where victim_kind = 'unit') as deaths_aboard,
        count(*) filter (where victim_kind = 'vehicle') as times_destroyed
    from kills
    where victim_vehicle_name is not null
    group by victim_vehicle_name

)

select
    of_vehicles.vehicle_name,
    of_vehicles.vehicle_class,
    of_vehicles.vehicles,
    of_vehicles.games,
    of_vehicles.vehicles_end_known,
    of_vehicles.vehicles_lost,
    {{ ratio('of_vehicles.vehicles_lost', 'of_vehicles.vehicles_end_known') }} as loss_share,
    coalesce(of_crews.kills, 0) as kills,
    coalesce(of_crews.team_kills, 0) as team_kills,
    coalesce(of_crews.killers, 0) as killers,
    coalesce(of_victims.deaths_aboard, 0) as deaths_aboard,
    coalesce(of_victims.times_destroyed, 0) as times_destroyed
from of_vehicles
left join of_crews on of_vehicles.vehicle_name = of_crews.vehicle_name
left join of_victims on of_vehicles.vehicle_name = of_victims.vehicle_name
