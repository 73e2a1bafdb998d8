-- a session that was counted past the next start of its server
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
