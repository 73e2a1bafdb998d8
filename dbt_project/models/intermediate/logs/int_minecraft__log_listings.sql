with

reads as (

    select * from {{ ref('stg_minecraft__log_reads') }}

),

timezones as (

    select * from {{ ref('stg_ops__server_timezones') }}

),

dated as (

    select
        reads.server_uuid,
        reads.observed_at,
        reads.files_present,
        reads.bytes_present,
        reads.bytes_read,
        {{ local_date('reads.observed_at', "coalesce(timezones.timezone, 'UTC')") }} as local_date
    from reads
    left join timezones on reads.server_uuid = timezones.server_uuid
    where
        reads.is_listing
        and reads.outcome = 'ok'

),

-- each listing tells of the whole folder, so the last one of a day is the day's
listings as (

    select distinct on (server_uuid, local_date) *
    from dated
    where bytes_present is not null
    order by server_uuid asc, local_date asc, observed_at desc

)

select
    server_uuid,
    local_date,
    observed_at as listed_at,
    files_present,
    bytes_present,
    bytes_read
from listings
