with

versions as (

    select * from {{ ref('stg_pterodactyl__server_versions') }}

),

-- a deleted server's last version holds until the server was gone, not until the next one of its name
bounded as (

    select
        *,
        case
            when is_active then valid_to
            else least(coalesce(valid_to, 'infinity'), deleted_at)
        end as holds_until,
        jsonb_build_array(
            memory_limit_mebibytes,
            swap_limit_mebibytes,
            disk_limit_mebibytes,
            io_weight,
            cpu_limit_percent,
            cpu_threads,
            is_oom_killer_disabled,
            database_limit,
            allocation_limit,
            backup_limit,
            egg_id,
            nest_id,
            owner_user_id,
            node_id,
            status,
            is_suspended
        ) as tracked
    from versions

),

compared as (

    select
        *,
        lag(tracked) over (partition by server_uuid order by valid_from) as tracked_before,
        lag(holds_until) over (partition by server_uuid order by valid_from) as held_until
    from bounded
    where valid_from < coalesce(holds_until, 'infinity')

),

numbered as (

    select
        *,
        count(*) filter (
            where tracked is distinct from tracked_before or valid_from is distinct from held_until
        ) over (partition by server_uuid order by valid_from) as period
    from compared

),

begun as (

    select
        server_uuid,
        period,
        min(valid_from) as began_at,
        max(valid_from) as newest_from
    from numbered
    group by server_uuid, period

),

collapsed as (

    select
        numbered.server_uuid,
        numbered.server_id,
        numbered.period,
        begun.began_at as valid_from,
        numbered.holds_until as valid_to,
        numbered.created_at,
        nullif(numbered.memory_limit_mebibytes, 0) as memory_limit_mebibytes,
        numbered.swap_limit_mebibytes,
        nullif(numbered.disk_limit_mebibytes, 0) as disk_limit_mebibytes,
        numbered.io_weight,
        nullif(numbered.cpu_limit_percent, 0) as cpu_limit_percent,
        numbered.cpu_threads,
        numbered.is_oom_killer_disabled,
        numbered.database_limit,
        numbered.allocation_limit,
        numbered.backup_limit,
        numbered.egg_id,
        numbered.nest_id,
        numbered.owner_user_id,
        numbered.node_id,
        numbered.status,
        numbered.is_suspended
    from begun
    inner join numbered
        on
            begun.server_uuid = numbered.server_uuid
            and begun.newest_from = numbered.valid_from

),

-- nothing older than the first reading is known of a server, so its first limits count from its creation
counted as (

    select
        *,
        case when period = 1 then least(valid_from, created_at) else valid_from end as counted_from
    from collapsed

)

select * from counted
