{#- A view: an event is here once it is committed. -#}
{{ config(materialized='view') }}

with

{{ events_of(['transaction', 'purchase_sword', 'purchase_armor', 'purchase_a_sword', 'purchase_a_horse']) }}

select
    {{ columns_of_events() }},
    coalesce(
        case event_type
            when 'transaction' then {{ event_text('item_name') }}
            when 'purchase_sword' then {{ event_text('sword_type') }}
            when 'purchase_armor' then {{ event_text('armor_type') }}
            when 'purchase_a_sword' then {{ event_text('color') }} || ' sword'
            when 'purchase_a_horse' then {{ event_text('size') }} || ' horse'
        end,
        'unnamed'
    ) as item,
    case
        when event_type = 'transaction' then {{ event_text('category') }}
        when event_type = 'purchase_armor' then 'Armor'
        when event_type = 'purchase_a_horse' then 'Horse'
        else 'Sword'
    end as category,
    {{ event_cost() }} as cost,
    case
        when event_type in ('purchase_a_sword', 'purchase_a_horse') then {{ event_integer('quantity') }}
    end as quantity,
    case event_type when 'transaction' then {{ event_text('inventory_id') }} end as inventory_id,
    case event_type when 'transaction' then {{ event_text('store_id') }} end as store_id,
    case event_type when 'transaction' then {{ event_integer('on_hand_qty') }} end as on_hand_quantity,
    case when event_type in ('purchase_sword', 'purchase_armor') then {{ event_text('location') }} end as location,
    case event_type when 'purchase_a_sword' then {{ event_text('color') }} end as color,
    case event_type when 'purchase_a_horse' then {{ event_text('size') }} end as size,
    case event_type when 'purchase_a_horse' then {{ event_integer('speed') }} end as speed
from events
