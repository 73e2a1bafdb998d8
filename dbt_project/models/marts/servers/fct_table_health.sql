{#-
    A view, since it is about now. A table's limits are those of its source, which hold under every preset; samples may
    be older by as much as the interval that the plan keeps is longer than the slowest preset's half hour.
-#}
{{ config(materialized='view') }}

with

limits as (

    {{ freshness_limits() }}

),

tables as (

    select
        column1 as table_name,
        column2 as loaded_with,
        column3 as counts_parts,
        column4::double precision as warn_after_hours,
        column5::double precision as fail_after_hours
    from limits
    where column1 <> ''

),

planned as (

    select greatest(interval_seconds - 1800, 0) / 3600.0::double precision as hours_longer
    from {{ sampling_passes() }}
    order by pass_at desc
    limit 1

),

-- each newest load is looked up by an index: together they would be read from the whole ledger
fresh as (

    select
        tables.*,
        {{ newest_load('tables.loaded_with', 'true') }} as last_load_at,
        case
            when tables.counts_parts then {{ newest_load('tables.loaded_with', 'is_complete or rows_read > 0') }}
            else {{ newest_load('tables.loaded_with', 'is_complete') }}
        end as fresh_as_of
    from tables

),

-- the newest whole day and what there is of the next one
sampled as (

    select
        sum(minutes_sampled) as part,
        sum(minutes_expected) as whole
    from {{ ref('fct_server_daily') }}
    where local_date >= (select max(newest.local_date) - 1 from {{ ref('fct_server_daily') }} as newest)

),

logs as (

    select
        sum(bytes_read) as bytes_read,
        sum(bytes_present) as bytes_present,
        sum(lines_read - lines_unknown - lines_continuation) as lines_understood,
        sum(lines_read - lines_continuation) as lines_read
    from {{ ref('fct_log_coverage') }}
    where local_date >= (select max(newest.local_date) - 1 from {{ ref('fct_log_coverage') }} as newest)

),

coverage as (

    select
        'raw_pterodactyl.utilization_samples' as table_name,
        'minutes sampled of minutes expected' as coverage_of,
        {{ ratio('part', 'whole') }} as coverage_ratio
    from sampled

    union all

    select
        'raw_minecraft.log_files' as table_name,
        'bytes read of bytes listed' as coverage_of,
        {{ ratio('bytes_read', 'bytes_present') }} as coverage_ratio
    from logs

    union all

    select
        'raw_minecraft.events' as table_name,
        'lines understood of lines read' as coverage_of,
        {{ ratio('lines_understood', 'lines_read') }} as coverage_ratio
    from logs

),

joined as (

    select
        fresh.table_name,
        fresh.last_load_at,
        fresh.fresh_as_of,
        {{ seconds_between('fresh.fresh_as_of', this_moment()) }} / 3600 as age_hours,
        fresh.warn_after_hours + coalesce(planned.hours_longer, 0) as warn_after_hours,
        fresh.fail_after_hours + coalesce(planned.hours_longer, 0) as fail_after_hours,
        coverage.coverage_of,
        coverage.coverage_ratio
    from fresh
    left join coverage on fresh.table_name = coverage.table_name
    left join planned on fresh.table_name = 'raw_pterodactyl.utilization_samples'

)

select
    *,
    case
        when fresh_as_of is null then 'never_loaded'
        when age_hours > fail_after_hours then 'stale'
        when age_hours > warn_after_hours then 'late'
        when coverage_ratio < {{ var('thin_below_coverage') }} then 'thin'
        else 'ok'
    end as health
from joined
