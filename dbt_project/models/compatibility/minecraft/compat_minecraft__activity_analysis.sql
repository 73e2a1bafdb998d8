{{ config(alias='activity_analysis') }}

with

activity as (

    select * from {{ ref('compat_minecraft__activity') }}

),

servers as (

    select * from {{ ref('stg_pterodactyl__servers') }}

),

loads as (

    select * from {{ ref('stg_ops__loads') }}

),

-- today is the day of the newest load: the same on a clock that is set as on the wall's
today as (

    select (max(observed_at) at time zone 'UTC')::date as date
    from loads

),

counted as (

    select
        activity.server_identifier,
        count(distinct activity."user") filter (where activity."user" <> 'server') as total_users,
        count(*) as total_activity,
        count(distinct activity."user") filter (
            where activity."user" <> 'server' and activity.date > today.date - 7
        ) as last_week_active_users,
        count(*) filter (where activity.date > today.date - 7) as last_week_activity,
        count(distinct activity."user") filter (
            where activity."user" <> 'server' and activity.date > today.date - 30
        ) as last_month_active_users,
        count(*) filter (where activity.date > today.date - 30) as last_month_activity,
        max(activity.date) as last_activity_date
    from activity
    cross join today
    group by activity.server_identifier

),

named as (

    select
        counted.server_identifier as identifier,
        servers.server_name as name,
        counted.total_users,
        counted.total_activity,
        counted.last_week_active_users,
        counted.last_week_activity,
        counted.last_month_active_users,
        counted.last_month_activity,
        counted.last_activity_date
    from counted
    left join servers on counted.server_identifier = servers.identifier

)

select * from named
