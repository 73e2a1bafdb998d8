with

terms as (

    select * from {{ ref('int_server_terms') }}

),

loads as (

    select * from {{ ref('stg_ops__loads') }}

),

samples as (

    select * from {{ ref('stg_pterodactyl__utilization_samples') }}

),

sampled_days as (

    select * from {{ ref('int_server_utilization_daily') }}

),

files as (

    select * from {{ ref('stg_minecraft__log_files') }}

),

reads as (

    select * from {{ ref('stg_minecraft__log_reads') }}

),

platform as (

    select
        min(observed_at) as first_observed_at,
        max(observed_at) as last_observed_at
    from loads

),

-- the ends of the index, one row each
passes as (

    select
        (select min(pass_at) from samples) as first_pass_at,
        (
            select pass_at + make_interval(secs => interval_seconds)
            from samples
            order by pass_at desc
            limit 1
        ) as last_span_until

),

logs as (

    select
        server_uuid,
        min(first_line_at) as first_line_at
    from files
    where outcome in ('ok', 'truncated')
    group by server_uuid

),

listings as (

    select
        server_uuid,
        min(observed_at) as first_listed_at,
        max(observed_at) as last_listed_at
    from reads
    where is_listing and outcome in ('ok', 'unchanged')
    group by server_uuid

),

known as (

    select server_uuid from terms
    union
    select server_uuid from sampled_days
    union
    select server_uuid from logs
    union
    select server_uuid from listings

),

lifetimes as (

    select
        known.server_uuid,
        coalesce(terms.timezone, 'UTC') as timezone,
        greatest(terms.exists_from, platform.first_observed_at) as expected_from,
        least(terms.exists_until, platform.last_observed_at) as expected_until,
        case
            when passes.first_pass_at is not null then greatest(terms.exists_from, passes.first_pass_at)
        end as sampling_from,
        least(
            terms.exists_until, greatest(platform.last_observed_at, passes.last_span_until)
        ) as sampling_until,
        case
            when listings.first_listed_at is not null
                then least(logs.first_line_at, listings.first_listed_at)
        end as logs_known_from,
        listings.last_listed_at as logs_known_until
    from known
    cross join platform
    cross join passes
    left join terms on known.server_uuid = terms.server_uuid
    left join logs on known.server_uuid = logs.server_uuid
    left join listings on known.server_uuid = listings.server_uuid

)

select * from lifetimes
