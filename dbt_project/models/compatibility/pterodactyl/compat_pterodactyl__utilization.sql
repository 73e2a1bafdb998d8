{{ config(alias='utilization') }}

with

samples as (

    select * from {{ ref('stg_pterodactyl__utilization_samples') }}

),

servers as (

    select * from {{ ref('stg_pterodactyl__servers') }}

),

-- a window in which a server was not reached has no row: its state is not known
known as (

    select
        *,
        date_bin(interval '30 minutes', pass_at, timestamptz '2000-01-01 00:00:00+00') as capture_time
    from samples
    where outcome_group in ('measured', 'offline')

),

windows as (

    select
        server_uuid,
        bool_or(outcome_group = 'measured' and state = 'running') as status,
        avg(memory_mebibytes)::numeric(9, 2) as ram_mean,
        stddev_samp(memory_mebibytes)::numeric(9, 2) as ram_std,
        min(memory_mebibytes)::numeric(9, 2) as ram_min,
        max(memory_mebibytes)::numeric(9, 2) as ram_max,
        avg(cpu_percent)::numeric(7, 2) as cpu_mean,
        stddev_samp(cpu_percent)::numeric(7, 2) as cpu_std,
        min(cpu_percent)::numeric(7, 2) as cpu_min,
        max(cpu_percent)::numeric(7, 2) as cpu_max,
        avg(disk_mebibytes)::numeric(10, 2) as disk_mean,
        stddev_samp(disk_mebibytes)::numeric(10, 2) as disk_std,
        min(disk_mebibytes)::numeric(10, 2) as disk_min,
        max(disk_mebibytes)::numeric(10, 2) as disk_max,
        capture_time
    from known
    group by server_uuid, capture_time

),

joined as (

    select
        coalesce(servers.identifier, left(windows.server_uuid::text, 8)) as server_identifier,
        windows.status,
        windows.ram_mean,
        windows.ram_std,
        windows.ram_min,
        windows.ram_max,
        windows.cpu_mean,
        windows.cpu_std,
        windows.cpu_min,
        windows.cpu_max,
        windows.disk_mean,
        windows.disk_std,
        windows.disk_min,
        windows.disk_max,
        windows.capture_time
    from windows
    left join servers on windows.server_uuid = servers.server_uuid

)

select * from joined
