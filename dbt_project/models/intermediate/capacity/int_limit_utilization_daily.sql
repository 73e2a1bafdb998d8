{#-
    Incremental by the server's day: built again are the days of samples that arrived since the last build, and all days
    of a server whose zone, life or limits changed. A day that no sample touches any more is replaced by an empty row.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['server_uuid', 'local_date'],
    on_schema_change='fail',
    tags=['daily'],
    pre_hook="{{ note_newest_load('raw_pterodactyl.utilization_samples') }}",
    post_hook=[
        "{{ note_loads_seen() }}",
        "{{ keep_index('int_limit_utilization_daily_key', ['server_uuid', 'local_date']) }}",
        "{{ keep_index('int_limit_utilization_daily_terms', ['server_uuid', 'terms_digest']) }}"
    ]
) }}

-- depends_on: {{ ref('stg_pterodactyl__utilization_samples') }}
-- depends_on: {{ ref('stg_ops__loads') }}
with

limits as (

    select
        server_uuid,
        jsonb_agg(
            jsonb_build_array(counted_from, valid_to, cpu_limit_percent, disk_limit_mebibytes) order by counted_from
        )::text as history
    from {{ ref('int_pterodactyl__server_validity') }}
    group by server_uuid

),

terms as (

    select
        terms.server_uuid,
        terms.timezone,
        terms.exists_from,
        terms.exists_until,
        md5(terms.terms_digest || coalesce(limits.history, '')) as terms_digest
    from {{ ref('int_server_terms') }} as terms
    left join limits on terms.server_uuid = limits.server_uuid

),

{% if is_incremental() -%}
{{ samples_of_touched_days() }},

{% else -%}
samples as (

    select * from {{ ref('stg_pterodactyl__utilization_samples') }}

),

{% endif -%}
dated as (

    select
        samples.server_uuid,
        {{ local_date('samples.pass_at', "coalesce(terms.timezone, 'UTC')") }} as local_date,
        coalesce(terms.terms_digest, 'unlisted') as terms_digest,
        samples.outcome_group,
        case
            when samples.outcome_group = 'measured' then samples.cpu_percent / validity.cpu_limit_percent
        end as cpu_ratio,
        case
            when samples.outcome_group = 'measured' then samples.memory_mebibytes / validity.memory_limit_mebibytes
        end as memory_ratio,
        case
            when samples.outcome_group in ('measured', 'offline')
                then samples.disk_mebibytes / validity.disk_limit_mebibytes
        end as disk_ratio
    from samples
    left join terms on samples.server_uuid = terms.server_uuid
    left join {{ ref('int_pterodactyl__server_validity') }} as validity
        on
            samples.server_uuid = validity.server_uuid
            and samples.pass_at >= validity.counted_from
            and samples.pass_at < coalesce(validity.valid_to, 'infinity')
    where
        samples.pass_at >= coalesce(terms.exists_from, '-infinity')
        and samples.pass_at < coalesce(terms.exists_until, 'infinity')

),

{% if is_incremental() -%}
of_days as (

    select
        touched.server_uuid,
        touched.local_date,
        coalesce(dated.terms_digest, terms.terms_digest, 'unlisted') as terms_digest,
        dated.outcome_group,
        dated.cpu_ratio,
        dated.memory_ratio,
        dated.disk_ratio
    from touched
    left join terms on touched.server_uuid = terms.server_uuid
    left join dated on touched.server_uuid = dated.server_uuid and touched.local_date = dated.local_date

),

{% endif -%}
summed as (

    select
        server_uuid,
        local_date,
        count(outcome_group)::integer as samples_total,
        count(*) filter (where outcome_group = 'measured')::integer as samples_measured,
        count(*) filter (where outcome_group = 'offline')::integer as samples_offline,
        {% for resource in ['cpu', 'memory', 'disk'] -%}
        count({{ resource }}_ratio)::integer as {{ resource }}_samples,
        percentile_cont(array[0.5, 0.95, 0.99]) within group (order by {{ resource }}_ratio) as {{ resource }}_ratios,
        {% endfor -%}
        max(terms_digest) as terms_digest
    from {{ 'of_days' if is_incremental() else 'dated' }}
    group by server_uuid, local_date

),

made as (

    select
        server_uuid,
        local_date,
        samples_total,
        samples_measured,
        samples_offline,
        {% for resource in ['cpu', 'memory', 'disk'] -%}
        {{ resource }}_samples,
        {{ resource }}_ratios[1] as {{ resource }}_limit_ratio_p50,
        {{ resource }}_ratios[2] as {{ resource }}_limit_ratio_p95,
        {{ resource }}_ratios[3] as {{ resource }}_limit_ratio_p99,
        {% endfor -%}
        terms_digest
    from summed

)

select * from made
{{ and_rows_of_dropped_samples(
    'made',
    ['server_uuid', 'local_date'],
    local_day_start('built.local_date', "'UTC'") ~ " - interval '15 hours'",
    local_day_start('(built.local_date + 1)', "'UTC'") ~ " + interval '12 hours'"
) }}
