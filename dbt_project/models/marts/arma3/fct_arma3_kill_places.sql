{#- A view: it is as new as the last replay. -#}
{{ config(materialized='view') }}

with

kills as (

    select * from {{ ref('int_arma3__kills') }}

),

grids as (

    select * from {{ ref('stg_arma3__grids') }}

),

steps as (

    select
        kills.replay_key,
        kills.kill_number,
        kills.played_date,
        kills.victim_kind,
        kills.victim_unit_id,
        kills.killer_unit_id,
        grids.has_positions,
        grids.grid_metres,
        floor(kills.at_second / grids.step_seconds)::integer as step
    from kills
    inner join grids on kills.replay_key = grids.replay_key

)

-- nobody's way within a step is known: the square is the one in which most of it was spent. Who was killed as a step
-- began was seen in the one before.
select
    steps.replay_key,
    steps.kill_number,
    steps.played_date,
    steps.grid_metres,
    {% for person in ['victim', 'killer'] -%}
    {{ person }}s.cell_x as {{ person }}_cell_x,
    {{ person }}s.cell_y as {{ person }}_cell_y,
    {% endfor -%}
    victims.cell_x is not null as is_place_known,
    case
        when victims.cell_x is not null then null
        when not steps.has_positions then 'no_positions'
        when steps.victim_kind = 'vehicle' then 'a_vehicle'
        when steps.victim_unit_id is null then 'victim_unknown'
        else 'not_recorded'
    end as reason
from steps
{% for person in ['victim', 'killer'] -%}
left join lateral (
    select
        positions.cell_x,
        positions.cell_y
    from {{ ref('stg_arma3__positions') }} as positions
    where
        positions.replay_key = steps.replay_key
        and positions.unit_id = steps.{{ person }}_unit_id
        and positions.step between steps.step - 1 and steps.step
    order by positions.step desc, positions.alive_seconds desc, positions.cell_x asc, positions.cell_y asc
    limit 1
) as {{ person }}s on true
{% endfor %}
