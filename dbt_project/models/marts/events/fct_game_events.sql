{#-
    A view of what was built and of what arrived since, so that an event is here once it is committed (decision 48). A row
    that arrived is either of an event that is not built yet, or a further copy of one that is.
-#}
{{ config(materialized='view') }}

with

-- by index, not as a copy of the whole: it is read twice
built as not materialized (

    select * from {{ ref('int_game_events') }}

),

arriving as (

    {{ received_events('_loaded_at >= ' ~ taken_in_until(ref('int_game_events'))) }}

),

arrived as materialized (

    {{ each_event_once('arriving') }}

),

told as (

    select
        {% for column in kept_of_events() -%}
        built.{{ column }},
        {% endfor -%}
        built.copies + coalesce(arrived.copies, 0) as copies
    from built
    left join arrived on built.game = arrived.game and built.event_id = arrived.event_id

    union all

    select
        {{ kept_of_events() | join(',\n        ') }},
        copies
    from arrived
    where
        not exists (
            select from built
            where built.game = arrived.game and built.event_id = arrived.event_id
            {{ by_index_for_each_row() }}
        )

)

select
    game || '/' || event_id as event_key,
    game,
    event_id,
    event_type,
    version,
    player_id,
    player_name,
    minecraft_uuid,
    session_id,
    (occurred_at at time zone 'UTC')::date as occurred_date,
    occurred_at,
    received_at,
    stored_at,
    {{ seconds_between('occurred_at', 'received_at') }} as seconds_until_received,
    {{ seconds_between('received_at', 'stored_at') }} as seconds_until_stored,
    clock_skew_milliseconds,
    copies,
    properties
from told
