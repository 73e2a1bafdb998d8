{#-
    A table and not incremental: a better parser or a file that arrives late derives sessions anew, so old ones
    vanish, and a UUID that becomes known gives old sessions of a name another player_id. Both would be missed by a
    build that looks at new rows only.
-#}
{{ config(
    indexes=[
        {'columns': ['server_uuid', 'joined_at']},
        {'columns': ['player_id']},
        {'columns': ['joined_at']},
        {'columns': ['network_session_id']},
    ]
) }}

with

sessions as (

    select * from {{ ref('int_minecraft__sessions') }}

),

measured as (

    select
        session_id,
        server_uuid,
        session_key,
        network_session_id,
        player_id,
        player_uuid,
        player_name,
        is_proxy,
        server_switches,
        joined_at,
        left_at,
        left_at_lower,
        left_at_upper,
        close_reason,
        close_detail,
        is_open,
        is_join_observed,
        is_end_observed,
        counted_from,
        counted_until,
        {{ seconds_between('counted_from', 'counted_until') }} / 60 as counted_minutes,
        case
            when joined_at is not null
                then {{ seconds_between('joined_at', 'coalesce(left_at, left_at_upper)') }} / 60
        end as longest_minutes,
        timezone,
        {{ local_date('joined_at', 'timezone') }} as joined_date,
        run_started_at,
        last_seen_at,
        chat_messages,
        commands,
        deaths,
        advancements
    from sessions

)

select * from measured
