{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key=['server_uuid', 'player_id', 'local_date'],
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__session_days', 'fct_player_events'],
        'scope': ['server_uuid', 'player_id', 'local_date'],
        'tested_from': 'local_date',
        'tells': ['server_uuid', 'player_id', 'local_date'],
    },
    indexes=[
        {'columns': ['server_uuid', 'local_date']},
        {'columns': ['player_id', 'local_date']},
        {'columns': ['local_date']},
    ],
    pre_hook="{{ take_up(touched_player_days()) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

pieces as (

    {{ rows_touched('int_minecraft__session_days', ['server_uuid', 'player_id', 'local_date']) }}

),

events as (

    {{ rows_touched('fct_player_events', ['server_uuid', 'player_id', 'local_date']) }}

),

-- sums are taken in numeric, where their order does not matter
days as (

    select
        server_uuid,
        player_id,
        local_date,
        bool_or(is_proxy) as is_proxy,
        count(*)::integer as sessions_present,
        count(*) filter (where is_first_day)::integer as sessions_started,
        count(*) filter (where not is_join_observed)::integer as sessions_without_join,
        sum(piece_seconds::numeric)::double precision as play_seconds,
        coalesce(
            sum(piece_seconds::numeric) filter (where not is_end_observed), 0
        )::double precision as play_seconds_end_inferred,
        min(piece_from) as first_seen_at,
        max(piece_until) as last_seen_at
    from pieces
    group by server_uuid, player_id, local_date

),

counts as (

    select
        server_uuid,
        player_id,
        local_date,
        count(*) filter (where event_kind = 'death')::integer as deaths,
        count(*) filter (where event_kind = 'advancement')::integer as advancements,
        count(*) filter (where event_kind = 'kick')::integer as kicks
    from events
    group by server_uuid, player_id, local_date

),

joined as (

    select
        days.server_uuid,
        days.player_id,
        days.local_date,
        days.is_proxy,
        not exists (
            select 1
            from {{ ref('int_minecraft__session_days') }} as earlier
            where
                earlier.server_uuid = days.server_uuid
                and earlier.player_id = days.player_id
                and earlier.local_date < days.local_date
        ) as is_first_day,
        days.sessions_present,
        days.sessions_started,
        days.sessions_without_join,
        days.play_seconds,
        days.play_seconds_end_inferred,
        days.first_seen_at,
        days.last_seen_at,
        coalesce(counts.deaths, 0) as deaths,
        coalesce(counts.advancements, 0) as advancements,
        coalesce(counts.kicks, 0) as kicks
    from days
    left join counts
        on
            days.server_uuid = counts.server_uuid
            and days.player_id = counts.player_id
            and days.local_date = counts.local_date

)

select * from joined
