{#- Incremental by player: an event that came late may begin, lengthen or join sessions of its player (decision 48). -#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['game', 'player_id'],
    on_schema_change='fail',
    indexes=[
        {'columns': ['game', 'player_id', 'started_at']},
        {'columns': ['started_date']},
        {'columns': ['taken_in_until']},
    ]
) }}

with

{{ events_of_touched_players() }},

-- a gap ends a stay; one that the game names goes on over it, but for a day at most: a name that is never changed is none
gaps as (

    select
        *,
        counted_at - lag(counted_at) over by_time
        > case when session_id is null then {{ game_session_gap() }} else interval '1 day' end as is_after_gap
    from events
    window by_time as (partition by game, player_id, session_id order by counted_at, event_id)

),

numbered as (

    select
        *,
        count(*) filter (where is_after_gap) over (
            partition by game, player_id, session_id order by counted_at, event_id
        ) as session_number
    from gaps

),

of_types as (

    select
        game,
        player_id,
        session_id,
        session_number,
        jsonb_object_agg(event_type, events) as events_by_type
    from (
        select
            game,
            player_id,
            session_id,
            session_number,
            event_type,
            count(*) as events
        from numbered
        group by game, player_id, session_id, session_number, event_type
    ) as counted_types
    group by game, player_id, session_id, session_number

),

counted as (

    select
        game,
        player_id,
        session_id,
        session_number,
        min(counted_at) as started_at,
        max(counted_at) as ended_at,
        count(*)::integer as events,
        {{ counted_deeds() }},
        max(taken_in_until) as taken_in_until
    from numbered
    group by game, player_id, session_id, session_number

)

select
    md5(jsonb_build_array(
        counted.game, counted.player_id, counted.session_id,
        case when counted.session_id is null or counted.session_number > 0 then counted.started_at end
    )::text)::uuid as session_key,
    counted.game,
    counted.player_id,
    counted.session_id,
    (counted.started_at at time zone 'UTC')::date as started_date,
    counted.started_at,
    counted.ended_at,
    {{ seconds_between('counted.started_at', 'counted.ended_at') }} / 60 as minutes,
    counted.events,
    counted.guild_joins,
    counted.kills,
    counted.hits_taken,
    counted.quests,
    counted.purchases,
    counted.spent,
    of_types.events_by_type,
    counted.taken_in_until
from counted
inner join of_types
    on
        counted.game = of_types.game
        and counted.player_id = of_types.player_id
        and counted.session_id is not distinct from of_types.session_id
        and counted.session_number = of_types.session_number
