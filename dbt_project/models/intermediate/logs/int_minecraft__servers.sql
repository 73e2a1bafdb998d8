{#- Of each server the first row of an index, so that it reads no more the more is known of it. -#}
with

known as (

    select server_uuid from {{ servers_in(ref('stg_minecraft__server_runs')) }} as runs
    union
    select server_uuid from {{ servers_in(ref('stg_minecraft__log_files')) }} as files

),

-- a run whose start is not known comes before all whose start is. Where the start lies before the first known line, a
-- line in the middle of the log may still name the software
described as (

    select
        known.server_uuid,
        coalesce(runs.software, files.software) as software,
        coalesce(runs.is_proxy, files.is_proxy) as is_proxy_by_its_log,
        case
            when runs.software is null and files.software is not null
                then coalesce(files.game_version, runs.game_version)
            else runs.game_version
        end as game_version,
        exists (
            select 1
            from {{ ref('stg_minecraft__player_sessions') }} as sessions
            where sessions.server_uuid = known.server_uuid and sessions.is_proxy
        ) as has_proxy_sessions
    from known
    left join lateral (
        select
            newest.server_uuid,
            newest.software,
            newest.is_proxy,
            newest.game_version
        from {{ ref('stg_minecraft__server_runs') }} as newest
        where newest.server_uuid = known.server_uuid
        order by newest.started_at desc nulls last, newest.run_key desc
        limit 1
    ) as runs on true
    left join lateral (
        select
            newest.server_uuid,
            newest.software,
            newest.is_proxy,
            newest.game_version
        from {{ ref('stg_minecraft__log_files') }} as newest
        where newest.server_uuid = known.server_uuid and newest.software is not null
        order by newest.last_line_at desc nulls last, newest.file_key asc
        limit 1
    ) as files on true
    where runs.server_uuid is not null or files.server_uuid is not null

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
