with

source as (

    select * from {{ source('pterodactyl', 'utilization_samples') }}

),

renamed as (

    select
        ---------- ids
        server_uuid,
        node_name,

        ---------- times
        pass_at,
        sampled_at,
        least(interval_seconds, 3600) as interval_seconds,

        ---------- what came of it
        outcome,
        state,
        is_suspect,
        case
            when outcome = 'ok' and is_suspect then 'suspect'
            when outcome = 'ok' then 'measured'
            when outcome = 'offline' then 'offline'
            when outcome in {{ unanswered_outcomes() }} then 'failed'
            else 'gated'
        end as outcome_group,
        reason,

        ---------- measures
        cpu_percent,
        memory_bytes,
        memory_bytes / 1048576.0::double precision as memory_mebibytes,
        disk_bytes,
        disk_bytes / 1048576.0::double precision as disk_mebibytes,
        network_rx_bytes,
        network_tx_bytes,
        uptime_milliseconds / 1000.0::double precision as uptime_seconds,

        ---------- load
        _loaded_at,
        _load_id,
        _pass_at

    from source

)

select * from renamed
