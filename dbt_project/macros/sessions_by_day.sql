{#-
    The part of each session on each local day that it touches. One text for sessions on servers and for stays on the
    network, so that a metric of theirs is counted in one way. Reads session_id, timezone, is_join_observed,
    is_end_observed, counted_from, counted_until, seen_at and last_shown_at; hands on what *carried* names. *scope* is
    the column by which it is built again.
-#}
{% macro session_pieces(sessions, carried, scope) %}
with

sessions as (

    {{ rows_touched(sessions, [scope]) }}

),

-- a session whose begin is not known has no length, but its player was there on the day it was last shown
placed as (

    select
        *,
        counted_from is not null as has_length,
        coalesce(counted_from, last_shown_at, seen_at) as placed_from,
        coalesce(counted_until, last_shown_at, seen_at) as placed_until
    from sessions

),

-- half-open: a session that ends at midnight does not touch the day that begins then
dated as (

    select
        *,
        {{ local_date('placed_from', 'timezone') }} as first_date,
        {{ local_date("greatest(placed_from, placed_until - interval '1 microsecond')", 'timezone') }} as last_date
    from placed

),

pieces as (

    select
        {%- for column in carried %}
        dated.{{ column }},
        {%- endfor %}
        generated.day::date as local_date,
        {{ piece_from(
            'generated.day::date', 'dated.first_date', 'dated.placed_from', 'dated.timezone'
        ) }} as piece_from,
        {{ piece_until(
            'generated.day::date', 'dated.last_date', 'dated.placed_until', 'dated.timezone'
        ) }} as piece_until,
        dated.has_length,
        dated.is_join_observed and generated.day::date = dated.first_date as is_first_day,
        dated.is_join_observed,
        dated.is_end_observed
    from dated
    cross join lateral generate_series(
        dated.first_date::timestamp, dated.last_date::timestamp, interval '1 day'
    ) as generated (day)

)

select
    *,
    case
        when has_length then {{ seconds_between('piece_from', 'piece_until') }}
    end as piece_seconds
from pieces
{%- endmacro %}


{#- The most sessions at once among the pieces of each group, and when that was first so; *keys* are its columns. -#}
{% macro peak_concurrency(pieces, keys) %}
with

pieces as not materialized (

    select * from {{ pieces }}

),

-- at one instant ends come before starts, so a session that begins when another ends does not overlap it; one that
-- begins and ends within a second of the log was there all the same, so its end comes last
steps as (

    select
        {{ keys | join(', ') }},
        piece_from as at,
        1 as phase,
        1 as change
    from pieces

    union all

    select
        {{ keys | join(', ') }},
        piece_until as at,
        case when piece_until = piece_from then 2 else 0 end as phase,
        -1 as change
    from pieces

),

running as (

    select
        {{ keys | join(', ') }},
        at,
        sum(change) over (
            partition by {{ keys | join(', ') }}
            order by at, phase
            rows between unbounded preceding and current row
        ) as players_online
    from steps

),

peaks as (

    select distinct on ({{ keys | join(', ') }})
        {{ keys | join(', ') }},
        players_online::integer as peak_concurrent_players,
        at as peak_at
    from running
    order by {{ keys | join(', ') }}, players_online desc, at

)

select * from peaks
{%- endmacro %}


{#- Counts and sums over the pieces of a group, as columns. -#}
{% macro session_measures() -%}
    count(*) filter (where is_first_day)::integer as sessions_started,
        count(*)::integer as sessions_present,
        count(*) filter (where not is_join_observed)::integer as sessions_without_join,
        count(distinct player_id)::integer as distinct_players,
        coalesce(sum(piece_seconds::numeric), 0)::double precision / 3600 as player_hours,
        coalesce(
            sum(piece_seconds::numeric) filter (where not is_end_observed), 0
        )::double precision / 3600 as player_hours_end_inferred
{%- endmacro %}
