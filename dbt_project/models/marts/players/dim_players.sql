{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key='player_id',
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__sessions'],
        'scope': ['player_id'],
        'tested_from': 'last_seen_at',
    },
    indexes=[{'columns': ['last_seen_at']}],
    pre_hook="{{ take_up(touched_in(['int_minecraft__sessions'], {'player_id': 'uuid'})) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

sessions as (

    {{ rows_touched('int_minecraft__sessions', ['player_id']) }}

),

latest as (

    select distinct on (player_id)
        player_id,
        identity_kind,
        player_uuid,
        player_name,
        identity_server_uuid as server_uuid
    from sessions
    order by player_id asc, seen_at desc, session_id asc

),

summed as (

    select
        player_id,
        min(seen_at) as first_seen_at,
        max(last_shown_at) as last_seen_at,
        count(distinct player_name)::integer as names_total,
        (count(distinct server_uuid) filter (where not is_proxy))::integer as servers_total
    from sessions
    group by player_id

),

joined as (

    select
        latest.player_id,
        latest.identity_kind,
        latest.player_uuid,
        latest.server_uuid,
        latest.player_name,
        summed.names_total,
        summed.servers_total,
        summed.first_seen_at,
        summed.last_seen_at
    from latest
    inner join summed on latest.player_id = summed.player_id

)

select * from joined
