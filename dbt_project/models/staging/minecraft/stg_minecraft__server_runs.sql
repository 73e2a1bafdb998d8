{#- Without CTEs: of a view with them Postgres finds neither the first nor the last row by an index. -#}
select
    ---------- ids
    server_uuid,
    run_key,

    ---------- times
    started_at,
    ready_at,
    startup_seconds,
    ended_at,
    ended_at_lower,
    ended_at_upper,

    ---------- properties
    end_reason,
    crash_cause,
    crash_report,
    software,
    is_proxy,
    game_version,
    overload_warnings,
    refused_entries,
    fake_players,

    ---------- load
    _loaded_at

from {{ source('minecraft', 'server_runs') }}
