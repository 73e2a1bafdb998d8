{#- Without CTEs: of a view with them Postgres finds neither the first nor the last row by an index. -#}
select
    ---------- ids
    server_uuid,
    session_key,
    player_name,
    player_uuid,

    ---------- times
    joined_at,
    left_at,
    left_at_lower,
    left_at_upper,
    last_seen_at,
    run_started_at,

    ---------- proxies
    is_proxy,
    server_switches,

    ---------- how it closed
    close_reason,
    close_detail,
    is_join_observed,
    is_end_observed,

    ---------- lines
    join_file_key,
    join_line_number,
    leave_file_key,
    leave_line_number,

    ---------- counts
    chat_messages,
    commands,
    deaths,
    advancements,

    ---------- load
    _loaded_at

from {{ source('minecraft', 'player_sessions') }}
