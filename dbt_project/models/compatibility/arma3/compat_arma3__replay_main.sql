{{ config(alias='replay_main') }}

with

replays as (

    select * from {{ ref('fct_arma3_replays') }}

)

select
    site_number::integer as replay_number,
    (started_at at time zone timezone)::time as start_time,
    (ended_at at time zone timezone)::time as end_time,
    played_date as date,
    left(mission_name, 255)::varchar(255) as name_mission,
    left(island_name, 255)::varchar(255) as island,
    {% for side in ['east', 'west', 'guer', 'civ'] -%}
    left(coalesce(commander_{{ side }}, 'None'), 255)::varchar(255) as commander_{{ side }},
    {% endfor -%}
    winner_side::varchar(255) as winner,
    {% for side in ['east', 'west', 'guer', 'civ'] -%}
    coalesce(players_{{ side }}, 0) as count_players_{{ side }},
    {% endfor -%}
    slots as count_players_slots,
    players as count_players_active,
    -- a clock of that time of day was what WRTD-ETL kept of a length
    ('00:00'::time + make_interval(secs => duration_seconds)) as duration,
    left(url, 255)::varchar(255) as replay_url
from replays
where site_kind = 'wog'
