with

spans as (

    select * from {{ ref('int_pterodactyl__sample_spans') }}

),

terms as (

    select * from {{ ref('int_server_terms') }}

),

validity as (

    select * from {{ ref('int_pterodactyl__server_validity') }}

),

-- nothing is expected of a server before it was made or after it was gone, so nothing then is counted
clipped as (

    select
        spans.*,
        coalesce(terms.timezone, 'UTC') as timezone,
        coalesce(terms.terms_digest, 'unlisted') as terms_digest,
        greatest(spans.span_from, terms.exists_from) as clipped_from,
        greatest(least(spans.span_until, terms.exists_until), spans.span_from, terms.exists_from) as clipped_until,
        spans.pass_at >= coalesce(terms.exists_from, '-infinity')
        and spans.pass_at < coalesce(terms.exists_until, 'infinity') as is_in_life
    from spans
    left join terms on spans.server_uuid = terms.server_uuid

),

dated as (

    select
        *,
        {{ local_date('clipped_from', 'timezone') }} as first_date,
        {{ local_date("greatest(clipped_from, clipped_until - interval '1 microsecond')", 'timezone') }} as last_date
    from clipped

),

split as (

    select
        dated.*,
        generated.day::date as local_date,
        {{ piece_from(
            'generated.day::date', 'dated.first_date', 'dated.clipped_from', 'dated.timezone'
        ) }} as piece_from,
        {{ piece_until(
            'generated.day::date', 'dated.last_date', 'dated.clipped_until', 'dated.timezone'
        ) }} as piece_until
    from dated
    cross join lateral generate_series(
        dated.first_date::timestamp, dated.last_date::timestamp, interval '1 day'
    ) as generated (day)

),

pieces as (

    select
        split.server_uuid,
        split.pass_at,
        split.terms_digest,
        split._loaded_at,
        split.local_date,
        split.outcome_group,
        split.state,
        split.cpu_percent,
        split.memory_mebibytes,
        {{ seconds_between('split.piece_from', 'split.piece_until') }} as piece_seconds,
        split.local_date = split.first_date and split.is_in_life as is_pass_day,
        validity.memory_limit_mebibytes
    from split
    left join validity
        on
            split.server_uuid = validity.server_uuid
            and split.pass_at >= validity.counted_from
            and split.pass_at < coalesce(validity.valid_to, 'infinity')

)

select * from pieces
