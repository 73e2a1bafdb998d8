with

files as (

    select * from {{ ref('stg_minecraft__log_files') }}

),

reads as (

    select * from {{ ref('stg_minecraft__log_reads') }}

),

lines as (

    select
        server_uuid,
        min(first_line_at) as first_line_at
    from files
    where outcome in {{ timed_outcomes() }}
    group by server_uuid

),

listings as (

    select
        server_uuid,
        min(observed_at) as first_listed_at,
        max(observed_at) as last_listed_at
    from reads
    where is_listing and outcome = 'ok'
    group by server_uuid

),

known as (

    select
        coalesce(listings.server_uuid, lines.server_uuid) as server_uuid,
        case
            when listings.first_listed_at is not null
                then least(lines.first_line_at, listings.first_listed_at)
        end as logs_known_from,
        listings.last_listed_at as logs_known_until
    from listings
    full outer join lines on listings.server_uuid = lines.server_uuid

)

select * from known
