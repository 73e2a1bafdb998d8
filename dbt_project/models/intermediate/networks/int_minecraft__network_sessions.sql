{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key='network_session_id',
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__sessions'],
        'scope': ['network_session_id'],
        'tested_from': 'seen_at',
        'tells': ['network_session_id'],
    },
    indexes=[
        {'columns': ['seen_at']},
        {'columns': ['network_session_id'], 'unique': true},
    ],
    pre_hook="{{ take_up(touched_stays()) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

sessions as (

    {{ rows_touched('int_minecraft__sessions', ['network_session_id']) }}

),

host as (

    select * from {{ ref('int_host_timezone') }}

),

-- a proxy writes a line when somebody comes, goes or switches and may be silent for hours; its back-ends are not
backends as (

    select
        network_session_id,
        count(*)::integer as backend_sessions,
        count(distinct server_uuid)::integer as servers_visited,
        min(counted_from) as counted_from,
        max(last_shown_at) as last_shown_at
    from sessions
    where session_id <> network_session_id
    group by network_session_id

),

-- every session but those that lie in a proxy's; by its key and not by having no proxy, of which Postgres expects one row
stays as (

    select
        sessions.*,
        backends.backend_sessions,
        backends.servers_visited,
        host.timezone as host_timezone,
        backends.counted_from as backends_counted_from,
        case
            when backends.last_shown_at is not null and not sessions.is_end_observed
                then least(backends.last_shown_at, sessions.left_at_upper)
        end as backends_shown_until
    from sessions
    cross join host
    left join backends on sessions.session_id = backends.network_session_id
    where sessions.session_id = sessions.network_session_id

),

bounded as (

    select
        network_session_id,
        player_id,
        player_uuid,
        player_name,
        server_uuid as entry_server_uuid,
        case when is_proxy then server_uuid end as proxy_server_uuid,
        joined_at,
        left_at,
        case when left_at_lower is not null then greatest(left_at_lower, backends_shown_until) end as left_at_lower,
        left_at_upper,
        greatest(last_seen_at, backends_shown_until) as last_seen_at,
        close_reason,
        is_join_observed,
        is_end_observed,
        is_open,
        coalesce(counted_from, backends_counted_from) as counted_from,
        case
            when counted_from is not null then greatest(counted_until, backends_shown_until)
            when backends_counted_from is not null
                then greatest(last_shown_at, backends_shown_until, backends_counted_from)
        end as counted_until,
        seen_at,
        greatest(last_shown_at, backends_shown_until) as last_shown_at,
        case when is_proxy then servers_visited else 1 end as servers_visited,
        server_switches,
        case when is_proxy then coalesce(backend_sessions, 0) else 1 end as backend_sessions,
        host_timezone as timezone
    from stays

)

select * from bounded
