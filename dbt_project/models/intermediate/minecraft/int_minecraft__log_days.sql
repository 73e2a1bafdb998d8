with

files as (

    select * from {{ ref('stg_minecraft__log_files') }}

),

days as (

    select
        server_uuid,
        log_date as local_date,
        sum(lines_understood + lines_ignored)::bigint as log_lines_understood,
        sum(lines_understood + lines_ignored + lines_unknown)::bigint as log_lines_read,
        count(*) filter (where outcome in ('unreadable', 'truncated'))::integer as log_files_damaged
    from files
    where log_date is not null
    group by server_uuid, log_date

)

select * from days
