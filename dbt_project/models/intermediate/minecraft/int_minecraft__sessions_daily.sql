{{ config(materialized='table') }}

with

pieces as (

    select * from {{ ref('int_minecraft__session_days') }}

),

peaks as (

    select * from {{ ref('int_minecraft__peak_concurrency') }}

),

days as (

    select
        server_uuid,
        local_date,
        count(*) filter (where is_first_day)::integer as sessions_started,
        count(*)::integer as sessions_present,
        count(*) filter (where not has_length)::integer as sessions_without_join,
        count(distinct player_id)::integer as distinct_players,
        coalesce(sum(piece_seconds::numeric), 0)::double precision / 3600 as player_hours,
        coalesce(
            sum(piece_seconds::numeric) filter (where not is_end_observed), 0
        )::double precision / 3600 as player_hours_end_inferred
    from pieces
    group by server_uuid, local_date

),

joined as (

    select
        days.*,
        peaks.peak_concurrent_players
    from days
    inner join peaks
        on
            days.server_uuid = peaks.server_uuid
            and days.local_date = peaks.local_date

)

select * from joined
