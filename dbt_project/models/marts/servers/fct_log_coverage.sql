{#-
    Incremental by the server's day (decision 24): days of which a log file changed or on which the folder was listed,
    and all days of a server whose zone changed. What stood there is removed first.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    meta={'tested_from': 'local_date'},
    indexes=[{'columns': ['local_date']}],
    pre_hook=[
        "{{ note_newest_load('raw_minecraft.log_files') }}",
        "{{ take_days_noted() }}",
        "{{ keep_touched_log_days() }}",
        "{{ remove_touched_days() }}",
    ],
    post_hook=["{{ note_loads_seen() }}", "{{ note_build_to_test() }}"]
) }}

-- depends_on: {{ ref('int_minecraft__log_listings') }}
-- depends_on: {{ ref('stg_minecraft__log_files') }}
-- depends_on: {{ ref('stg_minecraft__log_reads') }}
-- depends_on: {{ ref('stg_ops__server_timezones') }}
with

{% if is_incremental() -%}
lines as (

    select found.*
    from touched_days as touched
    cross join lateral (
        select days.*
        from {{ ref('int_minecraft__log_days') }} as days
        where days.server_uuid = touched.server_uuid and days.local_date = touched.local_date
        {{ by_index_for_each_row() }}
    ) as found

),

-- as int_minecraft__log_listings has them
listings as (

    select
        touched.server_uuid,
        touched.local_date,
        found.*
    from touched_days as touched
    cross join lateral (
        select
            reads.observed_at as listed_at,
            reads.files_present,
            reads.bytes_present,
            reads.bytes_read
        from {{ ref('stg_minecraft__log_reads') }} as reads
        where
            reads.server_uuid = touched.server_uuid
            and reads.observed_at >= touched.day_starts_at
            and reads.observed_at < touched.day_ends_at
            and reads.is_listing
            and reads.outcome = 'ok'
            and reads.bytes_present is not null
        order by reads.observed_at desc
        limit 1
    ) as found

),

{% else -%}
lines as (

    select * from {{ ref('int_minecraft__log_days') }}

),

listings as (

    select * from {{ ref('int_minecraft__log_listings') }}

),

{% endif -%}
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
