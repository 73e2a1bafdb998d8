with

hours as (

    select * from {{ ref('fct_utilization_hourly') }}

),

-- a version counts for the hours that begin before the next one was read; of an hour with two, the later
versions as (

    select
        server_uuid,
        node_id,
        counted_from,
        valid_to,
        lead(counted_from) over (partition by server_uuid order by counted_from) as next_from
    from {{ ref('int_pterodactyl__server_validity') }}

),

-- who was not running used nothing, which is known; what a server used that was not asked, nobody knows
measured as (

    select
        versions.node_id,
        hours.hour_at,
        {% for name, column in [
            ('memory', 'memory_mebibytes_mean'), ('memory_high', 'memory_mebibytes_max'),
            ('cpu', 'cpu_percent_mean'), ('cpu_high', 'cpu_percent_max'),
        ] -%}
        case
            when hours.samples_measured > 0 then hours.{{ column }}
            when hours.minutes_sampled > 0 and hours.minutes_running = 0 then 0
        end as {{ name }},
        {% endfor -%}
        hours.disk_mebibytes_mean as disk,
        hours.minutes_sampled
    from hours
    inner join versions
        on
            hours.server_uuid = versions.server_uuid
            and versions.counted_from < hours.hour_at + interval '1 hour'
            and coalesce(versions.next_from, 'infinity') >= hours.hour_at + interval '1 hour'
            and coalesce(versions.valid_to, 'infinity') > hours.hour_at

)

-- sums are taken in numeric, where their order does not matter
select
    node_id,
    hour_at,
    count(*)::integer as servers_asked,
    count(memory)::integer as servers_sampled,
    sum(minutes_sampled::numeric)::double precision as minutes_sampled,
    sum(memory::numeric)::double precision as memory_used_mebibytes,
    sum(memory_high::numeric)::double precision as memory_used_high_mebibytes,
    sum(disk::numeric)::double precision as disk_used_mebibytes,
    (sum(cpu::numeric) / 100)::double precision as cpu_used_cores,
    (sum(cpu_high::numeric) / 100)::double precision as cpu_used_high_cores
from measured
group by node_id, hour_at
