{{ config(tags=['daily']) }}

with

servers as (

    select * from {{ ref('dim_servers') }}
    where is_active

),

reads as (

    select * from {{ ref('stg_pterodactyl__list_reads') }}
    where list_name = 'backups'

),

backups as (

    select * from {{ ref('stg_pterodactyl__backups') }}
    where is_active

),

known_logs as (

    select * from {{ ref('int_minecraft__known_logs') }}

),

found as (

    select
        reads.server_uuid,
        reads.read_at,
        max(backups.created_at) filter (where backups.is_successful) as recovery_point_at,
        count(*) filter (where backups.is_successful)::integer as backups_good
    from reads
    left join backups on reads.server_uuid = backups.server_uuid
    where reads.read_at is not null
    group by reads.server_uuid, reads.read_at

),

-- where there is no backup, all that was ever played would be lost
exposed as (

    select
        servers.server_uuid,
        servers.created_at,
        servers.backup_limit,
        reads.outcome as read_outcome,
        found.read_at,
        found.backups_good,
        found.recovery_point_at,
        coalesce(found.recovery_point_at, servers.created_at) as exposed_from,
        known_logs.logs_known_from,
        known_logs.logs_known_until
    from servers
    left join reads on servers.server_uuid = reads.server_uuid
    left join found on servers.server_uuid = found.server_uuid
    left join known_logs on servers.server_uuid = known_logs.server_uuid

),

covered as (

    select
        *,
        case
            when read_at is not null and logs_known_from is not null and logs_known_until is not null
                then greatest({{ seconds_between(
                    'greatest(exposed_from, logs_known_from)', 'least(read_at, logs_known_until)'
                ) }}, 0)
        end as seconds_known,
        {{ seconds_between('exposed_from', 'read_at') }} as seconds_exposed
    from exposed

),

failed as (

    select
        covered.server_uuid,
        count(*)::integer as failed_since
    from covered
    inner join backups
        on
            covered.server_uuid = backups.server_uuid
            and covered.exposed_from < backups.created_at
    where backups.backup_state = 'failed'
    group by covered.server_uuid

),

play as (

    select
        covered.server_uuid,
        count(*)::integer as sessions_since,
        count(distinct sessions.player_id)::integer as players_since,
        sum({{ seconds_between(
            'greatest(sessions.counted_from, covered.exposed_from)', 'least(sessions.counted_until, covered.read_at)'
        ) }}::numeric)::double precision / 3600 as player_hours_since
    from covered
    inner join {{ ref('fct_player_sessions') }} as sessions
        on
            covered.server_uuid = sessions.server_uuid
            and covered.exposed_from < sessions.counted_until
            and covered.read_at > sessions.counted_from
    group by covered.server_uuid

)

select
    covered.server_uuid,
    coalesce(software.is_proxy, false) as is_proxy,
    covered.read_outcome,
    covered.read_at,
    covered.backup_limit,
    covered.backups_good,
    covered.recovery_point_at,
    {{ seconds_between('covered.recovery_point_at', 'covered.read_at') }} / 3600 as recovery_point_age_hours,
    case
        when covered.read_at is null then 'list_unread'
        when covered.recovery_point_at is null then 'no_good_backup'
    end as reason,
    case when covered.read_at is not null then coalesce(failed.failed_since, 0) end as backups_failed_since,
    case when covered.seconds_known > 0 then coalesce(play.sessions_since, 0) end as sessions_since,
    case when covered.seconds_known > 0 then coalesce(play.players_since, 0) end as players_since,
    case when covered.seconds_known > 0 then coalesce(play.player_hours_since, 0) end as player_hours_since,
    {{ ratio('covered.seconds_known', 'covered.seconds_exposed') }} as play_known_ratio,
    case
        when covered.read_at is null then 'list_unread'
        when covered.seconds_known > 0 then null
        else 'log_unknown'
    end as play_reason
from covered
left join failed on covered.server_uuid = failed.server_uuid
left join play on covered.server_uuid = play.server_uuid
left join {{ ref('dim_server_software') }} as software on covered.server_uuid = software.server_uuid
