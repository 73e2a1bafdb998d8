with

lifetimes as (

    select * from {{ ref('int_server_lifetimes') }}

),

sessions as (

    select * from {{ ref('int_minecraft__sessions_daily') }}

),

spans as (

    select
        server_uuid,
        least(expected_from, logs_known_from) as starts_at,
        greatest(expected_until, logs_known_until) as ends_at,
        timezone
    from lifetimes

),

expected as (

    select
        spans.server_uuid,
        generated.day::date as local_date
    from spans
    cross join lateral generate_series(
        {{ local_date('starts_at', 'timezone') }}::timestamp,
        {{ local_date("ends_at - interval '1 microsecond'", 'timezone') }}::timestamp,
        interval '1 day'
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

bounded as (

    select
        days.server_uuid,
        days.local_date,
        coalesce(lifetimes.timezone, 'UTC') as timezone,
        {{ local_day_start('days.local_date', "coalesce(lifetimes.timezone, 'UTC')") }} as day_starts_at,
        {{ local_day_start('(days.local_date + 1)', "coalesce(lifetimes.timezone, 'UTC')") }} as day_ends_at,
        lifetimes.sampling_from,
        lifetimes.sampling_until,
        lifetimes.logs_known_from,
        lifetimes.logs_known_until
    from days
    left join lifetimes on days.server_uuid = lifetimes.server_uuid

),

judged as (

    select
        server_uuid,
        local_date,
        timezone,
        day_starts_at,
        day_ends_at,
        case
            when sampling_from is not null and sampling_until is not null
                then
                    greatest(
                        {{ seconds_between(
                            'greatest(day_starts_at, sampling_from)', 'least(day_ends_at, sampling_until)'
                        ) }},
                        0
                    )
                    / 60
            else 0
        end as minutes_expected,
        coalesce(day_ends_at > logs_known_from and day_starts_at < logs_known_until, false) as is_log_known
    from bounded

)

select * from judged
