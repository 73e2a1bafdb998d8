{{ config(indexes=[{'columns': ['local_date']}]) }}

with

lines as (

    select * from {{ ref('int_minecraft__log_days') }}

),

listings as (

    select * from {{ ref('int_minecraft__log_listings') }}

),

joined as (

    select
        coalesce(lines.server_uuid, listings.server_uuid) as server_uuid,
        coalesce(lines.local_date, listings.local_date) as local_date,
        lines.log_files,
        lines.log_files_damaged,
        lines.log_files_without_times,
        lines.log_lines_read + lines.lines_continuation as lines_read,
        lines.lines_with_events as lines_understood,
        lines.lines_ignored,
        lines.lines_unknown,
        lines.lines_continuation,
        {{ ratio('lines.log_lines_understood', 'lines.log_lines_read') }} as understood_ratio,
        listings.listed_at,
        listings.files_present,
        listings.bytes_present,
        listings.bytes_read,
        {{ ratio('listings.bytes_read', 'listings.bytes_present') }} as bytes_read_ratio
    from lines
    full outer join listings
        on
            lines.server_uuid = listings.server_uuid
            and lines.local_date = listings.local_date

)

select * from joined
