# ---
# jupyter:
#   pteroassets:
#     title: Fleet
#     summary: What runs, what is used, and what needs a look today.
#     order: 10
#     schedule: "7 * * * *"
#     stale_after_hours: 3
#     limit_seconds: 60
#     passes: [entities, utilization, logs]
#     reads: [dim_servers, dim_nodes, fct_server_daily, fct_network_daily, fct_server_runs, fct_right_sizing,
#       fct_sleeping_servers, fct_recovery_points, fct_limit_utilization_daily, fct_player_hour_costs]
# ---

# %%
from pteroassets.dashboards import kit

kit.top(["entities", "utilization", "logs"])

# %%
estate = kit.one("""
    select
        count(*) filter (where is_active) as servers_active,
        count(*) filter (where is_active and is_suspended) as servers_suspended,
        count(*) filter (where not is_active) as servers_gone,
        sum(memory_limit_mebibytes) filter (where is_active) / 1024.0 as memory_limits
    from dim_servers
""")
nodes = kit.one("select count(*) filter (where is_active) as nodes_active from dim_nodes")
week = kit.one("""
    with week as (
        select * from fct_network_daily
        where local_date > (select max(local_date) from fct_network_daily) - 7
    )
    select
        max(distinct_players) as daily_players,
        max(peak_concurrent_players) as peak_players,
        sum(player_hours) as network_player_hours
    from week
""")
crashes = kit.one("""
    select case when count(*) > 0 then count(*) filter (where end_reason = 'crashed') end as crashes
    from fct_server_runs
    where started_date > (select max(started_date) from fct_server_runs) - 7
""")
NO_LOG = "no log of the last week was read"

kit.figures(
    kit.figure("servers_active", estate["servers_active"]),
    kit.figure("servers_suspended", estate["servers_suspended"]),
    kit.figure("servers_gone", estate["servers_gone"], of="ever, as far as it is known"),
    kit.figure("nodes_active", nodes["nodes_active"]),
    kit.figure("memory_limits", estate["memory_limits"], why="no server has a limit"),
    kit.figure("daily_players", week["daily_players"], why=NO_LOG, of="most in the last 7 days"),
    kit.figure("peak_players", week["peak_players"], why=NO_LOG, of="in the last 7 days"),
    kit.figure("network_player_hours", week["network_player_hours"], why=NO_LOG, of="in the last 7 days"),
    kit.figure("crashes", crashes["crashes"], why=NO_LOG, of="of runs begun in the last 7 days"),
)

# %% [markdown]
# ## How it went

# %%
days = kit.ask("select local_date, player_hours, distinct_players from fct_network_daily order by local_date")
kit.line(
    days, x="local_date", metric="network_player_hours", value="player_hours",
    title="Player-hours of the host, by day", empty="No log was read yet.",
)  # fmt: skip

# %%
use = kit.ask("""
    select local_date, sum(cpu_core_hours) as cpu_core_hours
    from fct_server_daily
    group by local_date order by local_date
""")
kit.line(
    use, x="local_date", metric="cpu_core_hours",
    title="Core-hours of all servers, by day", empty="Nothing was sampled yet.",
)  # fmt: skip

# %% [markdown]
# ## Servers

# %%
servers = kit.ask("""
    with week as (
        select
            server_uuid,
            sum(player_hours) filter (where not is_proxy) as player_hours,
            sum(cpu_core_hours) as cpu_core_hours,
            max(memory_p95_limit_ratio) as memory_p95_of_limit,
            sum(uptime_hours) / nullif(sum(minutes_sampled) / 60, 0) as uptime,
            sum(minutes_sampled) / nullif(sum(minutes_expected), 0) as sample_coverage
        from fct_server_daily
        where local_date > (select max(local_date) from fct_server_daily) - 7
        group by server_uuid
    )
    select
        server_uuid, server_name, egg_name, node_name, owner_username, owner_user_uuid,
        coalesce(status, 'normal') as status, player_hours, cpu_core_hours, memory_p95_of_limit, uptime, sample_coverage
    from dim_servers left join week using (server_uuid)
    where is_active
    order by player_hours desc nulls last, server_name
""")
kit.table(
    servers,
    {
        "server_name": "Server", "egg_name": "Egg", "node_name": "Node", "owner_username": "Owner", "status": "Status",
        "player_hours": "player_hours", "cpu_core_hours": "cpu_core_hours",
        "memory_p95_of_limit": "memory_p95_of_limit", "uptime": "uptime", "sample_coverage": "sample_coverage",
    },
    caption="Servers, by what was played in the last 7 days",
    empty="The panel lists no server.",
    links={"server_name": ("server", "server_uuid"), "owner_username": ("owner", "owner_user_uuid")},
    note="A dash is a figure that is not known.",
)  # fmt: skip

# %% [markdown]
# ## Use of limits, and what play costs
# The last seven days: the most of any day's high percentiles, of the limit that held then, and what a server used for
# an hour of play, its empty hours among it. Only hours that were sampled and whose log is known are compared.

# %%
cost = kit.one("""
    with week as (
        select * from fct_player_hour_costs
        where not is_proxy and local_date > (select max(local_date) from fct_player_hour_costs) - 7
    )
    select
        sum(cpu_core_minutes) / nullif(sum(player_hours), 0) as core_minutes_per_player_hour,
        sum(memory_gibibyte_hours) / nullif(sum(player_hours), 0) as memory_hours_per_player_hour,
        sum(cpu_core_minutes_empty) / nullif(sum(cpu_core_minutes), 0) as empty_core_share,
        sum(hours_compared) as hours_compared
    from week
""")
NOT_COMPARED = "nobody played in an hour that was sampled and of which the log is known"
kit.figures(
    *(kit.figure(name, cost[name], why=NOT_COMPARED, of="in the last 7 days") for name in (
        "core_minutes_per_player_hour", "memory_hours_per_player_hour", "empty_core_share",
    )),
    kit.figure("hours_compared", cost["hours_compared"], why="nothing was sampled", of="in the last 7 days"),
)  # fmt: skip

# %%
limits = kit.ask("""
    with used as (
        select
            server_uuid, max(cpu_limit_ratio_p95) as cpu_of_limit, max(cpu_limit_ratio_p99) as cpu_of_limit_high,
            max(memory_limit_ratio_p99) as memory_of_limit_high, max(disk_limit_ratio_p95) as disk_of_limit
        from fct_limit_utilization_daily
        where local_date > (select max(local_date) from fct_limit_utilization_daily) - 7
        group by server_uuid
    ),
    costs as (
        select
            server_uuid, sum(player_hours) as compared_player_hours,
            sum(cpu_core_minutes) / nullif(sum(player_hours), 0) as core_minutes_per_player_hour,
            sum(memory_gibibyte_hours) / nullif(sum(player_hours), 0) as memory_hours_per_player_hour,
            sum(cpu_core_minutes_empty) / nullif(sum(cpu_core_minutes), 0) as empty_core_share
        from fct_player_hour_costs
        where not is_proxy and local_date > (select max(local_date) from fct_player_hour_costs) - 7
        group by server_uuid
    )
    select
        server_uuid, server_name, node_name, cpu_of_limit, cpu_of_limit_high, memory_of_limit_high, disk_of_limit,
        compared_player_hours, core_minutes_per_player_hour, memory_hours_per_player_hour, empty_core_share
    from dim_servers left join used using (server_uuid) left join costs using (server_uuid)
    where is_active and (used.server_uuid is not null or costs.server_uuid is not null)
    order by greatest(cpu_of_limit_high, memory_of_limit_high, disk_of_limit) desc nulls last, server_name
    limit 30
""")
kit.table(
    limits,
    {
        "server_name": "Server", "node_name": "Node", "cpu_of_limit": "cpu_of_limit",
        "cpu_of_limit_high": "cpu_of_limit_high", "memory_of_limit_high": "memory_of_limit_high",
        "disk_of_limit": "disk_of_limit", "compared_player_hours": "compared_player_hours",
        "core_minutes_per_player_hour": "core_minutes_per_player_hour",
        "memory_hours_per_player_hour": "memory_hours_per_player_hour", "empty_core_share": "empty_core_share",
    },
    caption="The 30 servers nearest to a limit in the last 7 days",
    empty="Nothing was sampled yet.",
    links={"server_name": ("server", "server_uuid")},
    note="A dash: the server has no such limit, or nobody played in an hour that is known.",
)  # fmt: skip

# %% [markdown]
# ## Right-sizing
# Limits that would be enough for what servers used in two weeks: the 99th percentile and a fifth, and of memory and
# disk no less than the most of any sample. The heap of a Java server grows with its limit, so it may need less than it
# took.

# %%
sizes = kit.ask("""
    select
        server_uuid, server_name, node_name, sizes.memory_limit_mebibytes / 1024.0 as memory_limits,
        memory_recommended_mebibytes / 1024.0 as memory_recommended, memory_freed_gibibytes as memory_freed,
        memory_peak_ratio as memory_peak_of_recommended, out_of_memory_crashes,
        cpu_recommended_percent / 100.0 as cpu_recommended, cpu_freed_cores as cpu_freed,
        cpu_samples_above_ratio as cpu_above_recommended, disk_freed_gibibytes as disk_freed,
        coverage_ratio as sample_coverage, memory_samples, memory_reason
    from fct_right_sizing as sizes inner join dim_servers using (server_uuid)
    where is_active order by abs(memory_freed_gibibytes) desc nulls last, server_name
""")
judged = sizes[sizes["memory_reason"].isna()]
why_none = {
    "suspended": "suspended", "history_too_short": "known for less than a week", "thinly_sampled": "thinly sampled",
    "seldom_running": "seldom running", "unlimited": "without a limit",
}  # fmt: skip
reasons = sizes["memory_reason"].value_counts()
NOT_JUDGED = ", ".join(
    f"{kit.said('servers_unsized', count)} {why_none[str(reason)]}" for reason, count in reasons.items()
)
NO_SIZE = f"no server can be judged: {NOT_JUDGED}" if NOT_JUDGED else "the panel lists no server"
freed = judged["memory_freed"]
kit.figures(
    kit.figure("servers_sized", len(judged), of="by memory"),
    kit.figure("memory_reclaimable", freed[freed > 0].sum() if len(judged) else None, why=NO_SIZE),
    kit.figure("memory_missing", -freed[freed < 0].sum() if len(judged) else None, why=NO_SIZE),
)

# %%
kit.table(
    judged.head(30),
    {
        "server_name": "Server", "node_name": "Node", "memory_limits": "memory_limits",
        "memory_recommended": "memory_recommended", "memory_freed": "memory_freed",
        "memory_peak_of_recommended": "memory_peak_of_recommended", "out_of_memory_crashes": "out_of_memory_crashes",
        "cpu_recommended": "cpu_recommended", "cpu_freed": "cpu_freed",
        "cpu_above_recommended": "cpu_above_recommended", "disk_freed": "disk_freed",
        "sample_coverage": "sample_coverage", "memory_samples": "memory_samples",
    },
    caption="The 30 servers whose memory limit would change most",
    empty=f"Nothing is recommended: {NO_SIZE}.",
    links={"server_name": ("server", "server_uuid")},
    note=f"Without a recommendation: {NOT_JUDGED}." if NOT_JUDGED else "",
)  # fmt: skip

# %% [markdown]
# ## Asleep
# Servers that were off on 14 days with samples since they last ran, or whose known log shows no player for as long.

# %%
sleep = kit.ask("""
    select
        server_uuid, server_name, node_name, owner_username, owner_user_uuid, is_asleep, sleep_kind, reason,
        days_asleep, last_played_at, last_ran_date, sleeping.memory_limit_mebibytes / 1024.0 as memory_asleep,
        disk_used_mebibytes / 1024 as disk_asleep, allocations_total as allocations_asleep
    from fct_sleeping_servers as sleeping inner join dim_servers using (server_uuid)
    order by days_asleep desc nulls last, server_name
""")
why_unknown = {
    "suspended": "suspended", "log_unknown": "without a log", "log_ends_before": "whose log was not read of late",
    "history_too_short": "not known for long enough",
}  # fmt: skip
NOT_KNOWN = ", ".join(
    f"{kit.said('servers_perhaps_asleep', count)} {why_unknown[str(reason)]}"
    for reason, count in sleep["reason"].value_counts().items()
)
asleep = sleep[sleep["is_asleep"].eq(True)]
is_judged = sleep["is_asleep"].notna().any()
NOBODY = f"of no server it is known: {NOT_KNOWN}" if NOT_KNOWN else "the panel lists no server"
NO_LISTS = "none sleeps of which it was measured"
kit.figures(
    kit.figure("servers_asleep", len(asleep) if is_judged else None, why=NOBODY),
    kit.figure("servers_perhaps_asleep", sleep["is_asleep"].isna().sum()),
    kit.figure("memory_asleep", asleep["memory_asleep"].sum(min_count=1), why="none sleeps that has a limit"),
    kit.figure("disk_asleep", asleep["disk_asleep"].sum(min_count=1), why=NO_LISTS),
    kit.figure("allocations_asleep", asleep["allocations_asleep"].sum(min_count=1), why=NO_LISTS),
)

# %%
kit.table(
    asleep,
    {
        "server_name": "Server", "node_name": "Node", "owner_username": "Owner", "sleep_kind": "How",
        "days_asleep": "days_asleep", "last_played_at": "Last player (UTC)", "last_ran_date": "Last ran",
        "memory_asleep": "memory_asleep", "disk_asleep": "disk_asleep", "allocations_asleep": "allocations_asleep",
    },
    caption="Servers that sleep, the longest first",
    empty="None is known to sleep." if is_judged else f"None is known to sleep, since {NOBODY}.",
    links={"server_name": ("server", "server_uuid"), "owner_username": ("owner", "owner_user_uuid")},
    note=f"Nobody knows whether these sleep: {NOT_KNOWN}." if NOT_KNOWN else "",
)  # fmt: skip

# %% [markdown]
# ## What a lost disk would cost
# Of each server the begin of its last good backup, and what was played from then to the last reading of its backups.

# %%
points = kit.ask("""
    select
        server_uuid, server_name, node_name, owner_username, owner_user_uuid, reason, read_at, recovery_point_at,
        coalesce(
            case points.reason when 'list_unread' then 'not read' when 'no_good_backup' then 'none' end, 'there is one'
        ) as backup, recovery_point_age_hours as recovery_point_age, player_hours_since as player_hours_at_risk,
        sessions_since as sessions_at_risk, play_known_ratio as play_known, is_proxy
    from fct_recovery_points as points inner join dim_servers using (server_uuid)
    order by player_hours_since desc nulls last, recovery_point_age_hours desc nulls last, server_name
""")
NO_BACKUPS = "no list of backups was read yet"
is_read = points["read_at"].notna().any()
played = points[~points["is_proxy"].astype(bool)]
kit.figures(
    kit.figure("servers_without_recovery_point", (points["reason"] == "no_good_backup").sum() if is_read else None,
               why=NO_BACKUPS),
    kit.figure("servers_of_unread_backups", (points["reason"] == "list_unread").sum()),
    kit.figure("recovery_point_age", points["recovery_point_age"].max(), why="no backup is known", of="the oldest"),
    kit.figure("player_hours_at_risk", played["player_hours_at_risk"].sum(min_count=1),
               why=f"no log of that time was read, or {NO_BACKUPS}"),
)  # fmt: skip

# %%
kit.table(
    points[points["read_at"].notna()].head(30),
    {
        "server_name": "Server", "node_name": "Node", "owner_username": "Owner", "backup": "Good backup",
        "recovery_point_at": "Begun (UTC)", "recovery_point_age": "recovery_point_age",
        "player_hours_at_risk": "player_hours_at_risk", "sessions_at_risk": "sessions_at_risk",
        "play_known": "play_known",
    },
    caption="The 30 servers with the most play since their last good backup",
    empty="No list of backups was read yet, so nobody knows.",
    links={"server_name": ("server", "server_uuid"), "owner_username": ("owner", "owner_user_uuid")},
    note="A dash: its log of that time is not known. Without a backup, all play since the server was made counts.",
)  # fmt: skip
