{#-
    Incremental by hour. A sample that arrives, however late, cuts the span of the one before it short at its own
    time, stands for at most an hour (tested), and is what the rates of the next two intervals are counted from: so its
    own hour and the two after it are built again, and none before. An hour of which samples were dropped is not built
    again: it stays as it is.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['server_uuid', 'hour_at'],
    on_schema_change='fail',
    meta={'tested_from': 'hour_at'},
    indexes=[{'columns': ['hour_at']}],
    pre_hook="{{ note_newest_load('raw_pterodactyl.utilization_samples') }}",
    post_hook=["{{ note_passes_to_test() }}", "{{ note_loads_seen() }}"]
) }}

-- depends_on: {{ ref('stg_pterodactyl__utilization_samples') }}
-- depends_on: {{ ref('stg_ops__loads') }}
with

{% if is_incremental() -%}
{{ samples_of_touched_hours() }},

{% else -%}
samples as (

    select * from {{ ref('stg_pterodactyl__utilization_samples') }}

),

{% endif -%}
{{ sample_spans() }},

{{ sample_hours('sample_spans') }},

{% if is_incremental() -%}
pieces_of_hours as (

    select pieces.*
    from pieces
    inner join touched
        on
            pieces.server_uuid = touched.server_uuid
            and pieces.hour_at = touched.hour_at

),

{% else -%}
pieces_of_hours as (

    select * from pieces

),

{% endif -%}
-- sums are of whole numbers, where their order does not matter: the same samples give the same row to the last bit
hours as (

    select
        server_uuid,
        hour_at,
        count(*) filter (where is_pass_hour)::integer as samples_total,
        count(*) filter (where is_pass_hour and outcome_group = 'measured')::integer as samples_measured,
        (
            avg({{ thousandths('cpu_percent') }}) filter (where is_pass_hour) / 1000
        )::double precision as cpu_percent_mean,
        (
            stddev_samp({{ thousandths('cpu_percent') }}) filter (where is_pass_hour) / 1000
        )::double precision as cpu_percent_stddev,
        min(cpu_percent) filter (where is_pass_hour) as cpu_percent_min,
        max(cpu_percent) filter (where is_pass_hour) as cpu_percent_max,
        percentile_cont(0.95) within group (order by cpu_percent) filter (where is_pass_hour) as cpu_percent_p95,
        (
            avg({{ bytes('memory_mebibytes') }}) filter (where is_pass_hour) / 1048576
        )::double precision as memory_mebibytes_mean,
        (
            stddev_samp({{ bytes('memory_mebibytes') }}) filter (where is_pass_hour) / 1048576
        )::double precision as memory_mebibytes_stddev,
        min(memory_mebibytes) filter (where is_pass_hour) as memory_mebibytes_min,
        max(memory_mebibytes) filter (where is_pass_hour) as memory_mebibytes_max,
        percentile_cont(0.95) within group (order by memory_mebibytes)
        filter (where is_pass_hour) as memory_mebibytes_p95,
        (
            avg({{ bytes('disk_mebibytes') }}) filter (where is_pass_hour) / 1048576
        )::double precision as disk_mebibytes_mean,
        max(disk_mebibytes) filter (where is_pass_hour) as disk_mebibytes_max,
        sum(network_rx_bytes) filter (where is_pass_hour)::bigint as network_rx_bytes,
        sum(network_tx_bytes) filter (where is_pass_hour)::bigint as network_tx_bytes,
        (
            sum({{ microseconds('network_seconds') }}) filter (where is_pass_hour) / 1000000
        )::double precision as network_seconds,
        {{ minutes_by_outcome() }},
        max(_loaded_at) as _samples_loaded_at
    from pieces_of_hours
    group by server_uuid, hour_at

),

made as (

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

)

select * from made
{{ and_rows_of_dropped_samples(
    'made',
    ['server_uuid', 'hour_at'],
    "built.hour_at - interval '3 hours'",
    "built.hour_at + interval '1 hour'"
) }}
