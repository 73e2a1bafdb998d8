{{ config(tags=['daily'], indexes=[{'columns': ['server_uuid', 'stopped_at']}, {'columns': ['local_date', 'kind']}]) }}

with

runs as (

    select * from {{ ref('fct_server_runs') }}

),

days as (

    select * from {{ ref('fct_server_daily') }}

),

schedules as materialized (

    select * from {{ ref('int_power_schedules') }}

),

list_reads as (

    select * from {{ ref('stg_pterodactyl__list_reads') }}

),

users as (

    select * from {{ ref('dim_users') }}

),

ended as (

    select
        runs.run_id,
        runs.server_uuid,
        runs.timezone,
        runs.end_reason,
        runs.crash_cause,
        runs.is_end_observed,
        coalesce(runs.ended_at, runs.ended_at_lower) as stopped_at,
        coalesce(runs.ended_at, runs.ended_at_upper) as stopped_before,
        coalesce(runs.ended_at, runs.ended_at_lower) at time zone runs.timezone as wall_clock,
        following.started_at as next_started_at
    from runs
    left join lateral (
        select later.started_at
        from {{ ref('fct_server_runs') }} as later
        where
            later.server_uuid = runs.server_uuid
            and later.run_id <> runs.run_id
            and later.started_at >= coalesce(runs.ended_at, runs.ended_at_lower)
        order by later.started_at
        limit 1
    ) as following on true
    where runs.end_reason is not null and coalesce(runs.ended_at, runs.ended_at_lower) is not null

),

-- what the clock of the server shows does not move when clocks change, and days are counted over midnight
others as (

    select
        ended.run_id,
        {{ seconds_between('ended.wall_clock', 'others.wall_clock') }} as seconds_apart
    from ended
    cross join generate_series(-8, 8) as neighbours (days)
    inner join ended as others
        on
            ended.server_uuid = others.server_uuid
            and ended.wall_clock::date + neighbours.days = others.wall_clock::date
            and others.end_reason = 'stopped'
    where ended.end_reason = 'stopped'

),

usual as (

    select
        run_id,
        count(distinct round(seconds_apart / 86400)) as days_at_this_time
    from others
    where
        abs(round(seconds_apart / 86400)) <= 7
        and abs(seconds_apart - 86400 * round(seconds_apart / 86400)) <= 60 * {{ var('usual_stop_minutes') }}
    group by run_id

),

judged as (

    select
        ended.*,
        coalesce(usual.days_at_this_time, 0)::integer as days_at_this_time,
        (
            select count(*)
            from days
            where
                days.server_uuid = ended.server_uuid
                and days.is_log_known
                and days.local_date between ended.wall_clock::date - 7 and ended.wall_clock::date + 7
        )::integer as days_known,
        {{ is_stop_of_schedule('ended', 'schedules') }} as is_of_schedule,
        acts.actor_uuid,
        coalesce(schedule_reads.read_at is not null, false) as are_schedules_read,
        known_logs.logs_known_until
    from ended
    left join usual on ended.run_id = usual.run_id
    left join lateral (
        select activity.actor_uuid
        from {{ ref('stg_pterodactyl__activity') }} as activity
        where {{ is_stop_of_person('ended', 'activity') }}
        order by activity.occurred_at desc
        limit 1
    ) as acts on true
    left join list_reads as schedule_reads
        on ended.server_uuid = schedule_reads.server_uuid and schedule_reads.list_name = 'schedules'
    left join {{ ref('int_minecraft__known_logs') }} as known_logs on ended.server_uuid = known_logs.server_uuid

),

{{ told_stops('judged') }}

select
    told.run_id,
    told.server_uuid,
    told.timezone,
    told.stopped_at,
    told.stopped_before,
    told.is_end_observed,
    told.wall_clock::date as local_date,
    told.kind,
    told.told_by,
    told.reason,
    told.crash_cause,
    told.actor_uuid as actor_user_uuid,
    users.username as actor_username,
    told.days_at_this_time,
    told.days_known,
    told.is_outage,
    told.next_started_at,
    told.is_restart,
    told.down_minutes_least,
    told.down_minutes_most
from told
left join users on told.actor_uuid = users.user_uuid
