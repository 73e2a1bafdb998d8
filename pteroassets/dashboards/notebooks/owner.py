# ---
# jupyter:
#   pteroassets:
#     title: Owners
#     summary: "One owner: the servers, how they are played and what they use."
#     order: 30
#     schedule: "32 5 * * *"
#     stale_after_hours: 50
#     limit_seconds: 600
#     passes: [entities, utilization, logs]
#     reads: [dim_users, dim_servers, fct_server_daily]
#     editions: 7
#     for_each: >-
#       select user_uuid as slug, username as title, user_uuid::text as user_uuid
#       from dim_users
#       where servers_owned > 0 and is_active
#       order by username
# ---

# %%
from pteroassets.dashboards import kit

# %% tags=["parameters"]
user_uuid = str(kit.ask("select user_uuid from dim_users order by servers_owned desc nulls last limit 1").iloc[0, 0])

# %%
kit.top(["entities", "utilization", "logs"])

# %%
user = kit.one("select * from dim_users where user_uuid = %(user_uuid)s", user_uuid=user_uuid)
month = kit.one(
    """
    select
        sum(days.player_hours) filter (where not is_proxy) as player_hours, sum(cpu_core_hours) as cpu_core_hours
    from fct_server_daily as days inner join dim_servers using (server_uuid)
    where owner_user_uuid = %(user_uuid)s and local_date > (select max(local_date) from fct_server_daily) - 30
    """,
    user_uuid=user_uuid,
)
limits = kit.one(
    """
    select sum(memory_limit_mebibytes) / 1024.0 as memory_limits
    from dim_servers where owner_user_uuid = %(user_uuid)s and is_active
    """,
    user_uuid=user_uuid,
)
kit.figures(
    kit.figure("servers_owned", user["servers_owned"], why="the user is gone"),
    kit.figure("servers_shared", user["servers_shared"], why="the user is gone"),
    kit.figure("memory_limits", limits["memory_limits"], why="no server has a limit"),
    kit.figure("player_hours", month["player_hours"], why="no log was read", of="last 30 days"),
    kit.figure("cpu_core_hours", month["cpu_core_hours"], why="nothing was sampled", of="last 30 days"),
)

# %%
days = kit.ask(
    """
    select local_date, server_name, days.player_hours
    from fct_server_daily as days inner join dim_servers using (server_uuid)
    where owner_user_uuid = %(user_uuid)s and not is_proxy
    order by local_date
    """,
    user_uuid=user_uuid,
)
kit.line(
    days, x="local_date", metric="player_hours", by="server_name",
    title="Player-hours by day", empty="No log of these servers was read.",
)  # fmt: skip

# %%
servers = kit.ask(
    """
    with week as (
        select
            server_uuid,
            sum(player_hours) as player_hours,
            sum(uptime_hours) / nullif(sum(minutes_sampled) / 60, 0) as uptime,
            max(memory_p95_limit_ratio) as memory_p95_of_limit
        from fct_server_daily
        where local_date > (select max(local_date) from fct_server_daily) - 7
        group by server_uuid
    )
    select server_uuid, server_name, egg_name, node_name, coalesce(status, 'normal') as status, player_hours, uptime,
        memory_p95_of_limit
    from dim_servers left join week using (server_uuid)
    where owner_user_uuid = %(user_uuid)s and is_active
    order by player_hours desc nulls last
    """,
    user_uuid=user_uuid,
)
kit.table(
    servers,
    {
        "server_name": "Server", "egg_name": "Egg", "node_name": "Node", "status": "Status",
        "player_hours": "player_hours", "uptime": "uptime", "memory_p95_of_limit": "memory_p95_of_limit",
    },
    caption="Servers, last 7 days", empty="None now.", links={"server_name": ("server", "server_uuid")},
)  # fmt: skip
