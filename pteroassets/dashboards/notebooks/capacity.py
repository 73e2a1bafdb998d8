# ---
# jupyter:
#   pteroassets:
#     title: Capacity
#     summary: What is promised, what is used, and where a server still fits.
#     order: 40
#     schedule: "22 * * * *"
#     stale_after_hours: 3
#     limit_seconds: 60
#     passes: [entities, utilization, logs]
#     reads:
#       - dim_nodes
#       - dim_eggs
#       - dim_servers
#       - fct_server_daily
#       - fct_node_daily
#       - fct_node_runway
#       - fct_node_fit
#       - fct_empty_hours_daily
#       - fct_server_peers
#       - fct_egg_versions
# ---

# %%
from pteroassets.dashboards import kit

kit.top(["entities", "utilization", "logs"])

# %%
whole = kit.one("""
    select
        sum(memory_mebibytes) / 1024.0 as node_memory,
        sum(allocated_memory_mebibytes) / 1024.0 as node_memory_allocated,
        sum(allocated_memory_mebibytes)::float8 / nullif(sum(memory_mebibytes), 0) as node_memory_committed,
        sum(allocated_disk_mebibytes)::float8 / nullif(sum(disk_mebibytes), 0) as node_disk_committed,
        sum(allocations_total - allocations_assigned) as allocations_free
    from dim_nodes where is_active
""")
unlimited = kit.one("""
    select count(*) as servers_without_memory_limit from dim_servers where is_active and memory_limit_mebibytes is null
""")
NO_NODE = "the panel lists no node"
kit.figures(
    kit.figure("node_memory", whole["node_memory"], why=NO_NODE, of="all nodes"),
    kit.figure("node_memory_allocated", whole["node_memory_allocated"], why=NO_NODE, of="all nodes"),
    kit.figure("node_memory_committed", whole["node_memory_committed"], why=NO_NODE, of="all nodes"),
    kit.figure("node_disk_committed", whole["node_disk_committed"], why=NO_NODE, of="all nodes"),
    kit.figure("allocations_free", whole["allocations_free"], why="they were not read", of="all nodes"),
    kit.figure("servers_without_memory_limit", unlimited["servers_without_memory_limit"]),
)

# %% [markdown]
# ## Nodes

# %%
nodes = kit.ask("""
    select
        node_name, location_code, is_under_maintenance, servers_active as node_servers,
        memory_mebibytes / 1024.0 as node_memory, allocated_memory_mebibytes / 1024.0 as node_memory_allocated,
        allocated_memory_mebibytes::float8 / nullif(memory_mebibytes, 0) as node_memory_committed,
        disk_mebibytes / 1024.0 as node_disk, allocated_disk_mebibytes / 1024.0 as node_disk_allocated,
        allocated_disk_mebibytes::float8 / nullif(disk_mebibytes, 0) as node_disk_committed,
        allocations_total - allocations_assigned as allocations_free
    from dim_nodes where is_active order by node_memory_committed desc nulls last
""")
kit.table(
    nodes,
    {
        "node_name": "Node", "location_code": "Location", "is_under_maintenance": "Maintenance",
        "node_servers": "node_servers", "node_memory": "node_memory", "node_memory_allocated": "node_memory_allocated",
        "node_memory_committed": "node_memory_committed", "node_disk": "node_disk",
        "node_disk_committed": "node_disk_committed", "allocations_free": "allocations_free",
    },
    caption="Nodes, the fullest first", empty="The panel lists no node.",
    note="A server needs a free allocation, and memory and disk that the node may still promise.",
)  # fmt: skip

# %%
kit.bars(
    nodes, y="node_name", metric="node_memory_committed", title="Memory committed, by node",
    empty="The panel lists no node.",
)  # fmt: skip

# %% [markdown]
# ## What is really used
# By day, made once a day. The peak is the fullest hour of a day, by what each server used in that hour on average; *at
# most* is what its samples cannot have exceeded together.

# %%
used = kit.ask("""
    select
        node_name, local_date, timezone, memory_used_peak_mebibytes / 1024.0 as node_memory_used_peak,
        cpu_used_peak_cores as node_cpu_used_peak
    from fct_node_daily inner join dim_nodes using (node_uuid)
    where scope = 'node' and local_date > (select max(local_date) from fct_node_daily) - 60
    order by local_date, node_name
""")
NOT_SAMPLED = "Nothing was sampled yet, or the day's figures are not made yet."
kit.line(
    used, x="local_date", metric="node_memory_used_peak", by="node_name",
    title="Memory in use of all servers of a node, the fullest hour of each day", empty=NOT_SAMPLED,
)  # fmt: skip

# %%
week = kit.ask("""
    select
        node_name,
        max(memory_used_peak_mebibytes) / 1024.0 as node_memory_used_peak,
        max(memory_used_high_mebibytes) / 1024.0 as node_memory_used_high,
        max(days.memory_mebibytes) / 1024.0 as node_memory,
        max(disk_used_peak_mebibytes) / 1024.0 as node_disk_used_peak,
        max(cpu_used_peak_cores) as node_cpu_used_peak,
        sum(server_hours_sampled) / nullif(sum(server_hours_expected), 0) as node_coverage,
        max(servers_without_memory_limit) as node_servers_without_memory_limit,
        string_agg(distinct replace(use_unknown_reason, '_', ' '), ', ') as reasons
    from fct_node_daily as days inner join dim_nodes using (node_uuid)
    where scope = 'node' and is_active and local_date > (select max(local_date) from fct_node_daily) - 7
    group by node_name order by node_memory_used_peak desc nulls last
""")
kit.table(
    week,
    {
        "node_name": "Node", "node_memory_used_peak": "node_memory_used_peak",
        "node_memory_used_high": "node_memory_used_high", "node_memory": "node_memory",
        "node_disk_used_peak": "node_disk_used_peak", "node_cpu_used_peak": "node_cpu_used_peak",
        "node_coverage": "node_coverage", "node_servers_without_memory_limit": "node_servers_without_memory_limit",
        "reasons": "Why not known",
    },
    caption="Nodes, the last 7 days", empty=NOT_SAMPLED,
    note="Judge by what was sampled: where it is little a peak may have been missed.",
)  # fmt: skip

# %% [markdown]
# ## When a node is full
# If each resource goes on growing as in the last thirty whole days. *Early* and *late* are what the scatter of those
# days allows at 95 %; days hang on one another, so it is rather too narrow. Made once a day.

# %%
runway = kit.ask("""
    select
        coalesce(node_name, 'all nodes') as node_name,
        replace(resource, '_', ' ') as resource,
        held / nullif(capacity, 0) as resource_filled,
        runway_days, runs_out_on_early::text as early, runs_out_on::text as expected, runs_out_on_late::text as late,
        days_counted as runway_days_counted, coverage_ratio as node_coverage,
        case when is_full then 'full now' else replace(reason, '_', ' ') end as reason
    from fct_node_runway left join dim_nodes using (node_uuid)
    order by runway_days nulls last, resource_filled desc nulls last
""")
TOO_YOUNG = "No whole day is known of any node yet."
known = runway[runway["runway_days"].notna()]
kit.table(
    known,
    {
        "node_name": "Node", "resource": "Resource", "runway_days": "runway_days", "early": "Early",
        "expected": "Expected", "late": "Late", "resource_filled": "resource_filled",
        "runway_days_counted": "runway_days_counted", "node_coverage": "node_coverage", "reason": "State",
    },
    caption="What fills up, the first to be full first",
    empty=TOO_YOUNG if runway.empty else "Nothing is known to fill up; the table below says why.",
    note="A dash under late: it may never be full. Coverage is of what is used; what is promised is known.",
)  # fmt: skip

# %%
kit.table(
    runway[runway["runway_days"].isna()],
    {
        "node_name": "Node", "resource": "Resource", "reason": "Why", "resource_filled": "resource_filled",
        "runway_days_counted": "runway_days_counted", "node_coverage": "node_coverage",
    },
    caption="What has no runway, and why", empty=TOO_YOUNG if runway.empty else "Everything fills up.",
)  # fmt: skip

# %% [markdown]
# ## Where a server of this size fits
# With disk in proportion to its memory, as in the middle of all servers, and an allocation. *By limits* is what the
# panel lets a node promise, *by use* what its servers left in the fullest hour of the last seven days.

# %%
fit = kit.ask("""
    select
        size_memory_mebibytes / 1024.0 as server_size, node_name, is_open,
        servers_fit_by_limits, coalesce(limits_bound_by, replace(limits_unknown_reason, '_', ' ')) as by_limits,
        servers_fit_by_use, coalesce(use_bound_by, replace(use_unknown_reason, '_', ' ')) as by_use,
        servers_without_memory_limit as node_servers_without_memory_limit, coverage_ratio as node_coverage
    from fct_node_fit order by size_memory_mebibytes, servers_fit_by_limits desc nulls last, node_name
""")
kit.table(
    fit,
    {
        "server_size": "server_size", "node_name": "Node", "is_open": "Open",
        "servers_fit_by_limits": "servers_fit_by_limits", "by_limits": "Bound by",
        "servers_fit_by_use": "servers_fit_by_use", "by_use": "Bound by, of use",
        "node_servers_without_memory_limit": "node_servers_without_memory_limit", "node_coverage": "node_coverage",
    },
    caption="How many more fit", empty="The panel lists no node, or the day's figures are not made yet.",
    note="Open: the panel may place servers there by itself. What servers without a limit may use is in neither.",
)  # fmt: skip

# %% [markdown]
# ## What runs empty
# The last 30 days. An hour is empty if the log of all of it is known and shows nobody; hours without a log are not
# judged and stand apart. Hours without a sample are not counted, so judge by what was sampled.

# %%
EMPTY = """
    select
        {name}, sum(hours_running_empty) as hours_running_empty, sum(hours_running_unknown) as hours_running_unknown,
        sum(hours_running_empty) / nullif(sum(hours_running_empty + hours_running_occupied), 0) as empty_share,
        sum(memory_gib_hours_empty) as memory_hours_empty, sum(memory_gib_hours_unknown) as memory_hours_unknown,
        sum(core_hours_empty) as core_hours_empty, sum(core_hours_unknown) as core_hours_unknown
    from fct_empty_hours_daily {joined}
    where local_date > (select max(local_date) from fct_empty_hours_daily) - 30
    group by 1 order by memory_hours_empty desc nulls last, 1
"""
EMPTY_COLUMNS = {
    "empty_share": "empty_share", "hours_running_empty": "hours_running_empty",
    "memory_hours_empty": "memory_hours_empty", "core_hours_empty": "core_hours_empty",
    "hours_running_unknown": "hours_running_unknown", "memory_hours_unknown": "memory_hours_unknown",
    "core_hours_unknown": "core_hours_unknown",
}  # fmt: skip
kit.table(
    kit.ask(EMPTY.format(name="node_name", joined="inner join dim_nodes using (node_uuid)")),
    {"node_name": "Node", **EMPTY_COLUMNS}, caption="Empty hours, by node", empty=NOT_SAMPLED,
)  # fmt: skip

# %%
kit.table(
    kit.ask(EMPTY.format(name="egg_name", joined="inner join dim_eggs using (egg_uuid)")),
    {"egg_name": "Egg", **EMPTY_COLUMNS}, caption="Empty hours, by egg", empty=NOT_SAMPLED,
)  # fmt: skip

# %% [markdown]
# ## Servers against their limits
# The last 14 days. A server that came near its limit may be starved; one that stayed far below may be oversized.

# %%
sizes = kit.ask("""
    select
        server_uuid, server_name, node_name, dim_servers.memory_limit_mebibytes / 1024.0 as memory_limits,
        max(memory_p95_mebibytes) as memory_p95, max(memory_p95_limit_ratio) as memory_p95_of_limit,
        sum(minutes_sampled) / nullif(sum(minutes_expected), 0) as sample_coverage
    from fct_server_daily inner join dim_servers using (server_uuid)
    where is_active and local_date > (select max(local_date) from fct_server_daily) - 14
    group by server_uuid, server_name, node_name, dim_servers.memory_limit_mebibytes
    order by memory_p95_of_limit desc nulls last
""")
NEAR, FAR = 0.9, 0.4
COLUMNS = {
    "server_name": "Server", "node_name": "Node", "memory_limits": "memory_limits", "memory_p95": "memory_p95",
    "memory_p95_of_limit": "memory_p95_of_limit", "sample_coverage": "sample_coverage",
}  # fmt: skip
kit.table(
    sizes[sizes["memory_p95_of_limit"] >= NEAR], COLUMNS, caption="At the limit: 90 % of it or more",
    empty="None came near its limit.", links={"server_name": ("server", "server_uuid")},
)  # fmt: skip

# %%
low = sizes[sizes["memory_p95_of_limit"] < FAR].sort_values("memory_limits", ascending=False)
kit.table(
    low, COLUMNS, caption="Far below the limit: less than 40 % of it", empty="None stayed far below its limit.",
    links={"server_name": ("server", "server_uuid")},
    note="Judge by the coverage: where little was sampled a peak may have been missed.",
)  # fmt: skip

# %% [markdown]
# ## Eggs, and servers beside others of their egg
# The last 30 days, made once a day. A server is compared with the median of the servers with its egg and its size,
# which is its memory limit up to the next power of two; with fewer than five of them nothing is said.

# %%
eggs = kit.ask("""
    select
        egg_name, game_version, servers_active as egg_servers, distinct_players as egg_players,
        player_hours as egg_player_hours, cpu_core_hours as egg_core_hours, runs_crashed as egg_runs_crashed,
        server_days_log_known as egg_server_days_log_known, coverage_ratio as sample_coverage,
        replace(players_unknown_reason, '_', ' ') as reason
    from fct_egg_versions order by servers_active desc, egg_name, game_version
""")
kit.table(
    eggs,
    {
        "egg_name": "Egg", "game_version": "Version", "egg_servers": "egg_servers", "egg_players": "egg_players",
        "egg_player_hours": "egg_player_hours", "egg_core_hours": "egg_core_hours",
        "egg_runs_crashed": "egg_runs_crashed", "egg_server_days_log_known": "egg_server_days_log_known",
        "sample_coverage": "sample_coverage", "reason": "Why players are not known",
    },
    caption="Eggs and versions of the game", empty="The panel lists no server, or the day's figures are not made yet.",
)  # fmt: skip

# %%
peers = kit.ask("""
    select
        server_uuid, server_name, egg_name, replace(measure, '_', ' ') as measure, median_ratio as peer_ratio,
        peers_counted
    from fct_server_peers inner join dim_servers using (server_uuid)
    where median_ratio >= 2 or median_ratio <= 0.5
    order by abs(ln(greatest(median_ratio, 0.01))) desc, server_name limit 50
""")
kit.table(
    peers,
    {
        "server_name": "Server", "egg_name": "Egg", "measure": "Measure", "peer_ratio": "peer_ratio",
        "peers_counted": "peers_counted",
    },
    caption="Twice the median or more, or half of it or less",
    empty="No server is that far from the others of its egg and size, or there are fewer than five to compare.",
    links={"server_name": ("server", "server_uuid")},
)  # fmt: skip
