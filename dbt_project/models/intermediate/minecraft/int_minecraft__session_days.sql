with

sessions as (

    select * from {{ ref('int_minecraft__sessions') }}

),

-- a session whose join was not seen has no length, but its player was there on the day it was last shown
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
        dated.session_id,
        dated.server_uuid,
        dated.player_id,
        generated.day::date as local_date,
        {{ piece_from(
            'generated.day::date', 'dated.first_date', 'dated.placed_from', 'dated.timezone'
        ) }} as piece_from,
        {{ piece_until(
            'generated.day::date', 'dated.last_date', 'dated.placed_until', 'dated.timezone'
        ) }} as piece_until,
        dated.has_length,
        dated.has_length and generated.day::date = dated.first_date as is_first_day,
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
