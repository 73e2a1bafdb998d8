with

source as (

    select * from {{ source('events', 'events') }}

),

renamed as (

    select
        ---------- ids
        game,
        event_id,
        event_type,
        version,
        player_id,
        session_id,

        ---------- times
        occurred_at,
        received_at,
        clock_skew_milliseconds,

        ---------- fields of types, each of its types alone: what no contract names may be anything
        case when event_type = 'join_a_guild' then record -> 'properties' ->> 'guild_id' end as guild_id,
        case
            when event_type in ('kill_enemy', 'take_damage')
                then record -> 'properties' ->> 'enemy_id'
        end as enemy_id,
        case when event_type = 'accepted_a_quest' then record -> 'properties' ->> 'quest_id' end as quest_id,
        case when event_type = 'transaction' then record -> 'properties' ->> 'inventory_id' end as inventory_id,
        case when event_type = 'transaction' then record -> 'properties' ->> 'store_id' end as store_id,
        case
            when event_type in ('join_a_guild', 'kill_enemy', 'take_damage', 'accepted_a_quest')
                then record -> 'properties' ->> 'name'
        end as name,
        case when event_type = 'accepted_a_quest' then record -> 'properties' ->> 'contact' end as contact,
        case when event_type = 'transaction' then record -> 'properties' ->> 'category' end as category,
        case when event_type = 'transaction' then record -> 'properties' ->> 'item_name' end as item_name,
        case when event_type = 'kill_enemy' then (record -> 'properties' ->> 'level')::integer end as level,
        case when event_type = 'take_damage' then (record -> 'properties' ->> 'damage')::integer end as damage,
        case
            when event_type = 'transaction'
                then (record -> 'properties' ->> 'total_cost')::numeric(21, 6)
        end as total_cost,
        case
            when event_type = 'transaction'
                then (record -> 'properties' ->> 'on_hand_qty')::integer
        end as on_hand_quantity,

        ---------- load
        record,
        _loaded_at

    from source

)

select * from renamed
