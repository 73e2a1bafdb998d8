{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key='burst_id',
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__logins'],
        'scope': ['server_uuid', 'began_at'],
        'tested_from': 'local_date',
    },
    indexes=[
        {'columns': ['server_uuid', 'began_at']},
        {'columns': ['burst_kind', 'local_date']},
    ],
    pre_hook="{{ take_up(touched_ten_minutes()) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

logins as (

    {{ logins_of_touched_ten_minutes() }}

),

refused as (

    select
        server_uuid,
        {{ ten_minutes_of('logged_at') }} as began_at,
        min(local_date) as local_date,
        'refused_logins' as burst_kind,
        null::text as player_name,
        count(*)::integer as refused_logins,
        -- where no line shows a name, nobody knows how many there were
        nullif(count(distinct player_name), 0)::integer as names_refused,
        string_agg(distinct cause, ', ' order by cause) as causes,
        null::integer as logins
    from logins
    where login_kind = 'refused'
    group by 1, 2
    having count(*) >= {{ var('burst_of_refused_logins') }}

),

loops as (

    select
        server_uuid,
        {{ ten_minutes_of('logged_at') }} as began_at,
        min(local_date) as local_date,
        'reconnect_loop' as burst_kind,
        player_name,
        null::integer as refused_logins,
        null::integer as names_refused,
        null::text as causes,
        count(*)::integer as logins
    from logins
    where login_kind = 'login' and player_name is not null
    group by 1, 2, 5
    having count(*) >= {{ var('reconnect_loop_logins') }}

),

bursts as (

    select * from refused
    union all
    select * from loops

)

select
    md5(concat_ws('/', server_uuid, extract(epoch from began_at), burst_kind, player_name))::uuid as burst_id,
    server_uuid,
    began_at,
    local_date,
    burst_kind,
    player_name,
    refused_logins,
    names_refused,
    causes,
    logins
from bursts
