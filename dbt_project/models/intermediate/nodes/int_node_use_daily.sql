with

host as (

    select * from {{ ref('int_host_timezone') }}

),

nodes as (

    {{ newest_by_id(ref('stg_pterodactyl__nodes'), 'node_id') }}

),

on_nodes as materialized (

    select
        nodes.node_uuid,
        {{ local_date('hours.hour_at', 'host.timezone') }} as local_date,
        hours.*
    from {{ ref('int_node_hours') }} as hours
    inner join nodes on hours.node_id = nodes.node_id
    cross join host

),

-- the host's hours add up the nodes': the fullest one of all is not the sum of the fullest of each
scoped as (

    select
        case when grouping(node_uuid) = 1 then 'host' else 'node' end as scope,
        case when grouping(node_uuid) = 1 then 'host' else node_uuid::text end as scope_key,
        local_date,
        hour_at,
        {% for measure in node_use_measures() -%}
        sum({{ measure }}::numeric)::double precision as {{ measure }},
        {% endfor -%}
        sum(servers_sampled) as servers_sampled,
        sum(minutes_sampled::numeric) as minutes_sampled
    from on_nodes
    group by grouping sets ((node_uuid, local_date, hour_at), (local_date, hour_at))

)

select
    scope,
    scope_key,
    local_date,
    count(*) filter (where servers_sampled > 0)::integer as hours_sampled,
    max(servers_sampled)::integer as servers_sampled,
    (sum(minutes_sampled) / 60)::double precision as server_hours_sampled,
    avg(memory_used_mebibytes::numeric)::double precision as memory_used_mean_mebibytes,
    max(memory_used_mebibytes) as memory_used_peak_mebibytes,
    max(memory_used_high_mebibytes) as memory_used_high_mebibytes,
    (
        array_agg(hour_at order by memory_used_mebibytes desc, hour_at asc)
        filter (where memory_used_mebibytes is not null)
    )[1] as memory_peak_hour_at,
    avg(disk_used_mebibytes::numeric)::double precision as disk_used_mean_mebibytes,
    max(disk_used_mebibytes) as disk_used_peak_mebibytes,
    avg(cpu_used_cores::numeric)::double precision as cpu_used_mean_cores,
    max(cpu_used_cores) as cpu_used_peak_cores,
    max(cpu_used_high_cores) as cpu_used_high_cores
from scoped
group by scope, scope_key, local_date
