{{ config(tags=['daily'], pre_hook="{{ without_nested_loops() }}") }}

{%- set resources = [
    {'name': 'memory', 'limit': 'memory_limit_mebibytes', 'measure': 'memory_mebibytes'},
    {'name': 'cpu', 'limit': 'cpu_limit_percent', 'measure': 'cpu_percent'},
    {'name': 'disk', 'limit': 'disk_limit_mebibytes', 'measure': 'disk_mebibytes'},
] -%}
{%- set headroom = var('right_sizing_headroom') %}

with

servers as (

    select * from {{ ref('dim_servers') }}

),

evidence as (

    select * from {{ ref('int_right_sizing_evidence') }}

),

risks as (

    select * from {{ ref('int_right_sizing_risks') }}

),

judged as (

    select
        servers.server_uuid,
        evidence.evidence_from,
        evidence.evidence_until,
        coalesce(evidence.days_measured, 0) as days_measured,
        risks.coverage_ratio,
        risks.peak_concurrent_players,
        risks.out_of_memory_crashes,
        risks.players_at_memory_peak,
        evidence.memory_peak_at,
        evidence.cpu_percents,
        case
            when not servers.is_active then 'gone'
            when servers.is_suspended then 'suspended'
            when evidence.evidence_from + make_interval(days => {{ var('right_sizing_least_days') }})
                <= evidence.evidence_until then null
            else 'history_too_short'
        end as reason,
        {% for resource in resources -%}
        servers.{{ resource.limit }},
        coalesce(evidence.{{ resource.name }}_samples, 0) as {{ resource.name }}_samples,
        evidence.{{ resource.measure }}_p95,
        evidence.{{ resource.measure }}_p99,
        evidence.{{ resource.measure }}_max,
        {% endfor -%}
        -- the kernel throttles who wants more processor; who wants more memory or disk fails
        evidence.cpu_percent_p99 * {{ headroom }} as cpu_needed,
        greatest(
            evidence.memory_mebibytes_p99 * {{ headroom }},
            evidence.memory_mebibytes_max,
            case when risks.out_of_memory_crashes > 0 then servers.memory_limit_mebibytes * {{ headroom }} end
        ) as memory_needed,
        greatest(evidence.disk_mebibytes_p99 * {{ headroom }}, evidence.disk_mebibytes_max) as disk_needed
    from servers
    left join evidence on servers.server_uuid = evidence.server_uuid
    left join risks on servers.server_uuid = risks.server_uuid

),

reasoned as (

    select
        *,
        {{ right_sizing_reason('memory', 'memory_limit_mebibytes') }} as memory_reason,
        {{ right_sizing_reason('cpu', 'cpu_limit_percent') }} as cpu_reason,
        {{ right_sizing_reason('disk', 'disk_limit_mebibytes') }} as disk_reason
    from judged

),

recommended as (

    select
        *,
        {{ recommended_limit('memory', 128) }} as memory_recommended,
        {{ recommended_limit('cpu', 10) }} as cpu_recommended,
        {{ recommended_limit('disk', 1024) }} as disk_recommended
    from reasoned

)

select
    server_uuid,
    evidence_from,
    evidence_until,
    days_measured,
    coverage_ratio,
    {% for resource in resources -%}
    {{ resource.limit }},
    {{ resource.name }}_samples,
    {{ resource.measure }}_p95,
    {{ resource.measure }}_p99,
    {{ resource.measure }}_max,
    {{ resource.name }}_recommended as {{ resource.name }}_recommended_{{ resource.measure.split('_')[-1] }},
    {{ resource.name }}_reason,
    {% endfor -%}
    (memory_limit_mebibytes - memory_recommended) / 1024.0::double precision as memory_freed_gibibytes,
    (cpu_limit_percent - cpu_recommended) / 100.0::double precision as cpu_freed_cores,
    (disk_limit_mebibytes - disk_recommended) / 1024.0::double precision as disk_freed_gibibytes,
    {{ ratio('memory_mebibytes_max', 'memory_recommended') }} as memory_peak_ratio,
    case
        when cpu_recommended is not null
            then (
                select avg((used.cpu_percent > cpu_recommended)::integer)
                from unnest(cpu_percents) as used (cpu_percent)
            )::double precision
    end as cpu_samples_above_ratio,
    out_of_memory_crashes,
    peak_concurrent_players,
    memory_peak_at,
    players_at_memory_peak
from recommended
