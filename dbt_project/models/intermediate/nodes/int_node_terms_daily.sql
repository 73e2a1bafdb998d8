with

host as (

    select * from {{ ref('int_host_timezone') }}

),

changes as (

    select * from {{ ref('int_node_changes') }}

),

listed as (

    select {{ local_date('max(loads.observed_at)', 'max(host.timezone)') }} as last_date
    from {{ ref('stg_ops__loads') }} as loads
    cross join host
    where loads.table_name = 'raw_pterodactyl.servers' and loads.is_complete

),

versions as (

    select
        *,
        {{ held_until() }} as holds_until
    from {{ ref('stg_pterodactyl__node_versions') }}

),

nodes as (

    select
        versions.*,
        {{ days_held('versions.valid_from', 'versions.holds_until', 'host.timezone') }}
    from versions
    cross join host

),

node_days as (

    select
        nodes.*,
        generated.day::date as local_date
    from nodes
    cross join listed
    cross join lateral generate_series(
        nodes.first_date::timestamp, least(nodes.until_date - 1, listed.last_date)::timestamp, interval '1 day'
    ) as generated (day)

),

dates as (

    select
        node_id,
        local_date
    from node_days

    union

    select
        node_id,
        local_date
    from changes

),

-- no allocation ever listed is not none: their lists may not have been read
added as (

    select
        dates.node_id,
        dates.local_date,
        {% for name in measures_of_servers_held() -%}
        coalesce(sum(changes.{{ name }}) over by_day, 0)::bigint as {{ name }},
        {% endfor -%}
        (sum(changes.allocations_total) over by_day)::bigint as allocations_total,
        (sum(changes.allocations_assigned) over by_day)::bigint as allocations_assigned
    from dates
    left join changes on dates.node_id = changes.node_id and dates.local_date = changes.local_date
    window by_day as (partition by dates.node_id order by dates.local_date)

)

select
    node_days.node_uuid,
    node_days.node_id,
    node_days.local_date,
    node_days.memory_mebibytes,
    node_days.memory_overallocate_percent,
    node_days.disk_mebibytes,
    node_days.disk_overallocate_percent,
    {% for name in measures_of_servers_held() -%}
    added.{{ name }},
    {% endfor -%}
    added.allocations_total,
    added.allocations_assigned
from node_days
inner join added on node_days.node_id = added.node_id and node_days.local_date = added.local_date
