with

lifetimes as (

    select * from {{ ref('int_server_lifetimes') }}

),

sessions as (

    select * from {{ ref('int_minecraft__sessions_daily') }}

),

spans as (

    {{ expected_days('lifetimes') }}

),

expected as (

    select
        spans.server_uuid,
        generated.day::date as local_date
    from spans
    cross join lateral generate_series(
        spans.first_date::timestamp, spans.last_date::timestamp, interval '1 day'
    ) as generated (day)

),

-- what was seen stands, whether it was expected or not
days as (

    select
        server_uuid,
        local_date
    from expected

    union

    select
        server_uuid,
        local_date
    from sessions

),

{{ judged_days() }}

select * from judged
