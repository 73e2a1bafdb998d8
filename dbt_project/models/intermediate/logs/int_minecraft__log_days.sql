with

files as (

    select * from {{ ref('stg_minecraft__log_files') }}

),

days as (

    select
        server_uuid,
        log_date as local_date,
        count(*)::integer as log_files,
        count(*) filter (where outcome in {{ damaged_outcomes() }})::integer as log_files_damaged,
        count(*) filter (where outcome = 'no_times')::integer as log_files_without_times,
        sum(lines_understood)::bigint as lines_with_events,
        sum(lines_ignored)::bigint as lines_ignored,
        sum(lines_unknown)::bigint as lines_unknown,
        sum(lines_continuation)::bigint as lines_continuation,
        sum(lines_understood + lines_ignored)::bigint as log_lines_understood,
        sum(lines_understood + lines_ignored + lines_unknown)::bigint as log_lines_read
    from files
    where log_date is not null
    group by server_uuid, log_date

)

select * from days
