{{ config(tags=['daily'], indexes=[{'columns': ['local_date']}]) }}

with

-- the clocks of servers and of the host, and UTC
zones as (

    select timezone from {{ ref('stg_ops__server_timezones') }}
    union
    select timezone from {{ ref('int_host_timezone') }}
    union
    select 'UTC' as timezone

),

first_days as (

    select min(local_date) as first_date from {{ ref('fct_server_daily') }}

),

platform as (

    select max(observed_at) as last_observed_at from {{ ref('stg_ops__loads') }}

),

bounds as (

    select
        zones.timezone,
        {{ local_date('platform.last_observed_at', 'zones.timezone') }} as today,
        least(
            first_days.first_date, {{ local_date('platform.last_observed_at', 'zones.timezone') }}
        ) as first_date
    from zones
    cross join first_days
    cross join platform

),

days as (

    select
        bounds.timezone,
        bounds.today,
        generated.day::date as local_date
    from bounds
    cross join lateral generate_series(
        bounds.first_date::timestamp,
        bounds.today + interval '{{ var("calendar_days_ahead") }} days',
        interval '1 day'
    ) as generated (day)

),

instants as (

    select
        *,
        {{ local_day_start('local_date', 'timezone') }} as day_starts_at,
        {{ local_day_start('(local_date + 1)', 'timezone') }} as day_ends_at
    from days

)

select
    timezone,
    local_date,
    day_starts_at,
    day_ends_at,
    {{ seconds_between('day_starts_at', 'day_ends_at') }} / 3600 as day_hours,
    day_ends_at - day_starts_at <> interval '24 hours' as is_clock_change,
    extract(year from local_date)::integer as year_number,
    extract(quarter from local_date)::integer as quarter_number,
    extract(month from local_date)::integer as month_number,
    date_trunc('month', local_date::timestamp)::date as month_start,
    extract(day from local_date)::integer as day_of_month,
    extract(isoyear from local_date)::integer as iso_year,
    extract(week from local_date)::integer as iso_week,
    date_trunc('week', local_date::timestamp)::date as week_start,
    extract(isodow from local_date)::integer as weekday_number,
    to_char(local_date, 'FMDay') as weekday_name,
    extract(isodow from local_date) >= 6 as is_weekend,
    local_date = today as is_today,
    local_date > today as is_ahead
from instants
