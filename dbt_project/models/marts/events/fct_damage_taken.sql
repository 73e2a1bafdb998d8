{#- A view: an event is here once it is committed. -#}
{{ config(materialized='view') }}

with

{{ events_of(['take_damage', 'took_damage']) }}

select
    {{ columns_of_events() }},
    case event_type when 'take_damage' then {{ event_text('enemy_id') }} end as source_id,
    case event_type
        when 'take_damage' then {{ event_text('name') }}
        else {{ event_text('damage_dealer') }}
    end as source_name,
    case event_type when 'took_damage' then {{ event_text('cause_damage') }} end as cause,
    case event_type
        when 'take_damage' then {{ event_integer('damage') }}
        else {{ event_integer('damage_level') }}
    end as damage
from events
