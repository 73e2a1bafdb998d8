{#-
    Incremental by hour. A sample that arrives, however late, cuts the span of the one before it short at its own
    time, stands for at most an hour (tested), and is what the rates of the next two intervals are counted from: so its
    own hour and the two after it are built again, and none before.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['server_uuid', 'hour_at'],
    on_schema_change='fail',
    indexes=[{'columns': ['hour_at']}],
    pre_hook="{{ note_newest_load('raw_pterodactyl.utilization_samples') }}",
    post_hook="{{ note_loads_seen() }}"
) }}

-- depends_on: {{ ref('stg_pterodactyl__utilization_samples') }}
-- depends_on: {{ ref('stg_ops__loads') }}
with

{% if is_incremental() -%}
{{ rows_that_arrived(
    ref('stg_pterodactyl__utilization_samples'), 'raw_pterodactyl.utilization_samples', ['server_uuid', 'pass_at']
) }},

touched as (

    select distinct
        arrived.server_uuid,
        date_trunc('hour', arrived.pass_at, 'UTC') + make_interval(hours => neighbour.hours) as hour_at
    from arrived
    cross join generate_series(0, 2) as neighbour (hours)

),

-- a span that began in the hour before may reach into a touched one
read as (

    select distinct
        arrived.server_uuid,
        date_trunc('hour', arrived.pass_at, 'UTC') + make_interval(hours => neighbour.hours) as hour_at
    from arrived
    cross join generate_series(-1, 2) as neighbour (hours)

),

found as (

    select pieces.*
    from read
    cross join lateral (
        select hours.*
        from {{ ref('int_server_sample_hours') }} as hours
        where
            hours.server_uuid = read.server_uuid
            and hours.pass_at >= read.hour_at
            and hours.pass_at < read.hour_at + interval '1 hour'
        {{ by_index_for_each_row() }}
    ) as pieces

),

pieces as (

    select found.*
    from found
    inner join touched
        on
            found.server_uuid = touched.server_uuid
            and found.hour_at = touched.hour_at

),

{% else -%}
pieces as (

    select * from {{ ref('int_server_sample_hours') }}

),

{% endif -%}
-- sums are taken in numeric, where their order does not matter: the same samples give the same row to the last bit
hours as (

    select
        server_uuid,
        hour_at,
        count(*) filter (where is_pass_hour)::integer as samples_total,
        count(*) filter (where is_pass_hour and outcome_group = 'measured')::integer as samples_measured,
        avg(cpu_percent::numeric) filter (where is_pass_hour)::double precision as cpu_percent_mean,
        stddev_samp(cpu_percent::numeric) filter (where is_pass_hour)::double precision as cpu_percent_stddev,
        min(cpu_percent) filter (where is_pass_hour) as cpu_percent_min,
        max(cpu_percent) filter (where is_pass_hour) as cpu_percent_max,
        percentile_cont(0.95) within group (order by cpu_percent) filter (where is_pass_hour) as cpu_percent_p95,
        avg(memory_mebibytes::numeric) filter (where is_pass_hour)::double precision as memory_mebibytes_mean,
        stddev_samp(memory_mebibytes::numeric)
        filter (where is_pass_hour)::double precision as memory_mebibytes_stddev,
        min(memory_mebibytes) filter (where is_pass_hour) as memory_mebibytes_min,
        max(memory_mebibytes) filter (where is_pass_hour) as memory_mebibytes_max,
        percentile_cont(0.95) within group (order by memory_mebibytes)
        filter (where is_pass_hour) as memory_mebibytes_p95,
        avg(disk_mebibytes::numeric) filter (where is_pass_hour)::double precision as disk_mebibytes_mean,
        max(disk_mebibytes) filter (where is_pass_hour) as disk_mebibytes_max,
        sum(network_rx_bytes) filter (where is_pass_hour)::bigint as network_rx_bytes,
        sum(network_tx_bytes) filter (where is_pass_hour)::bigint as network_tx_bytes,
        sum(network_seconds::numeric) filter (where is_pass_hour)::double precision as network_seconds,
        {{ minutes_by_outcome() }},
        max(_loaded_at) as _samples_loaded_at
    from pieces
    group by server_uuid, hour_at

)

select
    server_uuid,
    hour_at,
    samples_total,
    samples_measured,
    cpu_percent_mean,
    cpu_percent_stddev,
    cpu_percent_min,
    cpu_percent_max,
    cpu_percent_p95,
    memory_mebibytes_mean,
    memory_mebibytes_stddev,
    memory_mebibytes_min,
    memory_mebibytes_max,
    memory_mebibytes_p95,
    disk_mebibytes_mean,
    disk_mebibytes_max,
    network_rx_bytes,
    network_tx_bytes,
    {{ ratio('network_rx_bytes', 'network_seconds') }} as network_rx_bytes_per_second,
    {{ ratio('network_tx_bytes', 'network_seconds') }} as network_tx_bytes_per_second,
    minutes_sampled,
    minutes_running,
    minutes_gated,
    minutes_failed,
    minutes_suspect,
    60::double precision as minutes_expected,
    {{ coverage('minutes_sampled', '60') }} as coverage_ratio,
    _samples_loaded_at
from hours
where samples_total > 0
