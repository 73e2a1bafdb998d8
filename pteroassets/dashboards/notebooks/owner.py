# ---
# jupyter:
#   pteroassets:
#     title: Owners
#     summary: "One owner: the servers, how they are played and what they use."
#     order: 30
#     schedule: "32 5 * * *"
#     stale_after_hours: 50
#     limit_seconds: 300
#     passes: [entities, utilization, logs]
#     reads:
#       - dim_users
#       - dim_servers
#       - dim_owners
#       - fct_server_daily
#       - fct_owner_periods
#       - fct_server_subusers
#       - fct_empty_hours_daily
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

# %% [markdown]
# ## As a customer
# Made once a day. A customer who had a server when a week or month began and has none when it ends has churned.

# %%
customer = kit.one(
    """
    select
        max(servers_ever) as servers_ever, max(players_ever) as players_ever,
        coalesce(max(first_owned_at)::date::text, 'not known') as first_owned,
        coalesce(max(last_player_on)::text, 'never') as last_player
    from dim_owners where owner_user_uuid = %(user_uuid)s
    """,
    user_uuid=user_uuid,
)
empty = kit.one(
    """
    select
        sum(hours_running_empty) / nullif(sum(hours_running_empty + hours_running_occupied), 0) as empty_share,
        sum(memory_gib_hours_empty) as memory_hours_empty, sum(hours_running_unknown) as hours_running_unknown
    from fct_empty_hours_daily
    where owner_user_uuid = %(user_uuid)s
        and local_date > (select max(local_date) from fct_empty_hours_daily) - 30
    """,
    user_uuid=user_uuid,
)
host = kit.one("""
    select
        sum(has_churned::int)::float8 / nullif(count(has_churned), 0) as churn, count(has_churned) as owners_at_start
    from fct_owner_periods where period_grain = 'month'
""")
NOT_SAMPLED = "nothing was sampled"
kit.figures(
    kit.figure("servers_ever", customer["servers_ever"], why="the day's figures are not made yet"),
    kit.figure("players_ever", customer["players_ever"], why="nobody was ever seen"),
    kit.figure("empty_share", empty["empty_share"], why="no log of hours that were sampled", of="last 30 days"),
    kit.figure("memory_hours_empty", empty["memory_hours_empty"], why=NOT_SAMPLED, of="last 30 days"),
    kit.figure("hours_running_unknown", empty["hours_running_unknown"], why=NOT_SAMPLED, of="last 30 days"),
    kit.figure("churn", host["churn"], why="no month was watched from begin to end", of="all owners, by month"),
    kit.figure("owners_at_start", host["owners_at_start"], of="all owners, by month"),
)

# %%
kit.note(f"First server: {customer['first_owned']}. Last player: {customer['last_player']}.")

# %%
periods = kit.ask(
    """
    select
        period_grain, period_start, servers_gained as owner_servers_gained, servers_lost as owner_servers_lost,
        servers_at_end as owner_servers, memory_limit_mebibytes / 1024.0 as owner_memory_limit,
        distinct_players as owner_players, player_hours, server_days_log_known as owner_server_days_log_known,
        cpu_core_hours, coverage_ratio as sample_coverage,
        case
            when has_churned then 'yes' when not has_churned then 'no'
            else replace(churn_unknown_reason, '_', ' ')
        end as churned
    from fct_owner_periods where owner_user_uuid = %(user_uuid)s
    order by period_grain, period_start desc
    """,
    user_uuid=user_uuid,
)
COLUMNS = {
    "period_start": "From", "owner_servers": "owner_servers", "owner_servers_gained": "owner_servers_gained",
    "owner_servers_lost": "owner_servers_lost", "owner_memory_limit": "owner_memory_limit",
    "owner_players": "owner_players", "player_hours": "player_hours",
    "owner_server_days_log_known": "owner_server_days_log_known", "cpu_core_hours": "cpu_core_hours",
    "sample_coverage": "sample_coverage", "churned": "Churned",
}  # fmt: skip
NOT_MADE = "The day's figures are not made yet."
kit.table(
    periods[periods["period_grain"] == "month"].head(13), COLUMNS, caption="Months, the newest first", empty=NOT_MADE,
    note="A dash: nothing of it was read.",
)  # fmt: skip

# %%
kit.table(
    periods[periods["period_grain"] == "week"].head(13), COLUMNS, caption="Weeks, the newest first", empty=NOT_MADE
)

# %% [markdown]
# ## Who else works with these servers

# %%
shares = kit.ask(
    """
    select server_uuid, server_name, owners.username as owner, subusers.username as subuser, permissions_total,
        shared_since, shared_until, shares.owner_user_uuid = %(user_uuid)s as is_own
    from fct_server_subusers as shares
    left join dim_servers using (server_uuid)
    left join dim_users as owners on shares.owner_user_uuid = owners.user_uuid
    left join dim_users as subusers on shares.subuser_user_uuid = subusers.user_uuid
    where %(user_uuid)s in (shares.owner_user_uuid, shares.subuser_user_uuid)
    order by shared_until desc nulls first, server_name, owner, subuser
    """,
    user_uuid=user_uuid,
)
is_own = shares["is_own"].fillna(False).astype(bool)
SHARE = {"permissions_total": "permissions_total", "shared_since": "Since", "shared_until": "Until"}
kit.table(
    shares[is_own], {"server_name": "Server", "subuser": "Shared with", **SHARE},
    caption="Subusers of this owner's servers", empty="These servers are shared with nobody.",
    links={"server_name": ("server", "server_uuid")},
)  # fmt: skip

# %%
kit.table(
    shares[~is_own], {"server_name": "Server", "owner": "Owner", **SHARE},
    caption="Servers of others shared with this owner", empty="Nobody shares a server with this owner.",
    links={"server_name": ("server", "server_uuid")},
)  # fmt: skip
