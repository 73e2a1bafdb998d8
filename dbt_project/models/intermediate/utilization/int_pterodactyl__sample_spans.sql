with

-- not materialized: a condition on pass_at reaches the index, so an incremental build reads only what it needs
samples as not materialized (

    select * from {{ ref('stg_pterodactyl__utilization_samples') }}

),

spans as (

    select
        samples.*,
        samples.pass_at as span_from,
        coalesce(
            following.pass_at, samples.pass_at + make_interval(secs => samples.interval_seconds)
        ) as span_until,
        previous.sampled_at as previous_sampled_at,
        previous.uptime_seconds as previous_uptime_seconds,
        previous.network_rx_bytes as previous_network_rx_bytes,
        previous.network_tx_bytes as previous_network_tx_bytes
    from samples
    left join lateral (
        select later.pass_at
        from samples as later
        where
            later.server_uuid = samples.server_uuid
            and later.pass_at > samples.pass_at
            and later.pass_at < samples.pass_at + make_interval(secs => samples.interval_seconds)
        order by later.pass_at
        limit 1
    ) as following on true
    left join lateral (
        select
            earlier.sampled_at,
            earlier.uptime_seconds,
            earlier.network_rx_bytes,
            earlier.network_tx_bytes
        from samples as earlier
        where
            earlier.server_uuid = samples.server_uuid
            and earlier.pass_at < samples.pass_at
            and earlier.pass_at >= samples.pass_at - make_interval(secs => 2 * samples.interval_seconds)
            and earlier.outcome_group = 'measured'
        order by earlier.pass_at desc
        limit 1
    ) as previous on samples.outcome_group = 'measured'

),

compared as (

    select
        *,
        {{ seconds_between('previous_sampled_at', 'sampled_at') }} as seconds_since_previous,
        previous_sampled_at is null
        or uptime_seconds < previous_uptime_seconds
        or network_rx_bytes < previous_network_rx_bytes
        or network_tx_bytes < previous_network_tx_bytes
        or uptime_seconds + {{ var('panel_cache_seconds') }}
        < {{ seconds_between('previous_sampled_at', 'sampled_at') }} as has_restarted
    from spans

),

-- after a restart the counters began again at nothing, so they are themselves what was sent since
metered as (

    select
        *,
        case
            when outcome_group <> 'measured' then null
            when has_restarted then least(uptime_seconds, coalesce(seconds_since_previous, uptime_seconds))
            else seconds_since_previous
        end as metered_seconds
    from compared

)

select
    server_uuid,
    pass_at,
    sampled_at,
    interval_seconds,
    outcome,
    outcome_group,
    state,
    span_from,
    span_until,
    {{ seconds_between('span_from', 'span_until') }} as span_seconds,
    case when outcome_group = 'measured' then cpu_percent end as cpu_percent,
    case when outcome_group = 'measured' then memory_mebibytes end as memory_mebibytes,
    case when outcome_group in ('measured', 'offline') then disk_mebibytes end as disk_mebibytes,
    has_restarted,
    case
        when metered_seconds > 0 and metered_seconds <= 2 * interval_seconds
            then metered_seconds
    end as network_seconds,
    case
        when metered_seconds > 0 and metered_seconds <= 2 * interval_seconds
            then network_rx_bytes - case when has_restarted then 0 else previous_network_rx_bytes end
    end as network_rx_bytes,
    case
        when metered_seconds > 0 and metered_seconds <= 2 * interval_seconds
            then network_tx_bytes - case when has_restarted then 0 else previous_network_tx_bytes end
    end as network_tx_bytes,
    _loaded_at
from metered
