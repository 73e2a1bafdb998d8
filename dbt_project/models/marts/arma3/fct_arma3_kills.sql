{#- A view: it is as new as the last replay. -#}
{{ config(materialized='view') }}

select
    replay_key,
    kill_number,
    played_date,
    at_second,
    killed_at,
    victim_kind,
    victim_unit_id,
    victim_player_key,
    victim_name,
    victim_side,
    victim_vehicle_name,
    killer_kind,
    killer_unit_id,
    killer_player_key,
    killer_name,
    killer_side,
    killer_vehicle_name,
    killer_reason,
    is_doubtful,
    weapon_name,
    distance_metres,
    is_team_kill,
    is_suicide,
    is_credited
from {{ ref('int_arma3__kills') }}
