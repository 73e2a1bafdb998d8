with

spans as (

    select * from {{ ref('int_pterodactyl__sample_spans') }}

),

pieces as (

    select
        spans.server_uuid,
        spans.pass_at,
        spans._loaded_at,
        generated.hour_at,
        spans.outcome_group,
        spans.state,
        spans.cpu_percent,
        spans.memory_mebibytes,
        spans.disk_mebibytes,
        spans.network_seconds,
        spans.network_rx_bytes,
        spans.network_tx_bytes,
        {{ seconds_between(
            'greatest(spans.span_from, generated.hour_at)',
            "least(spans.span_until, generated.hour_at + interval '1 hour')"
        ) }} as piece_seconds,
        spans.pass_at >= generated.hour_at as is_pass_hour
    from spans
    cross join lateral generate_series(
        date_trunc('hour', spans.span_from, 'UTC'),
        spans.span_until - interval '1 microsecond',
        interval '1 hour'
    ) as generated (hour_at)

)

select * from pieces
