{{ config(
    tags=['daily'],
    indexes=[{'columns': ['server_uuid', 'local_date']}, {'columns': ['local_date']}, {'columns': ['changed_at']}]
) }}

with

changes as (

    select * from {{ ref('int_server_changes') }}

),

daily as (

    select * from {{ ref('fct_server_daily') }}

),

reliability as (

    select * from {{ ref('fct_server_reliability') }}

),

platform as (

    select max(observed_at) as last_observed_at from {{ ref('stg_ops__loads') }}

),

-- a change may be of a day of which nothing is known, and of the days around it something
dates as (

    select
        server_uuid,
        local_date
    from daily

    union

    select
        server_uuid,
        local_date
    from changes

),

days as (

    select
        dates.server_uuid,
        dates.local_date,
        daily.is_log_known,
        daily.distinct_players,
        daily.player_hours,
        daily.cpu_core_hours,
        daily.memory_p95_mebibytes,
        daily.uptime_hours,
        daily.minutes_sampled,
        daily.coverage_ratio >= {{ var('week_day_sampled_from') }} as is_sampled,
        reliability.crashes
    from dates
    left join daily on dates.server_uuid = daily.server_uuid and dates.local_date = daily.local_date
    left join reliability
        on
            dates.server_uuid = reliability.server_uuid
            and dates.local_date = reliability.period_start
            and reliability.grain = 'day'

),

{{ weeks_around_days() }},

spans as (

    select
        server_uuid,
        min(local_date) as first_date,
        max(local_date) as last_date
    from daily
    group by server_uuid

),

dated as (

    select
        changes.*,
        {{ local_date('platform.last_observed_at', 'changes.timezone') }} as today
    from changes
    cross join platform

),

reasoned as (

    select
        dated.*,
        {{ judged_week('before') }},
        {{ judged_week('after') }}
    from dated
    inner join around on dated.server_uuid = around.server_uuid and dated.local_date = around.local_date
    left join spans on dated.server_uuid = spans.server_uuid

)

-- what rests on too few days is not said
select
    change_id,
    server_uuid,
    timezone,
    local_date,
    kind,
    changed_at,
    happened_after,
    happened_before,
    is_time_exact,
    before_value,
    after_value,
    detail,
    {{ told_week('before') }},
    {{ told_week('after') }},
    source
from reasoned
