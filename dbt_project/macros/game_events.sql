{#-
    Models of pushed events that go on from what they took in (decision 48). Each row says with which build it was made:
    taken_in_until is the time before which all events were in it. So the newest one of a model says how far the model is,
    and what is not in it yet is found by that, also where a build was killed or another name is given to the database.
-#}
{% macro taken_in_until(relation) -%}
    (select coalesce(max(newest.taken_in_until), '-infinity') from {{ relation }} as newest)
{%- endmacro %}


{#- Whether the day on which an event was received was dropped, so that its copies are not to be counted any more. -#}
{% macro event_day_was_dropped(received_at) -%}
    to_regclass('raw_events.events' || to_char({{ received_at }} at time zone 'UTC', '_YYYY_MM_DD')) is null
{%- endmacro %}


{#- What of an event a model keeps, in the order of its columns. -#}
{% macro kept_of_events() -%}
    {{ return([
        'game', 'event_id', 'event_type', 'version', 'player_id', 'player_name', 'minecraft_uuid', 'session_id',
        'occurred_at', 'received_at', 'stored_at', 'clock_skew_milliseconds', 'properties'
    ]) }}
{%- endmacro %}


{#- Rows of received events, those that *condition* is true for, as they came; a copy is a row of its own. -#}
{% macro received_events(condition) -%}
    select
        game,
        event_id,
        event_type,
        version,
        player_id,
        player_name,
        minecraft_uuid,
        session_id,
        occurred_at,
        received_at,
        _loaded_at as stored_at,
        clock_skew_milliseconds,
        properties,
        record,
        1 as copies
    from {{ ref('stg_events__events') }} as received
    where {{ condition }}
{%- endmacro %}


{#-
    From tallied to arrived, the rows that a build of int_game_events takes in. Where it is built anew although rows of it
    are there, those of days that were dropped are all that is left of their events: they stay, with what came since. So do
    those with copies, each of which may be of another day.
-#}
{% macro events_to_take_in() -%}
{%- set is_built_again = not is_incremental() and this is not none and load_relation(this) is not none -%}
{%- if is_built_again -%}
kept as materialized (

    select * from {{ this }}
    where {{ event_day_was_dropped('received_at') }} or copies > 1

),

{% endif -%}
arrived as (

    {{ received_events('_loaded_at < (select tallied.tallied_at from tallied)') }}
    {%- if is_incremental() %}
        and _loaded_at >= {{ taken_in_until(this) }}
    {%- elif is_built_again %}
        and not exists (
            select from kept
            where
                kept.game = received.game
                and kept.event_id = received.event_id
                and kept.taken_in_until > received._loaded_at
        )

    union all

    select
        {{ kept_of_events() | join(',\n        ') }},
        null as record,
        copies
    from kept
    {%- endif %}

)
{%- endmacro %}


{#-
    Of *rows* each event once, as it was stored first, and how often it came. What was stored later changes nothing but
    that number; of two that were stored at once, in one request, the earlier counts, and at last the record decides.
-#}
{% macro each_event_once(rows) -%}
    select
        {{ kept_of_events() | join(',\n        ') }},
        copies_total::integer as copies
    from (
        select
            *,
            row_number() over (
                partition by game, event_id order by stored_at, received_at, occurred_at, record
            ) as copy_number,
            sum(copies) over (partition by game, event_id) as copies_total
        from {{ rows }}
    ) as numbered
    where copy_number = 1
{%- endmacro %}


{#-
    The events that a model of players is made of, as the CTE events: all of each player of whom one came or changed since
    the model was built. A player's rows are replaced together, so that a late event finds those of its own time.
-#}
{% macro events_of_touched_players() -%}
{%- if is_incremental() -%}
touched as materialized (

    select distinct
        game,
        player_id
    from {{ ref('int_game_events') }}
    where taken_in_until > {{ taken_in_until(this) }}

),

found as (

    {{ of_touched_players('int_game_events') }}

),
{%- else -%}
found as (

    select * from {{ ref('int_game_events') }}

),
{%- endif %}

events as (

    select
        *,
        {{ event_time() }} as counted_at,
        {{ event_deed() }} as deed,
        {{ event_cost() }} as cost
    from found

)
{%- endmacro %}


{#- The rows of the model *name* of touched players; all of them where everything is built anew. -#}
{% macro of_touched_players(name) -%}
    {%- if is_incremental() -%}
    select found_rows.*
    from touched
    cross join lateral (
        select found.*
        from {{ ref(name) }} as found
        where found.game = touched.game and found.player_id = touched.player_id
        {{ by_index_for_each_row() }}
    ) as found_rows
    {%- else -%}
    select * from {{ ref(name) }}
    {%- endif -%}
{%- endmacro %}


{#- How often players did what, as columns of a group of events. -#}
{% macro counted_deeds() -%}
    {% for deed, column in [
        ('guild', 'guild_joins'), ('kill', 'kills'), ('damage', 'hits_taken'), ('quest', 'quests'), ('purchase', 'purchases')
    ] -%}
    count(*) filter (where deed = '{{ deed }}')::integer as {{ column }},
    {% endfor -%}
    coalesce(sum(cost), 0)::numeric(30, 6) as spent,
    count(*) filter (where deed = 'purchase' and cost is null)::integer as purchases_without_price
{%- endmacro %}


{#- The scopes of active players and retention, as known_scopes says of servers: each game, with days of UTC. -#}
{% macro game_scopes() -%}
    select
        'game' as scope,
        games.game as scope_key,
        'UTC' as timezone,
        games.first_date,
        greatest(games.last_date, read.last_date) as last_date,
        games.first_date as first_whole_date,
        greatest(games.last_date, read.last_date) - 1 as last_whole_date,
        false as is_history_whole
    from (
        select
            game,
            min(local_date) as first_date,
            max(local_date) as last_date
        from {{ ref('fct_game_player_days') }}
        group by game
    ) as games
    cross join (
        select (max(observed_at) at time zone 'UTC')::date as last_date
        from {{ ref('stg_ops__loads') }}
        where table_name = 'raw_events.events'
    ) as read
{%- endmacro %}


{% macro game_presence() -%}
    select
        game as scope_key,
        player_id,
        local_date,
        play_seconds
    from {{ ref('fct_game_player_days') }}
{%- endmacro %}


{% macro game_session_gap() -%}
    interval '{{ var("game_session_gap_minutes") }} minutes'
{%- endmacro %}


{#- How far a clock may be off: further is not the way of a message, but another time. -#}
{% macro game_clock_bound() -%}
    interval '{{ var("game_clock_minutes") }} minutes'
{%- endmacro %}


{#- Sessions as lengths_of reads them: one that the game does not name ends with its last event. -#}
{% macro game_stays() -%}
    select
        game as scope_key,
        started_date as joined_date,
        false as is_open,
        minutes as counted_minutes,
        {{ seconds_between(
            'lag(ended_at) over (partition by game, player_id order by started_at, session_key)', 'started_at'
        ) }} / 3600 as gap_hours
    from {{ ref('fct_game_sessions') }}
{%- endmacro %}
