{#- A view: an event is here once it is committed. -#}
{{ config(materialized='view') }}

with

{{ events_of(['join_a_guild', 'join_guild', 'guild_action']) }}

select
    {{ columns_of_events() }},
    case event_type when 'guild_action' then {{ event_text('action') }} else 'join' end as action,
    {{ event_text('guild_id') }} as guild_id,
    case event_type when 'join_a_guild' then {{ event_text('name') }} end as guild_name,
    case event_type when 'join_guild' then {{ event_text('guild_type') }} end as guild_type
from events
