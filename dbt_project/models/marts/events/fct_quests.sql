{#- A view: an event is here once it is committed. -#}
{{ config(materialized='view') }}

with

{{ events_of(['accepted_a_quest', 'attempt_daily_quest']) }}

select
    {{ columns_of_events() }},
    case event_type when 'accepted_a_quest' then {{ event_text('quest_id') }} end as quest_id,
    case event_type when 'accepted_a_quest' then {{ event_text('name') }} end as quest_name,
    case event_type when 'accepted_a_quest' then {{ event_text('contact') }} end as contact,
    case event_type when 'accepted_a_quest' then true else {{ event_boolean('attempted') }} end as is_accepted
from events
