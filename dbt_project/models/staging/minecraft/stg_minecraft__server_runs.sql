with

source as (

    select * from {{ source('minecraft', 'server_runs') }}

),

renamed as (

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

    from source

)

select * from renamed
