{{ config(alias='vehicles') }}

with

vehicles as (

    select * from {{ ref('stg_arma3__vehicles') }}

),

replays as (

    select * from {{ ref('fct_arma3_replays') }}

)

select
    (row_number() over (order by vehicles.replay_key, vehicles.vehicle_id))::integer as id,
    replays.site_number::integer as replay_number,
    left(vehicles.vehicle_name, 255)::varchar(255) as name,
    left(vehicles.vehicle_class, 255)::varchar(255) as type
from vehicles
inner join replays on vehicles.replay_key = replays.replay_key
where replays.site_kind = 'wog'
