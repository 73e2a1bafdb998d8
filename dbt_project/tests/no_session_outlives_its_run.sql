-- a session that was counted past the next start of its server, unless lines of its own run show a time after that
-- start: then the clock was set back at the restart
with

sessions as (

    select * from {{ ref('fct_player_sessions') }}

),

runs as (

    select * from {{ ref('stg_minecraft__server_runs') }}

)

select
    sessions.session_id,
    sessions.counted_from,
    sessions.counted_until,
    runs.started_at
from sessions
inner join runs
    on
        sessions.server_uuid = runs.server_uuid
        and sessions.counted_from < runs.started_at
        and sessions.counted_until > runs.started_at
where
    not exists (
        select 1
        from runs as own
        where
            own.server_uuid = sessions.server_uuid
            and own.started_at is not distinct from sessions.run_started_at
            and own.ended_at_lower > runs.started_at
    )
