{{ config(tags=['daily'], indexes=[{'columns': ['players_shared']}]) }}

with

players as (

    select
        server_uuid,
        player_id,
        last_seen_at,
        max(last_seen_at) over () - interval '30 days' as recent_from
    from {{ ref('fct_player_servers') }}
    where not is_proxy

),

totals as (

    select
        server_uuid,
        count(*)::integer as players_total
    from players
    group by server_uuid

),

shared as (

    select
        players.server_uuid,
        others.server_uuid as other_server_uuid,
        count(*)::integer as players_shared,
        count(*) filter (
            where players.last_seen_at >= players.recent_from and others.last_seen_at >= others.recent_from
        )::integer as players_shared_30d
    from players
    inner join players as others
        on players.player_id = others.player_id and players.server_uuid <> others.server_uuid
    group by players.server_uuid, others.server_uuid

)

select
    shared.server_uuid,
    shared.other_server_uuid,
    shared.players_shared,
    shared.players_shared_30d,
    totals.players_total,
    {{ ratio('shared.players_shared', 'totals.players_total') }} as shared_ratio
from shared
inner join totals on shared.server_uuid = totals.server_uuid
