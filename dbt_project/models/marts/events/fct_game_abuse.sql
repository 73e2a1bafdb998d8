{#- Built once a day, of all events: a clock that was set back is told by what came before. -#}
{{ config(tags=['daily']) }}

with

{{ events_of_touched_players() }},

minutes as (

    select
        game,
        player_id,
        date_trunc('minute', counted_at) as found_at,
        count(*) as events
    from events
    group by game, player_id, date_trunc('minute', counted_at)

),

-- by the game's own clock, in the order in which its messages came
sendings as (

    select
        *,
        received_at - clock_skew_milliseconds * interval '1 millisecond' as sent_at,
        lag(received_at - clock_skew_milliseconds * interval '1 millisecond') over (
            partition by game, player_id, session_id order by received_at, stored_at, event_id
        ) as sent_before_at
    from events
    where clock_skew_milliseconds is not null

),

found_events as (

    select
        game,
        player_id,
        found_at,
        'too_many_events' as kind,
        events::double precision as measured
    from minutes
    where events > {{ var('game_events_per_minute') }}

    union all

    select
        game,
        player_id,
        received_at as found_at,
        'clock_ahead' as kind,
        {{ seconds_between('received_at', 'occurred_at') }} / 60 as measured
    from events
    where occurred_at > received_at + {{ game_clock_bound() }}

    union all

    select
        game,
        player_id,
        received_at as found_at,
        'clock_behind' as kind,
        clock_skew_milliseconds::double precision / 60000 as measured
    from events
    where clock_skew_milliseconds * interval '1 millisecond' > {{ game_clock_bound() }}

    union all

    select
        game,
        player_id,
        received_at as found_at,
        'clock_set_back' as kind,
        {{ seconds_between('sent_at', 'sent_before_at') }} / 60 as measured
    from sendings
    where sent_at < sent_before_at - {{ game_clock_bound() }}

)

select
    game,
    player_id,
    kind,
    (found_at at time zone 'UTC')::date as found_date,
    min(found_at) as first_found_at,
    count(*)::integer as times,
    max(measured) as worst,
    case kind
        when 'too_many_events' then {{ var('game_events_per_minute') }}
        else {{ var('game_clock_minutes') }}
    end::integer as bound
from found_events
group by game, player_id, kind, (found_at at time zone 'UTC')::date
