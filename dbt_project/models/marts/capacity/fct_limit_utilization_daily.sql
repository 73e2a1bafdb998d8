{#- A view: what costs time is built by the day, below it. -#}
{{ config(materialized='view') }}

with

days as (

    select * from {{ ref('int_limit_utilization_daily') }}

)

select
    server_uuid,
    local_date,
    samples_total,
    samples_measured,
    samples_offline,
    cpu_samples,
    cpu_limit_ratio_p50,
    cpu_limit_ratio_p95,
    cpu_limit_ratio_p99,
    case
        when cpu_samples > 0 then null
        when samples_measured > 0 then 'unlimited'
        when samples_offline > 0 then 'offline'
        else 'not_measured'
    end as cpu_reason,
    memory_samples,
    memory_limit_ratio_p50,
    memory_limit_ratio_p95,
    memory_limit_ratio_p99,
    case
        when memory_samples > 0 then null
        when samples_measured > 0 then 'unlimited'
        when samples_offline > 0 then 'offline'
        else 'not_measured'
    end as memory_reason,
    disk_samples,
    disk_limit_ratio_p50,
    disk_limit_ratio_p95,
    disk_limit_ratio_p99,
    case
        when disk_samples > 0 then null
        when samples_measured + samples_offline > 0 then 'unlimited'
        else 'not_measured'
    end as disk_reason
from days
where samples_total > 0
