{#-
    Incremental by the server's day. A sample that arrives, however late, cuts the span of the one before it short at
    its own time and stands for at most an hour (tested): so its own day and that of an hour later are built again. A
    server whose zone, life or limits changed has all of its days built again, and those around them, since another
    zone dates the same sample otherwise; a day that no sample touches any more is replaced by an empty row. A day of
    which samples were dropped is not built again: it stays as it is, and its terms_digest tells by what terms.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['server_uuid', 'local_date'],
    on_schema_change='fail',
    pre_hook="{{ note_newest_load('raw_pterodactyl.utilization_samples') }}",
    post_hook=[
        "{{ note_loads_seen() }}",
        "{{ keep_index('int_server_utilization_daily_key', ['server_uuid', 'local_date']) }}",
        "{{ keep_index('int_server_utilization_daily_terms', ['server_uuid', 'terms_digest']) }}"
    ]
) }}

-- depends_on: {{ ref('stg_pterodactyl__utilization_samples') }}
-- depends_on: {{ ref('stg_ops__loads') }}
-- depends_on: {{ ref('int_server_terms') }}
with

terms as (

    select * from {{ ref('int_server_terms') }}

),

validity as (

    select * from {{ ref('int_pterodactyl__server_validity') }}

),

{% if is_incremental() -%}
{{ samples_of_touched_days() }},

{% else -%}
samples as (

    select * from {{ ref('stg_pterodactyl__utilization_samples') }}

),

{% endif -%}
{{ sample_spans() }},

{{ sample_days('sample_spans') }},

{% if is_incremental() -%}
pieces_of_days as (

    select
        touched.server_uuid,
        touched.local_date,
        coalesce(pieces.terms_digest, terms.terms_digest, 'unlisted') as terms_digest,
        pieces._loaded_at,
        pieces.outcome_group,
        pieces.state,
        pieces.cpu_percent,
        pieces.memory_mebibytes,
        pieces.piece_seconds,
        pieces.is_pass_day,
        pieces.memory_limit_mebibytes
    from touched
    left join terms on touched.server_uuid = terms.server_uuid
    left join pieces
        on
            touched.server_uuid = pieces.server_uuid
            and touched.local_date = pieces.local_date

),

{% else -%}
pieces_of_days as (

    select * from pieces

),

{% endif -%}
-- sums are of whole numbers, where their order does not matter: the same samples give the same row to the last bit
days as (

    select
        server_uuid,
        local_date,
        max(terms_digest) as terms_digest,
        {{ minutes_by_outcome() }},
        coalesce(
            sum({{ thousandths('cpu_percent') }} * {{ microseconds('piece_seconds') }})
            filter (where outcome_group = 'measured'), 0
        )::double precision / 360000000000000 as cpu_core_hours_measured,
        percentile_cont(0.95) within group (order by memory_mebibytes)
        filter (where is_pass_day and memory_mebibytes is not null) as memory_p95_mebibytes,
        percentile_cont(0.95) within group (order by memory_mebibytes / memory_limit_mebibytes)
        filter (
            where is_pass_day and memory_mebibytes is not null and memory_limit_mebibytes is not null
        ) as memory_p95_limit_ratio,
        max(_loaded_at) as _samples_loaded_at
    from pieces_of_days
    group by server_uuid, local_date

),

-- an offline server uses no processor: that is measured. What a server used that was not asked, nobody knows
made as (

    select
        server_uuid,
        local_date,
        minutes_sampled,
        minutes_gated,
        minutes_failed,
        minutes_suspect,
        case when minutes_sampled > 0 then minutes_running / 60 end as uptime_hours,
        case when minutes_sampled > 0 then cpu_core_hours_measured end as cpu_core_hours,
        memory_p95_mebibytes,
        memory_p95_limit_ratio,
        terms_digest,
        _samples_loaded_at
    from days

)

select * from made
{{ and_rows_of_dropped_samples(
    'made',
    ['server_uuid', 'local_date'],
    local_day_start('built.local_date', "'UTC'") ~ " - interval '15 hours'",
    local_day_start('(built.local_date + 1)', "'UTC'") ~ " + interval '12 hours'"
) }}
