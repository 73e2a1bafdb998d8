# ---
# jupyter:
#   pteroassets:
#     title: Reliability
#     summary: Crashes and their causes, uptime, start-up, overloads and backups.
#     order: 70
#     schedule: "47 * * * *"
#     stale_after_hours: 3
#     limit_seconds: 60
#     passes: [utilization, logs, upkeep]
#     reads: [fct_server_runs, fct_server_daily, fct_player_sessions, dim_servers, stg_pterodactyl__backups,
#       stg_pterodactyl__list_reads]
# ---

# %%
from pteroassets.dashboards import kit

kit.top(["utilization", "logs", "upkeep"])

# %%
month = kit.one("""
    select
        case when count(*) > 0 then count(*) filter (where end_reason = 'crashed') end as crashes,
        count(*) filter (where end_reason = 'crashed') / nullif(sum(counted_minutes) / 1440, 0) as crashes_a_day,
        percentile_cont(0.5) within group (order by startup_seconds) as startup_seconds,
        sum(overload_warnings) as overload_warnings
    from fct_server_runs where started_date > (select max(started_date) from fct_server_runs) - 30
""")
cut = kit.one("""
    select
        case when count(*) > 0 then count(*) filter (where close_reason = 'server_crashed') end
            as sessions_cut_by_crashes
    from fct_player_sessions
    where not is_proxy and joined_at > (select max(joined_at) from fct_player_sessions) - interval '30 days'
""")
up = kit.one("""
    select sum(uptime_hours) / nullif(sum(minutes_sampled) / 60, 0) as uptime from fct_server_daily
    where local_date > (select max(local_date) from fct_server_daily) - 30
""")
kit.figures(
    kit.figure("uptime", up["uptime"], why="nothing was sampled", of="all servers, last 30 days"),
    kit.figure("crashes", month["crashes"], why="no run was seen", of="of runs begun in the last 30 days"),
    kit.figure("crashes_a_day", month["crashes_a_day"], why="no run was seen", of="last 30 days"),
    kit.figure("sessions_cut_by_crashes", cut["sessions_cut_by_crashes"], why="no session was seen", of="last 30 days"),
    kit.figure("startup_seconds", month["startup_seconds"], why="no start says how long it took", of="last 30 days"),
    kit.figure("overload_warnings", month["overload_warnings"], why="no run was seen", of="last 30 days"),
)

# %%
by_day = kit.ask("""
    select started_date as day, coalesce(crash_cause, 'killed or without a word') as cause, count(*) as crashes
    from fct_server_runs where end_reason = 'crashed' and started_date is not null group by 1, 2 order by 1
""")
kit.line(
    by_day.groupby("day", as_index=False)[["crashes"]].sum(), x="day", metric="crashes",
    title="Crashes, by the day on which the run began", empty="No crash was seen.",
)  # fmt: skip

# %%
kit.bars(by_day, y="cause", metric="crashes", title="Crashes by cause", empty="No crash was seen.")

# %% [markdown]
# ## Servers

# %%
servers = kit.ask("""
    with runs as (
        select
            server_uuid,
            count(*) filter (where end_reason = 'crashed') as crashes,
            count(*) filter (where end_reason = 'crashed') / nullif(sum(counted_minutes) / 1440, 0) as crashes_a_day,
            count(*) filter (where is_start_observed) as starts, sum(overload_warnings) as overload_warnings,
            percentile_cont(0.5) within group (order by startup_seconds) as startup_seconds,
            mode() within group (order by crash_cause) as usual_cause
        from fct_server_runs where started_date > (select max(started_date) from fct_server_runs) - 30
        group by server_uuid
    ),
    days as (
        select
            server_uuid, sum(uptime_hours) / nullif(sum(minutes_sampled) / 60, 0) as uptime,
            sum(minutes_sampled) / nullif(sum(minutes_expected), 0) as sample_coverage
        from fct_server_daily where local_date > (select max(local_date) from fct_server_daily) - 30
        group by server_uuid
    )
    select * from dim_servers left join runs using (server_uuid) left join days using (server_uuid)
    where is_active order by crashes desc nulls last, server_name
""")
kit.table(
    servers,
    {
        "server_name": "Server", "node_name": "Node", "crashes": "crashes", "crashes_a_day": "crashes_a_day",
        "usual_cause": "Usual cause", "starts": "starts", "startup_seconds": "startup_seconds",
        "overload_warnings": "overload_warnings", "uptime": "uptime", "sample_coverage": "sample_coverage",
    },
    caption="Servers, last 30 days, the most crashes first", empty="The panel lists no server.",
    links={"server_name": ("server", "server_uuid")}, note="A dash: no log of it is known, or nothing was sampled.",
)  # fmt: skip

# %% [markdown]
# ## Backups

# %%
backups = kit.ask(
    """
    with found as (
        select
            server_uuid, count(*) filter (where backup_state = 'ok') as backups_good,
            count(*) filter (where backup_state = 'failed') as backups_failed,
            sum(size_bytes) / 1024.0 ^ 3 as backup_size,
            max(completed_at) filter (where backup_state = 'ok') as last_good_at
        from staging.stg_pterodactyl__backups where is_active group by server_uuid
    )
    select
        server_uuid, server_name, outcome, case when is_read then coalesce(backups_good, 0) end as backups_good,
        case when is_read then coalesce(backups_failed, 0) end as backups_failed, backup_size, last_good_at,
        extract(epoch from %(now)s - last_good_at) / 3600 as backup_age
    from dim_servers
    left join (
        select * from staging.stg_pterodactyl__list_reads where list_name = 'backups'
    ) as reads using (server_uuid)
    left join found using (server_uuid)
    where is_active order by backup_age desc nulls first, server_name
""",
    now=kit.now(),
)
without = backups[(backups["backups_good"] == 0)]
kit.note(
    f"Without a good backup: {', '.join(without['server_name'])}." if len(without)
    else "Each server whose backups were read has a good one." if backups["backups_good"].notna().any()
    else "Backups were not read yet.",
    "warning" if len(without) else "note",
)  # fmt: skip

# %%
kit.table(
    backups,
    {
        "server_name": "Server", "backups_good": "backups_good", "backups_failed": "backups_failed",
        "backup_age": "backup_age", "last_good_at": "Last good one (UTC)", "backup_size": "backup_size",
        "outcome": "Reading of the list",
    },
    caption="Backups, the oldest first", empty="The panel lists no server.",
    links={"server_name": ("server", "server_uuid")},
)  # fmt: skip
