select
    session_id,
    joined_at,
    run_started_at
from {{ ref('fct_player_sessions') }}
where joined_at < run_started_at
