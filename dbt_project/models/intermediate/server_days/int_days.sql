with

bounds as (

    select
        min(local_date)::timestamp as first_day,
        max(local_date)::timestamp as last_day
    from {{ ref('int_server_days') }}

)

select generated.day::date as day_date
from bounds
cross join lateral generate_series(bounds.first_day, bounds.last_day, interval '1 day') as generated (day)
