with

terms as (

    select * from {{ ref('int_server_terms') }}

),

loads as (

    select * from {{ ref('stg_ops__loads') }}

),

sampling_passes as not materialized (

    select * from {{ sampling_passes() }}

),

known_logs as (

    select * from {{ ref('int_minecraft__known_logs') }}

),

platform as (

    select
        min(observed_at) as first_observed_at,
        max(observed_at) as last_observed_at
    from loads

),

-- the ends of an index, one row each, as those of the ledger
passes as (

    select
        (select min(pass_at) from sampling_passes) as first_pass_at,
        (
            select pass_at + make_interval(secs => interval_seconds)
            from sampling_passes
            order by pass_at desc
            limit 1
        ) as last_span_until

),

known as (

    select server_uuid from terms
    union
    select server_uuid from {{ servers_in(ref('int_server_utilization_daily')) }} as sampled
    union
    select server_uuid from known_logs

),

lifetimes as (

    select
        known.server_uuid,
        coalesce(terms.timezone, 'UTC') as timezone,
        terms.terms_digest,
        greatest(terms.exists_from, platform.first_observed_at) as expected_from,
        least(terms.exists_until, platform.last_observed_at) as expected_until,
        case
            when passes.first_pass_at is not null then greatest(terms.exists_from, passes.first_pass_at)
        end as sampling_from,
        least(
            terms.exists_until, greatest(platform.last_observed_at, passes.last_span_until)
        ) as sampling_until,
        known_logs.logs_known_from,
        known_logs.logs_known_until
    from known
    cross join platform
    cross join passes
    left join terms on known.server_uuid = terms.server_uuid
    left join known_logs on known.server_uuid = known_logs.server_uuid

)

select * from lifetimes
