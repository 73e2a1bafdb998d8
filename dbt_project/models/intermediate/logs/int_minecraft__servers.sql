with

runs as (

    select * from {{ ref('stg_minecraft__server_runs') }}

),

files as (

    select * from {{ ref('stg_minecraft__log_files') }}

),

sessions as (

    select * from {{ ref('stg_minecraft__player_sessions') }}

),

-- a run whose start is not known comes before all whose start is
newest_runs as (

    select distinct on (server_uuid)
        server_uuid,
        started_at,
        software,
        is_proxy,
        game_version
    from runs
    order by server_uuid asc, started_at desc nulls last, run_key desc

),

-- where the start lies before the first known line, a line in the middle of the log may still name the software
newest_files as (

    select distinct on (server_uuid)
        server_uuid,
        software,
        is_proxy,
        game_version
    from files
    where software is not null
    order by server_uuid asc, last_line_at desc nulls last, file_key asc

),

proxied as (

    select distinct server_uuid
    from sessions
    where is_proxy

),

known as (

    select server_uuid from newest_runs
    union
    select server_uuid from newest_files

),

described as (

    select
        known.server_uuid,
        coalesce(newest_runs.software, newest_files.software) as software,
        coalesce(newest_runs.is_proxy, newest_files.is_proxy) as is_proxy_by_its_log,
        case
            when newest_runs.software is null and newest_files.software is not null
                then coalesce(newest_runs.game_version, newest_files.game_version)
            else newest_runs.game_version
        end as game_version,
        proxied.server_uuid is not null as has_proxy_sessions
    from known
    left join newest_runs on known.server_uuid = newest_runs.server_uuid
    left join newest_files on known.server_uuid = newest_files.server_uuid
    left join proxied on known.server_uuid = proxied.server_uuid

),

-- nobody need have come yet for a proxy to be one; which programs are proxies is known to the parser alone
judged as (

    select
        server_uuid,
        software,
        game_version,
        coalesce(is_proxy_by_its_log, has_proxy_sessions) as is_proxy
    from described

)

select * from judged
