with

sessions as not materialized (

    select * from {{ ref('int_minecraft__sessions_on_servers') }}

),

matches as (

    select * from {{ ref('int_minecraft__proxy_matches') }}

),

-- an offline UUID is the server's own and comes before a name; a proxy's own says no more than the name does
first_on_backends as (

    select distinct on (proxied.server_uuid, proxied.player_name)
        proxied.server_uuid,
        proxied.player_name,
        backends.player_id,
        backends.identity_kind,
        backends.identity_server_uuid,
        backends.player_uuid
    from matches
    inner join sessions as proxied on matches.proxy_session_id = proxied.session_id
    inner join sessions as backends on matches.session_id = backends.session_id
    where
        proxied.identity_kind in ('offline_uuid', 'name')
        and backends.identity_kind in ('offline_uuid', 'name')
    order by
        proxied.server_uuid asc,
        proxied.player_name asc,
        (backends.identity_kind = 'offline_uuid') desc,
        backends.seen_at asc,
        backends.session_id asc

)

select * from first_on_backends
