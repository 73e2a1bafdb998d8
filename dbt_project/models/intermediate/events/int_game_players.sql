{#- Incremental by player. A step is reached after the one before it: who buys before any quest has not reached it. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['game', 'player_id'],
    on_schema_change='fail',
    indexes=[
        {'columns': ['game', 'player_id'], 'unique': true},
        {'columns': ['taken_in_until']},
    ]
) }}

with

{{ events_of_touched_players() }},

joined as (

    select
        *,
        min(counted_at) filter (where deed = 'guild') over (partition by game, player_id) as guild_at
    from events

),

quested as (

    select
        *,
        min(counted_at) filter (where deed = 'quest' and counted_at >= guild_at) over (
            partition by game, player_id
        ) as quest_at
    from joined

)

select
    game,
    player_id,
    (array_agg(player_name order by counted_at desc, event_id desc) filter (where player_name is not null))[1]
        as player_name,
    (array_agg(minecraft_uuid order by counted_at desc, event_id desc) filter (where minecraft_uuid is not null))[1]
        as minecraft_uuid,
    (min(counted_at) at time zone 'UTC')::date as cohort_date,
    min(counted_at) as first_event_at,
    max(counted_at) as last_event_at,
    min(guild_at) as guild_at,
    min(quest_at) as quest_at,
    min(counted_at) filter (where deed = 'purchase' and counted_at >= quest_at) as funnel_purchase_at,
    min(counted_at) filter (where deed = 'purchase') as first_purchase_at,
    max(counted_at) filter (where deed = 'purchase') as last_purchase_at,
    count(*)::integer as events,
    {{ counted_deeds() }},
    max(taken_in_until) as taken_in_until
from quested
group by game, player_id
