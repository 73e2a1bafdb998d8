{#- A view: which player of Minecraft one is, hangs on the logs too. -#}
{{ config(materialized='view') }}

with

players as (

    select * from {{ ref('int_game_players') }}

),

-- an offline UUID is of one server alone, so that no other game can mean it
accounts as (

    select
        player_id,
        player_uuid
    from {{ ref('dim_players') }}
    where server_uuid is null and player_uuid is not null

)

select
    players.game,
    players.player_id,
    players.player_name,
    players.minecraft_uuid,
    accounts.player_id as minecraft_player_id,
    players.cohort_date,
    players.first_event_at,
    players.last_event_at,
    case
        when players.funnel_purchase_at is not null then 4
        when players.quest_at is not null then 3
        when players.guild_at is not null then 2
        else 1
    end as step_number,
    players.guild_at,
    players.quest_at,
    players.funnel_purchase_at,
    players.events,
    players.guild_joins,
    players.kills,
    players.hits_taken,
    players.quests,
    players.purchases,
    players.spent,
    players.purchases > 0 as is_paying,
    players.first_purchase_at,
    players.last_purchase_at,
    {{ seconds_between('players.first_event_at', 'players.first_purchase_at') }} / 86400 as days_to_first_purchase
from players
left join accounts on players.minecraft_uuid = accounts.player_uuid
