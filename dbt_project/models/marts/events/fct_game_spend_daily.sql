with

days as (

    select * from {{ ref('fct_game_player_days') }}

),

firsts as (

    select
        game,
        player_id,
        (first_purchase_at at time zone 'UTC')::date as first_purchase_date
    from {{ ref('fct_game_players') }}

)

select
    days.game,
    days.local_date,
    count(*)::integer as active_players,
    count(*) filter (where days.purchases > 0)::integer as paying_players,
    count(*) filter (where firsts.first_purchase_date = days.local_date)::integer as new_paying_players,
    sum(days.purchases)::integer as purchases,
    sum(days.purchases_without_price)::integer as purchases_without_price,
    sum(days.spent)::numeric(30, 6) as revenue,
    (
        sum(days.spent) / nullif(count(*) filter (where days.purchases > 0), 0)
    )::numeric(30, 6) as revenue_per_paying_player,
    {{ ratio('count(*) filter (where days.purchases > 0)', 'count(*)') }} as conversion_ratio
from days
inner join firsts on days.game = firsts.game and days.player_id = firsts.player_id
group by days.game, days.local_date
