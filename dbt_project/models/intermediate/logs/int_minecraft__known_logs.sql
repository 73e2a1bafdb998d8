{#- Of each server the ends of an index, so that it reads no more the more is known of it. -#}
with

known as (

    select server_uuid from {{ servers_in(ref('stg_minecraft__log_files')) }} as files
    union
    select server_uuid from {{ servers_in(ref('stg_minecraft__log_reads')) }} as reads

),

found as (

    select
        known.server_uuid,
        lines.server_uuid is not null as has_lines,
        lines.first_line_at,
        first_listings.observed_at as first_listed_at,
        last_listings.observed_at as last_listed_at
    from known
    left join lateral (
        select
            files.server_uuid,
            files.first_line_at
        from {{ ref('stg_minecraft__log_files') }} as files
        where
            files.server_uuid = known.server_uuid
            and files.outcome in {{ timed_outcomes() }}
        order by files.first_line_at
        limit 1
    ) as lines on true
    left join lateral (
        select reads.observed_at
        from {{ ref('stg_minecraft__log_reads') }} as reads
        where reads.server_uuid = known.server_uuid and reads.is_listing and reads.outcome = 'ok'
        order by reads.observed_at
        limit 1
    ) as first_listings on true
    left join lateral (
        select reads.observed_at
        from {{ ref('stg_minecraft__log_reads') }} as reads
        where reads.server_uuid = known.server_uuid and reads.is_listing and reads.outcome = 'ok'
        order by reads.observed_at desc
        limit 1
    ) as last_listings on true

)

-- a request that did not list and a file that could not be read tell nothing
select
    server_uuid,
    case
        when first_listed_at is not null
            then least(first_line_at, first_listed_at)
    end as logs_known_from,
    last_listed_at as logs_known_until
from found
where has_lines or first_listed_at is not null
