with

hours as (

    select * from {{ ref('fct_utilization_hourly') }}

),

versions as (

    select
        *,
        lead(counted_from) over (partition by server_uuid order by counted_from) as next_from
    from {{ ref('int_pterodactyl__server_validity') }}

)

-- of an hour with two versions the later counts
select
    hours.server_uuid,
    hours.hour_at,
    versions.node_id,
    versions.egg_id,
    versions.owner_user_id,
    versions.memory_limit_mebibytes,
    hours.samples_measured,
    hours.minutes_sampled,
    hours.minutes_running,
    hours.memory_mebibytes_mean,
    hours.memory_mebibytes_max,
    hours.cpu_percent_mean,
    hours.cpu_percent_max,
    hours.disk_mebibytes_mean
from hours
inner join versions
    on
        hours.server_uuid = versions.server_uuid
        and versions.counted_from < hours.hour_at + interval '1 hour'
        and coalesce(versions.next_from, 'infinity') >= hours.hour_at + interval '1 hour'
        and coalesce(versions.valid_to, 'infinity') > hours.hour_at
