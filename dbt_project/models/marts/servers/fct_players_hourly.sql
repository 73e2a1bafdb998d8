{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key=['server_uuid', 'hour_at'],
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__session_days', 'ops.server_timezones'],
        'scope': ['server_uuid', 'local_date'],
        'tested_from': 'local_date',
    },
    indexes=[
        {'columns': ['server_uuid', 'local_date']},
        {'columns': ['hour_at']},
        {'columns': ['local_date']},
    ],
    pre_hook="{{ take_up(touched_player_hours()) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

pieces as (

    {{ rows_touched('int_minecraft__session_days', ['server_uuid', 'local_date']) }}

),

timezones as (

    select * from {{ ref('stg_ops__server_timezones') }}

),

known as (

    {{ known_log_days() }}

),

wanted as (

    {{ known_days_wanted() }}

    union

    select
        server_uuid,
        local_date
    from pieces

),

days as (

    select
        wanted.server_uuid,
        wanted.local_date,
        coalesce(timezones.timezone, 'UTC') as timezone,
        known.logs_known_from,
        known.logs_known_until
    from wanted
    left join timezones on wanted.server_uuid = timezones.server_uuid
    left join known on wanted.server_uuid = known.server_uuid

),

{{ hours_of_days() }},

{{ pieces_of_hours() }},

players as (

    select
        server_uuid,
        hour_at,
        count(distinct player_id)::integer as distinct_players,
        coalesce(sum(player_seconds::numeric), 0)::double precision as player_seconds
    from cut
    group by server_uuid, hour_at

),

{{ concurrency_of_hours() }},

joined as (

    select
        hours.server_uuid,
        hours.hour_at,
        hours.timezone,
        hours.local_date,
        extract(isodow from hours.local_date)::integer as local_weekday,
        extract(hour from hours.hour_at at time zone hours.timezone)::integer as local_hour,
        coalesce(
            greatest({{ seconds_between(
                'greatest(hours.hour_at, hours.logs_known_from)', 'least(hours.hour_ends_at, hours.logs_known_until)'
            ) }}, 0),
            0
        ) as seconds_known,
        coalesce(players.distinct_players, 0) as distinct_players,
        coalesce(players.player_seconds, 0) as player_seconds,
        coalesce(concurrency.occupied_seconds, 0) as occupied_seconds,
        coalesce(concurrency.joins, 0) as joins,
        coalesce(concurrency.joins_into_empty, 0) as joins_into_empty,
        coalesce(concurrency.peak_concurrent_players, 0) as peak_concurrent_players,
        concurrency.peak_at
    from hours
    left join players on hours.server_uuid = players.server_uuid and hours.hour_at = players.hour_at
    left join concurrency on hours.server_uuid = concurrency.server_uuid and hours.hour_at = concurrency.hour_at

)

-- of an hour of which no log is known, and in which nobody was seen, nothing is known: no row, and no zero
select * from joined
where seconds_known > 0 or distinct_players > 0
