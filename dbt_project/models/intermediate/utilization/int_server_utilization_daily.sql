{#-
    Incremental by the server's day. A sample that arrives, however late, cuts the span of the one before it short at
    its own time and stands for at most an hour (tested): so its own day and that of an hour later are built again. A
    server whose zone, life or limits changed has all of its days built again, and those around them, since another
    zone dates the same sample otherwise; a day that no sample touches any more is replaced by an empty row.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['server_uuid', 'local_date'],
    on_schema_change='fail',
    pre_hook="{{ note_newest_load('raw_pterodactyl.utilization_samples') }}",
    post_hook="{{ note_loads_seen() }}"
) }}

-- depends_on: {{ ref('stg_pterodactyl__utilization_samples') }}
-- depends_on: {{ ref('stg_ops__loads') }}
-- depends_on: {{ ref('int_server_terms') }}
with

{% if is_incremental() -%}
terms as (

    select * from {{ ref('int_server_terms') }}

),

{{ rows_that_arrived(
    ref('stg_pterodactyl__utilization_samples'), 'raw_pterodactyl.utilization_samples', ['server_uuid', 'pass_at']
) }},

touched as (

    select
        arrived.server_uuid,
        coalesce(terms.timezone, 'UTC') as timezone,
        {{ local_date('arrived.pass_at + reached.after', "coalesce(terms.timezone, 'UTC')") }} as local_date
    from arrived
    left join terms on arrived.server_uuid = terms.server_uuid
    cross join (values (interval '0'), (interval '1 hour')) as reached (after)

    union

    select
        built.server_uuid,
        coalesce(terms.timezone, 'UTC') as timezone,
        built.local_date + neighbour.days as local_date
    from {{ this }} as built
    left join terms on built.server_uuid = terms.server_uuid
    cross join generate_series(-2, 2) as neighbour (days)
    where built.terms_digest <> coalesce(terms.terms_digest, 'unlisted')

),

bounded as (

    select
        server_uuid,
        local_date,
        {{ local_day_start('local_date', 'timezone') }} - interval '1 hour' as reads_from,
        {{ local_day_start('(local_date + 1)', 'timezone') }} as reads_until
    from touched

),

pieces as (

    select
        bounded.server_uuid,
        bounded.local_date,
        coalesce(pieces.terms_digest, terms.terms_digest, 'unlisted') as terms_digest,
        pieces._loaded_at,
        pieces.outcome_group,
        pieces.state,
        pieces.cpu_percent,
        pieces.memory_mebibytes,
        pieces.piece_seconds,
        pieces.is_pass_day,
        pieces.memory_limit_mebibytes
    from bounded
    left join terms on bounded.server_uuid = terms.server_uuid
    left join lateral (
        select found.*
        from {{ ref('int_server_sample_days') }} as found
        where
            found.server_uuid = bounded.server_uuid
            and found.pass_at >= bounded.reads_from
            and found.pass_at < bounded.reads_until
            and found.local_date = bounded.local_date
        {{ by_index_for_each_row() }}
    ) as pieces on true

),

{% else -%}
pieces as (

    select * from {{ ref('int_server_sample_days') }}

),

{% endif -%}
-- sums are taken in numeric, where their order does not matter: the same samples give the same row to the last bit
days as (

    select
        server_uuid,
        local_date,
        max(terms_digest) as terms_digest,
        {{ minutes_by_outcome() }},
        coalesce(
            sum((cpu_percent * piece_seconds)::numeric) filter (where outcome_group = 'measured'), 0
        )::double precision / 360000 as cpu_core_hours_measured,
        percentile_cont(0.95) within group (order by memory_mebibytes)
        filter (where is_pass_day and memory_mebibytes is not null) as memory_p95_mebibytes,
        percentile_cont(0.95) within group (order by memory_mebibytes / memory_limit_mebibytes)
        filter (
            where is_pass_day and memory_mebibytes is not null and memory_limit_mebibytes is not null
        ) as memory_p95_limit_ratio,
        max(_loaded_at) as _samples_loaded_at
    from pieces
    group by server_uuid, local_date

)

-- an offline server uses no processor: that is measured. What a server used that was not asked, nobody knows
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
