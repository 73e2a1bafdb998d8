# ---
# jupyter:
#   pteroassets:
#     title: Capacity
#     summary: What is promised, what is used, and where a server still fits.
#     order: 40
#     schedule: "22 * * * *"
#     stale_after_hours: 3
#     limit_seconds: 60
#     passes: [entities, utilization]
#     reads: [dim_nodes, dim_servers, fct_server_daily, fct_utilization_hourly]
# ---

# %%
from pteroassets.dashboards import kit

kit.top(["entities", "utilization"])

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

# %%
used = kit.ask("""
    with hours as (
        select node_name, date_trunc('day', hour_at) as day, hour_at, sum(memory_mebibytes_mean) as memory_used
        from fct_utilization_hourly inner join dim_servers using (server_uuid)
        group by node_name, hour_at
    )
    select node_name, day, max(memory_used) as memory_used from hours group by node_name, day order by day
""")
kit.line(
    used, x="day", metric="memory_used", by="node_name",
    title="Memory in use of all servers of a node, the fullest hour of each day (UTC)",
    empty="Nothing was sampled yet.",
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
