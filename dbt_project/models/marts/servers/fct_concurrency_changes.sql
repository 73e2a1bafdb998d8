{#-
    A view: a server's day is found by index in the pieces of sessions, and all of history is asked for by nobody. A table
    would hold two rows more for each session.
-#}
{{ config(materialized='view') }}

with

pieces as not materialized (

    select * from {{ ref('int_minecraft__session_days') }}

),

steps as (

    select
        server_uuid,
        local_date,
        piece_from as changed_at,
        1 as change
    from pieces

    union all

    select
        server_uuid,
        local_date,
        piece_until as changed_at,
        -1 as change
    from pieces

),

changes as (

    select
        server_uuid,
        local_date,
        changed_at,
        sum(change) as change
    from steps
    group by server_uuid, local_date, changed_at

)

select
    server_uuid,
    local_date,
    changed_at,
    lead(changed_at) over by_time as changed_until,
    (sum(change) over by_time)::integer as players_online
from changes
window by_time as (partition by server_uuid, local_date order by changed_at)
