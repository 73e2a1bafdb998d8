{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key=['server_uuid', 'player_id'],
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__sessions', 'fct_player_events'],
        'scope': ['player_id'],
        'tested_from': 'last_seen_at',
    },
    indexes=[{'columns': ['player_id']}, {'columns': ['last_seen_at']}],
    pre_hook="{{ take_up(touched_in(['int_minecraft__sessions', 'fct_player_events'], {'player_id': 'uuid'})) }}",
    post_hook=[
        "{{ note_taken_up() }}",
        "{{ keep_index('fct_player_servers_most', ['server_uuid', 'play_hours']) }}",
    ]
) }}

with

sessions as (

    {{ rows_touched('int_minecraft__sessions', ['player_id']) }}

),

events as (

    {{ rows_touched('fct_player_events', ['player_id']) }}

),

-- an open session has no length yet, and one whose join was not seen never will
ordered as (

    select
        *,
        case
            when not is_open then {{ seconds_between('counted_from', 'counted_until') }} / 60
        end as session_minutes,
        row_number() over by_time as session_number,
        case
            when joined_at >= lag(last_shown_at) over by_time
                then {{ seconds_between('lag(last_shown_at) over by_time', 'joined_at') }} / 3600
        end as gap_hours
    from sessions
    window by_time as (partition by server_uuid, player_id order by seen_at, session_id)

),

pairs as (

    select
        server_uuid,
        player_id,
        bool_or(is_proxy) as is_proxy,
        min(seen_at) as first_seen_at,
        max(last_shown_at) as last_seen_at,
        count(distinct player_name)::integer as names_total,
        count(*)::integer as sessions_total,
        count(session_minutes)::integer as sessions_measured,
        coalesce(
            sum({{ seconds_between('counted_from', 'counted_until') }}::numeric), 0
        )::double precision / 3600 as play_hours,
        avg(session_minutes::numeric)::double precision as session_minutes_mean,
        percentile_cont(0.5) within group (order by session_minutes) as session_minutes_median,
        percentile_cont(0.9) within group (order by session_minutes) as session_minutes_p90,
        max(session_minutes) filter (where session_number = 1) as first_session_minutes,
        max(joined_at) filter (where session_number = 2) as second_joined_at,
        max(gap_hours) filter (where session_number = 2) as hours_to_second_session,
        percentile_cont(0.5) within group (order by gap_hours) as gap_hours_median
    from ordered
    group by server_uuid, player_id

),

counts as (

    select
        server_uuid,
        player_id,
        count(*) filter (where event_kind = 'death')::integer as deaths,
        count(*) filter (where event_kind = 'advancement')::integer as advancements,
        count(*) filter (where event_kind = 'kick')::integer as kicks
    from events
    group by server_uuid, player_id

),

joined as (

    select
        pairs.*,
        coalesce(counts.deaths, 0) as deaths,
        coalesce(counts.advancements, 0) as advancements,
        coalesce(counts.kicks, 0) as kicks
    from pairs
    left join counts on pairs.server_uuid = counts.server_uuid and pairs.player_id = counts.player_id

)

select * from joined
