with

newest as (

    select max(pass_at) as last_pass_at from {{ sampling_passes() }}

),

limits as (

    select
        server_uuid,
        counted_from,
        jsonb_build_array(memory_limit_mebibytes, cpu_limit_percent, disk_limit_mebibytes) as of_all
    from {{ ref('int_pterodactyl__server_validity') }}

),

compared as (

    select
        *,
        lag(of_all) over (partition by server_uuid order by counted_from) as of_all_before
    from limits

),

-- what was used under another limit tells little: the heap of a Java server grows with it
evidence_windows as (

    select
        compared.server_uuid,
        greatest(
            max(compared.counted_from) filter (where compared.of_all is distinct from compared.of_all_before),
            newest.last_pass_at - make_interval(days => {{ var('right_sizing_days') }})
        ) as evidence_from,
        newest.last_pass_at as evidence_until
    from compared
    cross join newest
    group by compared.server_uuid, newest.last_pass_at

),

samples as (

    select *
    from {{ ref('stg_pterodactyl__utilization_samples') }}
    where
        {{ of_passes_between(
            "(select newest.last_pass_at - make_interval(days => " ~ var('right_sizing_days') ~ ") from newest)",
            "(select newest.last_pass_at + interval '1 second' from newest)"
        ) }}

),

measured as (

    select
        evidence_windows.server_uuid,
        evidence_windows.evidence_from,
        evidence_windows.evidence_until,
        samples.pass_at,
        case when samples.outcome_group = 'measured' then samples.cpu_percent end as cpu_percent,
        case when samples.outcome_group = 'measured' then samples.memory_mebibytes end as memory_mebibytes,
        case when samples.outcome_group in ('measured', 'offline') then samples.disk_mebibytes end as disk_mebibytes
    from evidence_windows
    left join samples
        on
            evidence_windows.server_uuid = samples.server_uuid
            and evidence_windows.evidence_from <= samples.pass_at

),

-- the largest pair is the highest memory with the time at which it was last that high
summed as (

    select
        server_uuid,
        evidence_from,
        evidence_until,
        count(distinct date_trunc('day', pass_at, 'UTC')) filter (
            where memory_mebibytes is not null
        )::integer as days_measured,
        {% for resource, measure in [
            ('cpu', 'cpu_percent'), ('memory', 'memory_mebibytes'), ('disk', 'disk_mebibytes')
        ] -%}
        count({{ measure }})::integer as {{ resource }}_samples,
        percentile_cont(array[0.95, 0.99]) within group (order by {{ measure }}) as {{ resource }}_percentiles,
        {% endfor -%}
        max(cpu_percent) as cpu_percent_max,
        array_agg(cpu_percent) filter (where cpu_percent is not null) as cpu_percents,
        max(array[memory_mebibytes, date_part('epoch', pass_at)]) filter (
            where memory_mebibytes is not null
        ) as memory_peak,
        max(disk_mebibytes) as disk_mebibytes_max
    from measured
    group by server_uuid, evidence_from, evidence_until

)

select
    server_uuid,
    evidence_from,
    evidence_until,
    days_measured,
    cpu_samples,
    cpu_percentiles[1] as cpu_percent_p95,
    cpu_percentiles[2] as cpu_percent_p99,
    cpu_percent_max,
    cpu_percents,
    memory_samples,
    memory_percentiles[1] as memory_mebibytes_p95,
    memory_percentiles[2] as memory_mebibytes_p99,
    memory_peak[1] as memory_mebibytes_max,
    to_timestamp(memory_peak[2]) as memory_peak_at,
    disk_samples,
    disk_percentiles[1] as disk_mebibytes_p95,
    disk_percentiles[2] as disk_mebibytes_p99,
    disk_mebibytes_max
from summed
