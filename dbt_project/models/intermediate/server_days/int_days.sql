select days.day::date as day_date
from
    (
        select
            min(local_date) as first_date,
            max(local_date) as last_date
        from {{ ref('int_server_days') }}
    ) as bounds
cross join lateral generate_series(bounds.first_date::timestamp, bounds.last_date::timestamp, interval '1 day') as days (day)
