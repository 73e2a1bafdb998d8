{#- Incremental by player, as sessions are, of which it tells how long players were there. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['game', 'player_id'],
    on_schema_change='fail',
    indexes=[
        {'columns': ['game', 'player_id', 'local_date'], 'unique': true},
        {'columns': ['game', 'local_date']},
        {'columns': ['taken_in_until']},
    ]
) }}

with

{{ events_of_touched_players() }},

sessions as (

    {{ of_touched_players('fct_game_sessions') }}

),

pieces as (

    select
        sessions.game,
        sessions.player_id,
        generated.day::date as local_date,
        sessions.started_date = generated.day::date as is_first_day,
        {{ seconds_between(
            "greatest(sessions.started_at, generated.day at time zone 'UTC')",
            "least(sessions.ended_at, (generated.day + interval '1 day') at time zone 'UTC')"
        ) }} as piece_seconds
    from sessions
    cross join lateral generate_series(
        sessions.started_date::timestamp,
        date_trunc('day', sessions.ended_at at time zone 'UTC'),
        interval '1 day'
    ) as generated (day)

),

days as (

    select
        game,
        player_id,
        local_date,
        count(*) filter (where is_first_day)::integer as sessions_started,
        sum(piece_seconds::numeric)::double precision as play_seconds
    from pieces
    group by game, player_id, local_date

),

counted as (

    select
        game,
        player_id,
        (counted_at at time zone 'UTC')::date as local_date,
        count(*)::integer as events,
        {{ counted_deeds() }}
    from events
    group by game, player_id, (counted_at at time zone 'UTC')::date

),

taken as (

    select
        game,
        player_id,
        max(taken_in_until) as taken_in_until
    from events
    group by game, player_id

)

select
    days.game,
    days.player_id,
    days.local_date,
    days.sessions_started,
    days.play_seconds,
    coalesce(counted.events, 0) as events,
    coalesce(counted.guild_joins, 0) as guild_joins,
    coalesce(counted.kills, 0) as kills,
    coalesce(counted.hits_taken, 0) as hits_taken,
    coalesce(counted.quests, 0) as quests,
    coalesce(counted.purchases, 0) as purchases,
    coalesce(counted.spent, 0)::numeric(30, 6) as spent,
    coalesce(counted.purchases_without_price, 0) as purchases_without_price,
    taken.taken_in_until
from days
inner join taken on days.game = taken.game and days.player_id = taken.player_id
left join counted
    on
        days.game = counted.game
        and days.player_id = counted.player_id
        and days.local_date = counted.local_date
