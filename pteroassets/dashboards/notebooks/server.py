# ---
# jupyter:
#   pteroassets:
#     title: Servers
#     summary: "One server: how it ran, who played, what it used and what changed."
#     order: 20
#     schedule: "12 * * * *"
#     stale_after_hours: 3
#     limit_seconds: 300
#     passes: [entities, utilization, logs]
#     reads: [dim_servers, dim_server_software, fct_changes, fct_server_daily, fct_utilization_hourly,
#       fct_server_runs, fct_player_sessions, fct_right_sizing, fct_sleeping_servers,
#       fct_recovery_points, fct_limit_utilization_daily, fct_player_hour_costs]
#     editions: 7
#     for_each: >-
#       select server_uuid as slug, server_name as title, server_uuid::text as server_uuid
#       from dim_servers
#       order by server_name
# ---

# %%
from pteroassets.dashboards import kit

# %% tags=["parameters"]
server_uuid = str(kit.ask("select server_uuid from dim_servers limit 1").iloc[0, 0])

# %%
kit.top(["entities", "utilization", "logs"], server_uuid=server_uuid)

# %%
server = kit.one(
    """
    select
        dim_servers.*, software, game_version,
        coalesce(dim_server_software.is_proxy, false) as is_proxy
    from dim_servers left join dim_server_software using (server_uuid)
    where server_uuid = %(server_uuid)s
    """,
    server_uuid=server_uuid,
)
words = [
    f"{server['software'] or server['egg_name'] or 'Unknown software'} {server['game_version'] or ''}".strip(),
    f"on node {server['node_name'] or 'unknown'}",
    f"owned by {server['owner_username'] or 'somebody who was never read'}",
    f"days are those of {server['timezone']}",
]
if not server["is_active"]:
    words.append(f"gone since {server['deleted_at']:%Y-%m-%d}")
elif server["status"]:
    words.append(str(server["status"]).replace("_", " "))
if server["is_proxy"]:
    words.append("a proxy: its players are on the servers behind it as well")
kit.note(", ".join(words) + ".", "note" if server["is_active"] else "warning")

# %%
week = kit.one(
    """
    select
        sum(player_hours) as player_hours, sum(sessions_started) as server_sessions_started,
        max(peak_concurrent_players) as server_peak_players, sum(cpu_core_hours) as cpu_core_hours,
        sum(uptime_hours) / nullif(sum(minutes_sampled) / 60, 0) as uptime,
        max(memory_p95_mebibytes) as memory_p95, max(memory_p95_limit_ratio) as memory_p95_of_limit,
        bool_or(is_log_known) as is_log_known
    from fct_server_daily
    where server_uuid = %(server_uuid)s and local_date > (select max(local_date) from fct_server_daily) - 7
    """,
    server_uuid=server_uuid,
)
runs = kit.one(
    """
    select
        count(*) filter (where end_reason = 'crashed') as crashes,
        percentile_cont(0.5) within group (order by startup_seconds) as startup_seconds,
        sum(overload_warnings) as overload_warnings
    from fct_server_runs
    where server_uuid = %(server_uuid)s and started_date > (select max(local_date) from fct_server_daily) - 7
    """,
    server_uuid=server_uuid,
)
NO_LOG, NO_SAMPLE = "no log of the last 7 days was read", "nothing was sampled in the last 7 days"
NO_LIMIT = "no limit, or nothing was sampled"
crashes = runs["crashes"] if week["is_log_known"] else None  # without a log it is not none that is known
kit.figures(
    kit.figure("player_hours", week["player_hours"], why=NO_LOG, of="last 7 days"),
    kit.figure("server_sessions_started", week["server_sessions_started"], why=NO_LOG, of="last 7 days"),
    kit.figure("server_peak_players", week["server_peak_players"], why=NO_LOG, of="last 7 days"),
    kit.figure("uptime", week["uptime"], why=NO_SAMPLE, of="last 7 days"),
    kit.figure("crashes", crashes, why=NO_LOG, of="of runs begun in the last 7 days"),
    kit.figure("startup_seconds", runs["startup_seconds"], why="no start says how long it took"),
    kit.figure(
        "overload_warnings", runs["overload_warnings"], why="no run was seen to begin", of="of runs of the last 7 days"
    ),
    kit.figure("cpu_core_hours", week["cpu_core_hours"], why=NO_SAMPLE, of="last 7 days"),
    kit.figure("memory_p95", week["memory_p95"], why=NO_SAMPLE, of="highest day of the last 7"),
    kit.figure("memory_p95_of_limit", week["memory_p95_of_limit"], why=NO_LIMIT, of="highest day of the last 7"),
)

# %% [markdown]
# ## Day by day
# Dashed lines are changes of limits, node, owner, egg, version or status; the last day is not over.

# %%
days = kit.ask(
    """
    select local_date, player_hours, uptime_hours / nullif(minutes_sampled / 60, 0) as uptime, memory_p95_mebibytes,
        memory_limit_mebibytes
    from fct_server_daily where server_uuid = %(server_uuid)s order by local_date
    """,
    server_uuid=server_uuid,
)
changes = kit.changes(server_uuid=server_uuid)
kit.line(days, x="local_date", metric="player_hours", title="Player-hours", empty=NO_LOG, marks=changes)

# %%
kit.line(
    days, x="local_date", metric="memory_p95", value="memory_p95_mebibytes", limit="memory_limit_mebibytes",
    title="Memory, and its limit dashed", empty="Nothing was sampled yet.", marks=changes,
)  # fmt: skip

# %%
kit.line(days, x="local_date", metric="uptime", title="Uptime", empty="Nothing was sampled yet.", marks=changes)

# %%
hours = kit.ask(
    """
    select date_trunc('hour', hour_at at time zone timezone) as local_hour, avg(cpu_percent_mean) as cpu_percent
    from fct_utilization_hourly inner join dim_servers using (server_uuid)
    where
        server_uuid = %(server_uuid)s
        and hour_at > (select max(hour_at) from fct_utilization_hourly) - interval '3 days'
    group by 1 order by 1
    """,
    server_uuid=server_uuid,
)
kit.line(
    hours, x="local_hour", metric="cpu_percent", title="Processor use of the last three days, by hour",
    empty="It did not run in the last three days, or nothing was sampled.",
)  # fmt: skip

# %%
use = kit.ask(
    "select * from fct_limit_utilization_daily where server_uuid = %(server_uuid)s order by local_date",
    server_uuid=server_uuid,
)
NO_LIMIT_USE = "It has no limit, it did not run, or nothing was sampled."
kit.line(
    use[use["cpu_limit_ratio_p95"].notna()], x="local_date", metric="cpu_of_limit", value="cpu_limit_ratio_p95",
    title="Processor of the limit of the time, 95th percentile of each day", empty=NO_LIMIT_USE, marks=changes,
)  # fmt: skip

# %%
kit.line(
    use[use["disk_limit_ratio_p95"].notna()], x="local_date", metric="disk_of_limit", value="disk_limit_ratio_p95",
    title="Disk of the limit of the time, 95th percentile of each day", empty=NO_LIMIT_USE, marks=changes,
)  # fmt: skip

# %% [markdown]
# ## What an hour of play costs
# Of the last 30 days the hours that were sampled and of which the log is known; empty hours among them.

# %%
cost = kit.one(
    """
    select
        sum(cpu_core_minutes) / nullif(sum(player_hours), 0) as core_minutes_per_player_hour,
        sum(memory_gibibyte_hours) / nullif(sum(player_hours), 0) as memory_hours_per_player_hour,
        sum(cpu_core_minutes_empty) / nullif(sum(cpu_core_minutes), 0) as empty_core_share,
        sum(memory_gibibyte_hours_empty) as empty_memory_hours, coalesce(sum(hours_compared), 0) as hours_compared
    from fct_player_hour_costs
    where server_uuid = %(server_uuid)s and local_date > (select max(local_date) from fct_player_hour_costs) - 30
    """,
    server_uuid=server_uuid,
)
NO_COST = "nobody played" if cost["hours_compared"] else "no hour was sampled of which its log is known"
kit.figures(
    kit.figure("core_minutes_per_player_hour", cost["core_minutes_per_player_hour"], why=NO_COST),
    kit.figure("memory_hours_per_player_hour", cost["memory_hours_per_player_hour"], why=NO_COST),
    kit.figure(
        "empty_core_share", cost["empty_core_share"],
        why="it used no processor" if cost["hours_compared"] else NO_COST,
    ),
    kit.figure("empty_memory_hours", cost["empty_memory_hours"], why=NO_COST),
    kit.figure("hours_compared", cost["hours_compared"], of="last 30 days"),
)  # fmt: skip

# %% [markdown]
# ## Right-sizing
# Limits that would be enough for what it used in two weeks, or since its limits last changed: the 99th percentile and a
# fifth, and for memory and disk no less than the most of any sample.

# %%
size = kit.one(
    """
    select
        sizes.*, memory_recommended_mebibytes / 1024.0 as memory_recommended,
        cpu_recommended_percent / 100.0 as cpu_recommended, disk_recommended_mebibytes / 1024.0 as disk_recommended
    from dim_servers left join fct_right_sizing as sizes using (server_uuid) where server_uuid = %(server_uuid)s
    """,
    server_uuid=server_uuid,
)
WHY_NO_SIZE = {
    "gone": "the server is gone", "suspended": "it is suspended",
    "history_too_short": "it was sampled for less than a week, or its limits changed since",
    "thinly_sampled": "less than half of the time was sampled", "seldom_running": "it ran on fewer than 7 days",
    "unlimited": "it has no limit", None: "it was not judged yet, which is done once a day",
}  # fmt: skip
no_memory, no_cpu, no_disk = (WHY_NO_SIZE[size[f"{name}_reason"]] for name in ("memory", "cpu", "disk"))
kit.figures(
    kit.figure("memory_recommended", size["memory_recommended"], why=no_memory),
    kit.figure("memory_freed", size["memory_freed_gibibytes"], why=no_memory),
    kit.figure("memory_peak_of_recommended", size["memory_peak_ratio"], why=no_memory),
    kit.figure("cpu_recommended", size["cpu_recommended"], why=no_cpu),
    kit.figure("cpu_above_recommended", size["cpu_samples_above_ratio"], why=no_cpu),
    kit.figure("disk_recommended", size["disk_recommended"], why=no_disk),
    kit.figure("out_of_memory_crashes", size["out_of_memory_crashes"], why="no log of these two weeks was read"),
    kit.figure("memory_samples", size["memory_samples"], why=no_memory, of="in the window"),
)

# %% [markdown]
# ## Sleep and backups
# It sleeps when it was off on 14 days with samples, or when its known log shows no player for as long. What was played
# since the last good backup began would be lost with its disk.

# %%
state = kit.one(
    """
    select
        sleeping.*, sleeping.server_uuid is not null as is_judged, points.reason as backup_reason,
        points.recovery_point_age_hours, points.player_hours_since, points.sessions_since, points.play_known_ratio,
        points.play_reason, sleeping.memory_limit_mebibytes / 1024.0 as memory_held,
        sleeping.disk_used_mebibytes / 1024 as disk_held
    from dim_servers
    left join fct_sleeping_servers as sleeping using (server_uuid)
    left join fct_recovery_points as points using (server_uuid)
    where server_uuid = %(server_uuid)s
    """,
    server_uuid=server_uuid,
)
NOT_JUDGED = "it was not judged yet, which is done once a day" if server["is_active"] else "the server is gone"
WHY_NO_SLEEP = {
    "suspended": "it is suspended", "log_unknown": "its log is not known", None: NOT_JUDGED,
    "log_ends_before": "its log was not read of late", "history_too_short": "it is not known for long enough",
}  # fmt: skip
WHY_NO_BACKUP = {
    "list_unread": "its backups were never read", "no_good_backup": "it has no good backup",
    "log_unknown": "its log of that time is not known", None: NOT_JUDGED,
}  # fmt: skip
awake = WHY_NO_SLEEP[state["reason"]] if state["is_judged"] else NOT_JUDGED
no_play = WHY_NO_BACKUP[state["play_reason"]]
asleep = state["is_asleep"] is not None and bool(state["is_asleep"])
is_awake = state["is_judged"] and state["reason"] is None and not asleep
is_without_backup = state["backup_reason"] == "no_good_backup"
kit.note("It is awake: it was neither off nor empty for two weeks.") if is_awake else None

# %%
kit.note("It has no good backup.", "warning") if is_without_backup else None

# %%
sleep = [
    kit.figure("days_asleep", state["days_asleep"], why=awake),
    kit.figure("memory_asleep", state["memory_held"] if asleep else None, why="it has no limit" if asleep else awake),
    kit.figure("disk_asleep", state["disk_held"] if asleep else None, why="not measured" if asleep else awake),
] if not is_awake else []  # fmt: skip
recovery = [
    kit.figure("recovery_point_age", state["recovery_point_age_hours"], why=WHY_NO_BACKUP[state["backup_reason"]])
] if not is_without_backup else []  # fmt: skip
kit.figures(
    *sleep,
    *recovery,
    kit.figure("player_hours_at_risk", state["player_hours_since"], why=no_play),
    kit.figure("sessions_at_risk", state["sessions_since"], why=no_play),
    kit.figure("play_known", state["play_known_ratio"], why=no_play),
)

# %% [markdown]
# ## What happened

# %%
changed = kit.ask(
    """
    select
        changed_at at time zone timezone as changed_at,
        case when is_time_exact then 'yes' else 'no' end as is_time_exact,
        replace(kind, '_', ' ') as kind, before_value, after_value
    from fct_changes
    where server_uuid = %(server_uuid)s and before_value is not null
    order by fct_changes.changed_at desc limit 30
    """,
    server_uuid=server_uuid,
)
kit.table(
    changed,
    {
        "changed_at": "Changed at", "is_time_exact": "Time exact", "kind": "Change", "before_value": "Before",
        "after_value": "After",
    },
    caption="Changes of limits, node, owner, egg, version and status, once a day; times are the server's own",
    empty="None since it was first read.",
)  # fmt: skip

# %%
last_runs = kit.ask(
    """
    select
        coalesce(started_at, counted_from) at time zone timezone as started_at,
        coalesce(end_reason, case when is_running then 'running' end, 'unknown') as ended,
        crash_cause, counted_minutes / 60 as run_hours, startup_seconds, overload_warnings, refused_entries
    from fct_server_runs
    where server_uuid = %(server_uuid)s
    order by coalesce(started_at, ended_at, ended_at_lower) desc nulls last limit 20
    """,
    server_uuid=server_uuid,
)
kit.table(
    last_runs,
    {
        "started_at": f"Start ({server['timezone']})", "ended": "End", "crash_cause": "Cause of a crash",
        "run_hours": "run_hours", "startup_seconds": "startup_seconds", "overload_warnings": "overload_warnings",
        "refused_entries": "refused_entries",
    },
    caption="The last 20 runs", empty="No log of it was read.",
    note="A start that is not known was before the first line.",
)  # fmt: skip

# %%
players = kit.ask(
    """
    select player_name, count(*) as sessions, sum(counted_minutes) / 60 as play_hours, sum(deaths) as deaths,
        max(joined_at at time zone timezone) as last_joined_at
    from fct_player_sessions
    where
        server_uuid = %(server_uuid)s
        and joined_at > (select max(joined_at) from fct_player_sessions) - interval '30 days'
    group by player_id, player_name order by play_hours desc nulls last limit 30
    """,
    server_uuid=server_uuid,
)
kit.table(
    players,
    {
        "player_name": "Player", "play_hours": "play_hours", "sessions": "sessions", "deaths": "deaths",
        "last_joined_at": f"Last joined ({server['timezone']})",
    },
    caption="Who played most in the last 30 days", empty="Nobody, as far as its log was read.",
)  # fmt: skip
