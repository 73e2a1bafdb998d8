{{ config(tags=['daily'], indexes=[{'columns': ['owner_user_uuid', 'period_grain', 'period_start']}]) }}

with

periods as (

    select * from {{ ref('int_owner_periods') }}

),

owners as (

    select * from {{ ref('int_server_owners') }}

),

users as (

    {{ newest_by_id(ref('stg_pterodactyl__users'), 'user_id') }}

),

grains as (

    select * from (values ('week'), ('month')) as grains (period_grain)

),

-- a server's day is its owner's at the end of it
players as (

    select
        grains.period_grain,
        date_trunc(grains.period_grain, days.local_date::timestamp)::date as period_start,
        owners.owner_user_id,
        count(distinct days.player_id)::integer as distinct_players
    from {{ ref('fct_player_daily') }} as days
    inner join owners
        on
            days.server_uuid = owners.server_uuid
            and days.local_date >= owners.first_date
            and days.local_date < coalesce(owners.next_date, 'infinity')
    cross join grains
    where not days.is_proxy
    group by grains.period_grain, date_trunc(grains.period_grain, days.local_date::timestamp), owners.owner_user_id

),

use as (

    select
        grains.period_grain,
        date_trunc(grains.period_grain, days.local_date::timestamp)::date as period_start,
        owners.owner_user_id,
        count(*)::integer as server_days,
        count(*) filter (where days.is_log_known and not days.is_proxy)::integer as server_days_log_known,
        sum(days.player_hours::numeric) filter (where not days.is_proxy)::double precision as player_hours,
        sum(days.cpu_core_hours::numeric)::double precision as cpu_core_hours,
        sum(days.uptime_hours::numeric)::double precision as uptime_hours,
        {{ coverage('sum(days.minutes_sampled)', 'sum(days.minutes_expected)') }} as coverage_ratio
    from {{ ref('fct_server_daily') }} as days
    inner join owners
        on
            days.server_uuid = owners.server_uuid
            and days.local_date >= owners.first_date
            and days.local_date < coalesce(owners.next_date, 'infinity')
    cross join grains
    group by grains.period_grain, date_trunc(grains.period_grain, days.local_date::timestamp), owners.owner_user_id

)

-- P. S. Fader and B. G. S. Hardie, How to project customer retention, 2007: churn is what retention leaves of those who
-- were customers when the period began
select
    periods.owner_user_id,
    users.user_uuid as owner_user_uuid,
    periods.period_grain,
    periods.period_start,
    periods.period_end,
    periods.is_begin_known and periods.is_over as is_whole,
    periods.servers_total,
    periods.servers_at_start,
    periods.servers_gained,
    periods.servers_lost,
    periods.servers_at_end,
    periods.memory_limit_mebibytes,
    periods.disk_limit_mebibytes,
    periods.servers_without_memory_limit,
    case
        when not periods.is_begin_known then 'history_too_short'
        when not periods.is_over then 'not_over'
        when periods.servers_at_start = 0 then 'no_customer_at_start'
    end as churn_unknown_reason,
    case
        when periods.is_begin_known and periods.is_over and periods.servers_at_start > 0
            then periods.servers_at_end = 0
    end as has_churned,
    case
        when use.server_days_log_known > 0 then coalesce(players.distinct_players, 0)
    end as distinct_players,
    use.player_hours,
    case when coalesce(use.server_days_log_known, 0) = 0 then 'no_log' end as players_unknown_reason,
    use.cpu_core_hours,
    use.uptime_hours,
    coalesce(use.server_days, 0) as server_days,
    coalesce(use.server_days_log_known, 0) as server_days_log_known,
    use.coverage_ratio
from periods
left join users on periods.owner_user_id = users.user_id
left join use
    on
        periods.owner_user_id = use.owner_user_id
        and periods.period_grain = use.period_grain
        and periods.period_start = use.period_start
left join players
    on
        periods.owner_user_id = players.owner_user_id
        and periods.period_grain = players.period_grain
        and periods.period_start = players.period_start
