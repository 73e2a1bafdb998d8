with

schedules as (

    select * from {{ ref('stg_pterodactyl__schedules') }}

),

tasks as (

    select * from {{ ref('stg_pterodactyl__schedule_tasks') }}

),

timezones as (

    select * from {{ ref('stg_ops__server_timezones') }}

),

host as (

    select * from {{ ref('int_host_timezone') }}

),

-- each task waits for the ones before it
delayed as (

    select
        *,
        sum(offset_seconds) over (partition by server_uuid, schedule_id order by task_number) as seconds_after_start
    from tasks

),

stopping as (

    select
        delayed.task_id,
        delayed.server_uuid,
        delayed.schedule_id,
        delayed.payload as signal,
        delayed.seconds_after_start::integer as seconds_after_start,
        schedules.next_run_at,
        schedules.created_at as known_from,
        schedules.deleted_at as known_until,
        {{ cron_values('schedules.cron_minute', 0, 59) }} as cron_minutes,
        {{ cron_values('schedules.cron_hour', 0, 23) }} as cron_hours,
        {{ cron_values('schedules.cron_day_of_month', 1, 31) }} as cron_days_of_month,
        {{ cron_values('schedules.cron_month', 1, 12) }} as cron_months,
        {{ cron_values('schedules.cron_day_of_week', 0, 7) }} as cron_weekdays,
        schedules.cron_day_of_month = '*' as is_any_day_of_month,
        schedules.cron_day_of_week = '*' as is_any_weekday,
        coalesce(timezones.timezone, 'UTC') as server_timezone,
        host.timezone as host_timezone
    from delayed
    inner join schedules
        on delayed.server_uuid = schedules.server_uuid and delayed.schedule_id = schedules.schedule_id
    left join timezones on delayed.server_uuid = timezones.server_uuid
    cross join host
    where delayed.action = 'power' and delayed.payload in ('stop', 'restart', 'kill') and schedules.is_enabled

),

-- the panel does not tell the zone of its clock: it is one in which the next run is at a time that the schedule names
zoned as (

    select
        stopping.*,
        (
            select zones.timezone
            from (
                values (1, stopping.server_timezone), (2, stopping.host_timezone), (3, 'UTC')
            ) as zones (place, timezone)
            where
                {{ cron_has('stopping.cron_minutes', 'minute', 'stopping.next_run_at at time zone zones.timezone') }}
                and {{ cron_has('stopping.cron_hours', 'hour', 'stopping.next_run_at at time zone zones.timezone') }}
            order by zones.place
            limit 1
        ) as timezone
    from stopping

)

select
    task_id,
    server_uuid,
    schedule_id,
    signal,
    seconds_after_start,
    timezone,
    known_from,
    known_until,
    cron_minutes,
    cron_hours,
    cron_days_of_month,
    cron_months,
    cron_weekdays,
    is_any_day_of_month,
    is_any_weekday
from zoned
