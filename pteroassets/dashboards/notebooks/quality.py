# ---
# jupyter:
#   pteroassets:
#     title: Data quality
#     summary: What was read, what was not and why, and which figures rest on little.
#     order: 90
#     schedule: "57 * * * *"
#     stale_after_hours: 3
#     limit_seconds: 60
#     passes: [entities, utilization, logs, upkeep]
#     reads: [dim_servers, fct_server_daily, fct_log_coverage, fct_table_health, stg_ops__loads]
# ---

# %%
from pteroassets.dashboards import kit

kit.top(["entities", "utilization", "logs", "upkeep"])

# %%
week = kit.one("""
    select
        sum(log_files) as log_files, sum(log_files_damaged) as log_files_damaged,
        sum(log_files_without_times) as log_files_without_times, sum(lines_unknown) as lines_unknown,
        sum(bytes_read)::float8 / nullif(sum(bytes_present), 0) as log_fetched
    from fct_log_coverage where local_date > (select max(local_date) from fct_log_coverage) - 7
""")
failed = kit.one("""
    select sum(minutes_failed) as minutes_failed from fct_server_daily
    where local_date > (select max(local_date) from fct_server_daily) - 7
""")
NO_LOG = "no log of the last 7 days was read"
kit.figures(
    kit.figure("minutes_failed", failed["minutes_failed"], why="nothing was expected", of="last 7 days"),
    kit.figure("log_fetched", week["log_fetched"], why="no folder was listed", of="last 7 days"),
    kit.figure("log_files", week["log_files"], why=NO_LOG, of="last 7 days"),
    kit.figure("log_files_damaged", week["log_files_damaged"], why=NO_LOG, of="last 7 days"),
    kit.figure("log_files_without_times", week["log_files_without_times"], why=NO_LOG, of="last 7 days"),
    kit.figure("lines_unknown", week["lines_unknown"], why=NO_LOG, of="last 7 days"),
)

# %%
days = kit.ask("""
    select
        local_date, sum(minutes_sampled) / nullif(sum(minutes_expected), 0) as sample_coverage,
        sum(log_lines_understood)::float8 / nullif(sum(log_lines_read), 0) as log_understood
    from fct_server_daily where local_date > (select max(local_date) from fct_server_daily) - 180
    group by local_date order by local_date
""")
kit.line(
    days,
    x="local_date",
    metric="sample_coverage",
    title="Sampled, by day, last 180 days",
    empty="Nothing was expected yet.",
)

# %%
kit.line(
    days,
    x="local_date",
    metric="log_understood",
    title="Lines understood, by day, last 180 days",
    empty="No log was read yet.",
)

# %% [markdown]
# ## Tables

# %%
health = kit.ask("""
    select
        table_name, replace(health, '_', ' ') as health, fresh_as_of, age_hours as table_age,
        fail_after_hours as table_stale_after, coverage_of, coverage_ratio as table_coverage
    from fct_table_health
    order by array_position(array['never_loaded', 'stale', 'late', 'thin', 'ok'], fct_table_health.health), table_name
""")
states = health["health"].value_counts()
kit.figures(
    kit.figure("tables_landed", len(health)),
    kit.figure("tables_stale", states.get("stale", 0) + states.get("never loaded", 0), of="now"),
    kit.figure("tables_late", states.get("late", 0), of="now"),
    kit.figure("tables_thin", states.get("thin", 0), of="now"),
)

# %%
kit.table(
    health,
    {
        "table_name": "Table", "health": "Health", "table_age": "table_age", "table_stale_after": "table_stale_after",
        "fresh_as_of": "Fresh as of (UTC)", "table_coverage": "table_coverage", "coverage_of": "Coverage is",
    },
    caption="How each table stands when this page is made, the worst first", empty="No table is known to the platform.",
    note="A dash: nothing was read yet, or the table is read whole or not at all, so that it has no coverage.",
)  # fmt: skip

# %% [markdown]
# ## Passes

# %%
loads = kit.ask("""
    with recursive tables as (  -- by an index, from one name to the next: the ledger has a row for each pass
        select min(table_name) as table_name from staging.stg_ops__loads
        union all
        select (select min(table_name) from staging.stg_ops__loads as next where next.table_name > tables.table_name)
        from tables where table_name is not null
    )
    select
        loads.table_name, observed_at, is_complete, problems,
        (
            select max(observed_at) from staging.stg_ops__loads as complete
            where complete.table_name = tables.table_name and complete.is_complete
        ) as complete_at
    from tables
    cross join lateral (
        select max(observed_at) as newest_at from staging.stg_ops__loads as found
        where found.table_name = tables.table_name
    ) as newest
    cross join lateral (
        select * from staging.stg_ops__loads as loads
        where loads.table_name = tables.table_name and loads.observed_at = newest_at
        order by load_number desc limit 1
    ) as loads
    order by table_name
""")
loads["why"] = [
    "; ".join(f"{one.get('scope', '')}: {one.get('reason', '')}" for one in (found or [])[:3])[:300]
    for found in loads["problems"]
]
kit.table(
    loads,
    {
        "table_name": "Table", "observed_at": "Last reading (UTC)", "complete_at": "Last complete one (UTC)",
        "is_complete": "Complete", "why": "What was not read",
    },
    caption="The newest reading of each raw table", empty="Nothing was read yet.",
)  # fmt: skip

# %% [markdown]
# ## Servers whose figures rest on little

# %%
thin = kit.ask("""
    select
        server_uuid, server_name, node_name,
        sum(minutes_sampled) / nullif(sum(minutes_expected), 0) as sample_coverage,
        sum(minutes_failed) as minutes_failed,
        sum(log_lines_understood)::float8 / nullif(sum(log_lines_read), 0) as log_understood,
        count(*) filter (where not is_log_known) > 0 as lacks_logs
    from fct_server_daily inner join dim_servers using (server_uuid)
    where is_active and local_date > (select max(local_date) from fct_server_daily) - 7
    group by server_uuid, server_name, node_name
    having
        coalesce(sum(minutes_sampled) / nullif(sum(minutes_expected), 0), 0) < 0.95
        or coalesce(sum(log_lines_understood)::float8 / nullif(sum(log_lines_read), 0), 1) < 0.98
        or count(*) filter (where not is_log_known) > 0
    order by sample_coverage nulls first, server_name
""")
kit.table(
    thin,
    {
        "server_name": "Server", "node_name": "Node", "sample_coverage": "sample_coverage",
        "minutes_failed": "minutes_failed", "log_understood": "log_understood", "lacks_logs": "Days without a log",
    },
    caption="Less than 95 % sampled, less than 98 % understood, or a day without a log, in the last 7 days",
    empty="None: each was sampled and read.", links={"server_name": ("server", "server_uuid")},
)  # fmt: skip
