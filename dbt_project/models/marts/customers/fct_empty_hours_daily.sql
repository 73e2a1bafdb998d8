{{ config(
    tags=['daily'],
    indexes=[{'columns': ['server_uuid', 'local_date']}, {'columns': ['owner_user_uuid']}, {'columns': ['local_date']}]
) }}

with

host as (

    select * from {{ ref('int_host_timezone') }}

),

-- hours of a clock that is off by half an hour lie in two of UTC, in which samples stand
hours_of_utc as (

    select
        hours.*,
        generated.hour_at as utc_hour_at
    from {{ ref('fct_players_hourly') }} as hours
    cross join lateral generate_series(
        date_trunc('hour', hours.hour_at, 'UTC'),
        hours.hour_at + interval '1 hour' - interval '1 microsecond',
        interval '1 hour'
    ) as generated (hour_at)

),

players as (

    select
        server_uuid,
        utc_hour_at as hour_at,
        max(distinct_players) as distinct_players,
        bool_and(seconds_known >= 3600) as is_known,
        sum(
            {{ seconds_between('greatest(hour_at, utc_hour_at)', "least(hour_at, utc_hour_at) + interval '1 hour'") }}
        ) as seconds_there
    from hours_of_utc
    group by server_uuid, utc_hour_at

),

-- an hour is empty if all of it is known and nobody was there; with anybody in it, it is none
judged as (

    select
        hours.*,
        {{ local_date('hours.hour_at', 'host.timezone') }} as local_date,
        case
            when players.distinct_players > 0 then 'occupied'
            when players.is_known and players.seconds_there >= 3600 then 'empty'
            else 'unknown'
        end as occupancy,
        case when hours.samples_measured > 0 then hours.minutes_running::numeric / 60 else 0 end as running
    from {{ ref('int_server_hours') }} as hours
    cross join host
    left join players on hours.server_uuid = players.server_uuid and hours.hour_at = players.hour_at

),

-- sums are taken in numeric, where their order does not matter
days as (

    select
        server_uuid,
        local_date,
        (array_agg(node_id order by hour_at desc))[1] as node_id,
        (array_agg(egg_id order by hour_at desc))[1] as egg_id,
        (array_agg(owner_user_id order by hour_at desc))[1] as owner_user_id,
        sum(minutes_sampled::numeric) / 60 as hours_sampled,
        sum(running) as hours_running,
        {% for occupancy in ['empty', 'occupied', 'unknown'] -%}
        coalesce(sum(running) filter (where occupancy = '{{ occupancy }}'), 0) as hours_running_{{ occupancy }},
        coalesce(
            sum(running * memory_mebibytes_mean::numeric / 1024) filter (where occupancy = '{{ occupancy }}'), 0
        ) as memory_gib_hours_{{ occupancy }},
        coalesce(
            sum(running * cpu_percent_mean::numeric / 100) filter (where occupancy = '{{ occupancy }}'), 0
        ) as core_hours_{{ occupancy }},
        {% endfor -%}
        sum(running * memory_limit_mebibytes::numeric / 1024) filter (
            where occupancy = 'empty'
        ) as memory_limit_gib_hours_empty
    from judged
    group by server_uuid, local_date

),

users as (

    {{ newest_by_id(ref('stg_pterodactyl__users'), 'user_id') }}

),

nodes as (

    {{ newest_by_id(ref('stg_pterodactyl__nodes'), 'node_id') }}

),

eggs as (

    {{ newest_by_id(ref('stg_pterodactyl__eggs'), 'egg_id') }}

)

select
    days.server_uuid,
    days.local_date,
    nodes.node_uuid,
    eggs.egg_uuid,
    users.user_uuid as owner_user_uuid,
    {% for measure in [
        'hours_sampled', 'hours_running', 'hours_running_empty', 'hours_running_occupied', 'hours_running_unknown',
        'memory_gib_hours_empty', 'memory_gib_hours_occupied', 'memory_gib_hours_unknown', 'core_hours_empty',
        'core_hours_occupied', 'core_hours_unknown', 'memory_limit_gib_hours_empty',
    ] -%}
    days.{{ measure }}::double precision as {{ measure }},
    {% endfor -%}
    {{ ratio('days.hours_running_empty', 'days.hours_running_empty + days.hours_running_occupied') }} as empty_ratio,
    case
        when days.hours_sampled = 0 then 'not_sampled'
        when days.hours_running = 0 then 'never_running'
        when days.hours_running_empty + days.hours_running_occupied = 0 then 'no_log'
    end as unknown_reason
from days
left join nodes on days.node_id = nodes.node_id
left join eggs on days.egg_id = eggs.egg_id
left join users on days.owner_user_id = users.user_id
