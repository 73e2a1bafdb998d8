select
    count(*) filter (
        where outcome <> 'ok' and num_nonnulls(
            cpu_percent, memory_bytes, network_rx_bytes, network_tx_bytes, uptime_milliseconds
        ) > 0
    ) as figures_without_a_measurement,
    count(*) filter (where outcome not in ('ok', 'offline') and reason is null) as outcomes_without_a_reason,
    count(*) filter (where is_suspect) as running_with_memory_0
from raw_pterodactyl.utilization_samples
where pass_at > (select max(pass_at) from ops.sampling_passes) - interval '1 day'
    and _pass_at > (select max(pass_at) from ops.sampling_passes) - interval '1 day'
