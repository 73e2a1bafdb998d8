{#- A view: an event is here once it is committed. -#}
{{ config(materialized='view') }}

with

{{ events_of(['kill_enemy', 'slayed_dragon']) }}

select
    {{ columns_of_events() }},
    case event_type when 'slayed_dragon' then 'dragon' else 'enemy' end as enemy_kind,
    case event_type when 'kill_enemy' then {{ event_text('enemy_id') }} end as enemy_id,
    case event_type when 'kill_enemy' then {{ event_text('name') }} end as enemy_name,
    case event_type when 'kill_enemy' then {{ event_integer('level') }} end as level,
    case event_type when 'slayed_dragon' then {{ event_text('dragon_type') }} end as dragon_type,
    case event_type when 'slayed_dragon' then {{ event_text('location') }} end as location,
    case event_type when 'slayed_dragon' then {{ event_text('sword_type') }} end as sword_type
from events
