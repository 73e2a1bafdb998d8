with

hours as (

    select * from {{ ref('int_server_hours') }}

),

-- who was not running used nothing, which is known; what a server used that was not asked, nobody knows
measured as (

    select
        node_id,
        hour_at,
        {% for name, column in [
            ('memory', 'memory_mebibytes_mean'), ('memory_high', 'memory_mebibytes_max'),
            ('cpu', 'cpu_percent_mean'), ('cpu_high', 'cpu_percent_max'),
        ] -%}
        case
            when samples_measured > 0 then {{ column }}
            when minutes_sampled > 0 and minutes_running = 0 then 0
        end as {{ name }},
        {% endfor -%}
        disk_mebibytes_mean as disk,
        minutes_sampled
    from hours

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
