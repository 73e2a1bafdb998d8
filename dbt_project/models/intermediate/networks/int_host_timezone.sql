with

timezones as (

    select * from {{ ref('stg_ops__server_timezones') }}

),

host as (

    select coalesce(min(timezone) filter (where timezone_source = 'default'), 'UTC') as timezone
    from timezones

)

select * from host
