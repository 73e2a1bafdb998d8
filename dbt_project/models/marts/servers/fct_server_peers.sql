{{ config(tags=['daily'], indexes=[{'columns': ['server_uuid']}]) }}

with

servers as (

    select
        server_uuid,
        egg_id,
        case
            when memory_limit_mebibytes > 0
                then power(2, ceil(log(2, memory_limit_mebibytes::numeric / 1024)))::double precision
        end as size_class_gibibytes
    from {{ ref('stg_pterodactyl__servers') }}
    where is_active

),

eggs as (

    {{ newest_by_id(ref('stg_pterodactyl__eggs'), 'egg_id') }}

),

newest as (

    select max(local_date) as last_date from {{ ref('fct_server_daily') }}

),

days as (

    select days.*
    from {{ ref('fct_server_daily') }} as days
    inner join newest on days.local_date > newest.last_date - {{ var('peers_window_days') }}

),

-- sums are taken in numeric, where their order does not matter
measured as (

    select
        server_uuid,
        'memory' as measure,
        avg(memory_p95_mebibytes::numeric)::double precision as measured,
        count(memory_p95_mebibytes)::integer as days_counted
    from days
    group by server_uuid

    union all

    select
        server_uuid,
        'core_hours' as measure,
        {{ ratio('sum(cpu_core_hours::numeric)', 'sum(minutes_sampled::numeric) / 1440') }} as measured,
        count(cpu_core_hours)::integer as days_counted
    from days
    group by server_uuid

    union all

    select
        server_uuid,
        'player_hours' as measure,
        avg(player_hours::numeric)::double precision as measured,
        count(player_hours)::integer as days_counted
    from days
    where not is_proxy
    group by server_uuid

),

joined as (

    select
        servers.server_uuid,
        measures.measure,
        servers.egg_id,
        eggs.egg_uuid,
        servers.size_class_gibibytes,
        measured.measured,
        coalesce(measured.days_counted, 0) as days_counted
    from servers
    cross join (values ('memory'), ('core_hours'), ('player_hours')) as measures (measure)
    left join eggs on servers.egg_id = eggs.egg_id
    left join measured on servers.server_uuid = measured.server_uuid and measures.measure = measured.measure

),

peers as (

    select
        egg_id,
        size_class_gibibytes,
        measure,
        count(measured)::integer as peers_counted,
        percentile_cont(0.5) within group (order by measured) as median
    from joined
    group by egg_id, size_class_gibibytes, measure

),

reasoned as (

    select
        joined.*,
        peers.peers_counted,
        peers.median,
        case
            when joined.measured is null then 'not_known'
            when peers.peers_counted < {{ var('least_peers') }} then 'too_few_peers'
            when peers.median = 0 then 'median_is_zero'
        end as reason
    from joined
    inner join peers
        on
            joined.egg_id = peers.egg_id
            and joined.size_class_gibibytes is not distinct from peers.size_class_gibibytes
            and joined.measure = peers.measure

)

select
    reasoned.server_uuid,
    reasoned.measure,
    newest.last_date,
    reasoned.egg_uuid,
    reasoned.size_class_gibibytes,
    reasoned.measured,
    reasoned.days_counted,
    reasoned.peers_counted,
    case when reasoned.peers_counted >= {{ var('least_peers') }} then reasoned.median end as median,
    case when reasoned.reason is null then reasoned.measured / reasoned.median end as median_ratio,
    reasoned.reason
from reasoned
cross join newest
