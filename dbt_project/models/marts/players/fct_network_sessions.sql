{#-
    A table and not incremental, as fct_player_sessions is: sessions are derived anew, and one of a back-end that
    arrives late changes what the proxy's contains.
-#}
{{ config(
    indexes=[
        {'columns': ['joined_at']},
        {'columns': ['player_id']},
        {'columns': ['entry_server_uuid', 'joined_at']},
    ]
) }}

with

sessions as (

    select * from {{ ref('int_minecraft__network_sessions') }}

),

measured as (

    select
        network_session_id,
        player_id,
        player_uuid,
        player_name,
        entry_server_uuid,
        proxy_server_uuid,
        joined_at,
        left_at,
        left_at_lower,
        left_at_upper,
        close_reason,
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
        servers_visited,
        server_switches,
        backend_sessions,
        timezone,
        {{ local_date('joined_at', 'timezone') }} as joined_date,
        last_seen_at
    from sessions

)

select * from measured
