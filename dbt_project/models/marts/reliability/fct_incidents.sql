{#- A view: it tells what is open now, and there are few of them. -#}
{{ config(materialized='view') }}

with

incidents as (

    select * from {{ ref('stg_ops__incidents') }}

),

host as (

    select * from {{ ref('int_host_timezone') }}

)

select
    incidents.incident_id,
    incidents.kind,
    incidents.subject_kind,
    incidents.subject_name,
    nullif(incidents.aspect, '') as aspect,
    incidents.server_uuid,
    incidents.node_name,
    incidents.egg_name,
    incidents.owner_name,
    incidents.severity,
    incidents.cause,
    (incidents.opened_at at time zone host.timezone)::date as local_date,
    incidents.opened_at,
    incidents.noticed_at,
    incidents.closed_at,
    incidents.closed_as,
    incidents.closed_at is null as is_open,
    {{ seconds_between('incidents.opened_at', 'incidents.noticed_at') }} / 60 as minutes_to_notice,
    {{ seconds_between('incidents.opened_at', 'incidents.closed_at') }} / 60 as minutes_to_close,
    incidents.acknowledged_at,
    {{ seconds_between('incidents.noticed_at', 'incidents.acknowledged_at') }} / 60 as minutes_to_acknowledge,
    case when incidents.kind in ('server_crashed', 'crash_loop') then incidents.times end as crashes,
    incidents.alarms_held_back
from incidents
cross join host
