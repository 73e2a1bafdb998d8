{{ config(alias='frags') }}

with

kills as (

    select * from {{ ref('stg_arma3__kills') }}

),

replays as (

    select * from {{ ref('fct_arma3_replays') }}

)

select
    (row_number() over (order by kills.replay_key, kills.kill_number))::integer as id,
    replays.site_number::integer as replay_number,
    ('00:00'::time + make_interval(secs => kills.at_second)) as time,
    left(kills.victim_vehicle_name, 255)::varchar(255) as victim_vehicle,
    kills.victim_unit_id::integer as victim,
    kills.killer_unit_id::integer as killer,
    left(kills.killer_vehicle_name, 255)::varchar(255) as killer_vehicle,
    left(kills.weapon_name, 255)::varchar(255) as gun,
    round(kills.distance_metres)::integer as distance,
    kills.is_team_kill as is_tk
from kills
inner join replays on kills.replay_key = replays.replay_key
where replays.site_kind = 'wog'
