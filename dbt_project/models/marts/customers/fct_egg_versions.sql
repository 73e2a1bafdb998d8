{{ config(tags=['daily']) }}

with

servers as (

    select
        servers.server_uuid,
        servers.egg_id,
        coalesce(software.game_version, 'unknown') as game_version
    from {{ ref('stg_pterodactyl__servers') }} as servers
    left join {{ ref('dim_server_software') }} as software on servers.server_uuid = software.server_uuid
    where servers.is_active

),

eggs as (

    {{ newest_by_id(ref('stg_pterodactyl__eggs'), 'egg_id') }}

),

newest as (

    select
        max(local_date) as last_date,
        max(local_date) - 30 as after_date
    from {{ ref('fct_server_daily') }}

),

days as (

    select
        servers.egg_id,
        servers.game_version,
        count(*) filter (where days.is_log_known and not days.is_proxy)::integer as server_days_log_known,
        sum(days.player_hours::numeric) filter (where not days.is_proxy)::double precision as player_hours,
        sum(days.cpu_core_hours::numeric)::double precision as cpu_core_hours,
        {{ coverage('sum(days.minutes_sampled)', 'sum(days.minutes_expected)') }} as coverage_ratio
    from {{ ref('fct_server_daily') }} as days
    inner join newest on days.local_date > newest.after_date
    inner join servers on days.server_uuid = servers.server_uuid
    group by servers.egg_id, servers.game_version

),

players as (

    select
        servers.egg_id,
        servers.game_version,
        count(distinct days.player_id)::integer as distinct_players
    from {{ ref('fct_player_daily') }} as days
    inner join newest on days.local_date > newest.after_date
    inner join servers on days.server_uuid = servers.server_uuid
    where not days.is_proxy
    group by servers.egg_id, servers.game_version

),

runs as (

    select
        servers.egg_id,
        servers.game_version,
        count(*)::integer as runs_begun,
        count(*) filter (where runs.end_reason = 'crashed')::integer as runs_crashed
    from {{ ref('fct_server_runs') }} as runs
    inner join newest on runs.started_at >= (newest.after_date + 1)::timestamp at time zone 'UTC'
    inner join servers on runs.server_uuid = servers.server_uuid
    group by servers.egg_id, servers.game_version

),

counted as (

    select
        egg_id,
        game_version,
        count(*)::integer as servers_active
    from servers
    group by egg_id, game_version

)

-- of servers whose log is not read nobody knows players and runs
select
    counted.egg_id,
    eggs.egg_uuid,
    eggs.egg_name,
    counted.game_version,
    newest.last_date,
    counted.servers_active,
    case when days.server_days_log_known > 0 then coalesce(players.distinct_players, 0) end as distinct_players,
    days.player_hours,
    days.cpu_core_hours,
    case when days.server_days_log_known > 0 then coalesce(runs.runs_begun, 0) end as runs_begun,
    case when days.server_days_log_known > 0 then coalesce(runs.runs_crashed, 0) end as runs_crashed,
    coalesce(days.server_days_log_known, 0) as server_days_log_known,
    days.coverage_ratio,
    case when coalesce(days.server_days_log_known, 0) = 0 then 'no_log' end as players_unknown_reason
from counted
cross join newest
left join eggs on counted.egg_id = eggs.egg_id
left join days on counted.egg_id = days.egg_id and counted.game_version = days.game_version
left join players on counted.egg_id = players.egg_id and counted.game_version = players.game_version
left join runs on counted.egg_id = runs.egg_id and counted.game_version = runs.game_version
