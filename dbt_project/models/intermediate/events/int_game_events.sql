{#-
    Incremental by what arrived (decision 48): the events of which a row was received since the last build; one that is
    there already gets further copies and is else as it was. The ledger's newest entry says before which time all rows are
    committed (decision 47). Events of days that were dropped stay, also where everything else is built anew.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['game', 'event_id'],
    merge_update_columns=['copies', 'taken_in_until'],
    on_schema_change='fail',
    indexes=[
        {'columns': ['game', 'event_id'], 'unique': true},
        {'columns': ['game', 'player_id', 'occurred_at']},
        {'columns': ['taken_in_until']},
    ]
) }}

with

tallied as (

    select max(_loaded_at) as tallied_at
    from {{ ref('stg_ops__loads') }}
    where table_name = 'raw_events.events'

),

{{ events_to_take_in() }},

counted as (

    {{ each_event_once('arrived') }}

)

select
    {% for column in kept_of_events() -%}
    counted.{{ column }},
    {% endfor -%}
    {% if is_incremental() -%}
    counted.copies + coalesce(built.copies, 0) as copies,
    {%- else -%}
    counted.copies,
    {%- endif %}
    tallied.tallied_at as taken_in_until
from counted
cross join tallied
{% if is_incremental() -%}
left join lateral (
    select found.copies
    from {{ this }} as found
    where found.game = counted.game and found.event_id = counted.event_id
    {{ by_index_for_each_row() }}
) as built on true
{%- endif %}
