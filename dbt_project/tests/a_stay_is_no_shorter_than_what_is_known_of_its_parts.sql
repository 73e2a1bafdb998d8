-- what a server behind a proxy shows of a player lies within the stay, but for the tolerance of two machines' clocks
with

sessions as (

    select * from {{ ref('fct_player_sessions') }}

),

stays as (

    select * from {{ ref('fct_network_sessions') }}

)

select
    sessions.session_id,
    sessions.counted_from,
    sessions.counted_until,
    stays.counted_from as stay_counted_from,
    stays.counted_until as stay_counted_until
from sessions
inner join stays on sessions.network_session_id = stays.network_session_id
where
    sessions.counted_from < stays.counted_from - {{ clock_tolerance() }}
    or (sessions.is_end_observed and sessions.counted_until > stays.counted_until + {{ clock_tolerance() }})
