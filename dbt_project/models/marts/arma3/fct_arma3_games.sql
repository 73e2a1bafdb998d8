{#- A view: it has each replay as soon as that is read. Which are told twice is found once a day. -#}
{{ config(materialized='view') }}

with

replays as (

    select *
    from {{ ref('stg_arma3__replays') }}
    where landed_at is not null

),

games as (

    select * from {{ ref('int_arma3__games') }}

)

select
    replays.replay_key,
    coalesce(games.game_key, replays.replay_key) as game_key,
    coalesce(games.is_counted, true) as is_counted,
    replays.site_kind,
    replays.played_date
from replays
left join games on replays.replay_key = games.replay_key
