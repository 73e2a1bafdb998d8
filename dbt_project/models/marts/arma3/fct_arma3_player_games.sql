{#- A view: what it is made of is as new as the last replay that was read. -#}
{{ config(materialized='view') }}

select
    replay_key,
    player_key,
    site,
    site_kind,
    player_id,
    player_name,
    played_date,
    started_at,
    mission_name,
    island_name,
    side,
    squad_name,
    role_name,
    units,
    is_commander,
    is_win,
    is_survivor,
    kills,
    deaths,
    team_kills,
    suicides,
    vehicles_destroyed,
    longest_kill_metres,
    present_from,
    present_until,
    play_seconds,
    is_presence_recorded
from {{ ref('int_arma3__player_games') }}
