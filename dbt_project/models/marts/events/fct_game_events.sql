with

received as (

    select * from {{ ref('stg_events__events') }}

),

-- an event that was sent again counts as it came first; the record decides between two of one request
ordered as (

    select
        *,
        row_number() over (
            partition by game, event_id
            order by received_at, occurred_at, record
        ) as copy_number,
        count(*) over (partition by game, event_id) as copies
    from received

)

select
    game || '/' || event_id as event_key,
    game,
    event_id,
    event_type,
    version,
    player_id,
    session_id,
    (occurred_at at time zone 'UTC')::date as occurred_date,
    occurred_at,
    received_at,
    {{ seconds_between('occurred_at', 'received_at') }} as seconds_until_received,
    clock_skew_milliseconds,
    copies::integer as copies,
    guild_id,
    enemy_id,
    quest_id,
    inventory_id,
    store_id,
    name,
    contact,
    category,
    item_name,
    level,
    damage,
    total_cost,
    on_hand_quantity
from ordered
where copy_number = 1
