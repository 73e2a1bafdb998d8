{{ config(alias='players') }}

with

units as (

    select * from {{ ref('stg_arma3__units') }}

),

replays as (

    select * from {{ ref('fct_arma3_replays') }}

)

select
    (row_number() over (order by units.replay_key, units.unit_id))::integer as id,
    units.player_id::integer as id_from_json,
    replays.site_number::integer as replay_number,
    array_position(array['EAST', 'WEST', 'GUER', 'CIV'], units.side) as side,
    left(units.role_name, 255)::varchar(255) as slot
from units
inner join replays on units.replay_key = replays.replay_key
where replays.site_kind = 'wog'
