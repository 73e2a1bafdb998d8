-- a stay is made of one session on a proxy and those on servers that lie in it, or of one session on a server
with

sessions as (

    select
        network_session_id,
        count(*) filter (where is_proxy) as proxy_sessions,
        count(*) filter (where not is_proxy) as backend_sessions
    from {{ ref('fct_player_sessions') }}
    group by network_session_id

),

stays as (

    select * from {{ ref('fct_network_sessions') }}

)

select
    coalesce(sessions.network_session_id, stays.network_session_id) as network_session_id,
    sessions.proxy_sessions,
    sessions.backend_sessions as backend_sessions_found,
    stays.backend_sessions
from sessions
full outer join stays on sessions.network_session_id = stays.network_session_id
where
    sessions.network_session_id is null
    or stays.network_session_id is null
    or sessions.backend_sessions <> stays.backend_sessions
    or sessions.proxy_sessions <> (stays.proxy_server_uuid is not null)::integer
