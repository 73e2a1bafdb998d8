# ---
# jupyter:
#   pteroassets:
#     title: Players
#     summary: How many play, how long, and who is new.
#     order: 50
#     schedule: "37 * * * *"
#     stale_after_hours: 3
#     limit_seconds: 60
#     passes: [logs]
#     reads: [fct_network_daily, fct_network_sessions, fct_player_sessions, dim_players, dim_servers]
# ---

# %%
from pteroassets.dashboards import kit

kit.top(["logs"])

# %%
month = kit.one("""
    select
        count(distinct player_id) as players_seen, count(*) as stays, sum(counted_minutes) / 60 as stay_hours,
        percentile_cont(0.5) within group (order by counted_minutes) filter (where not is_open) as stay_minutes
    from fct_network_sessions
    where joined_at > (select max(joined_at) from fct_network_sessions) - interval '30 days'
""")
days = kit.ask("""
    select local_date, distinct_players as daily_players, peak_concurrent_players as peak_players,
        player_hours as network_player_hours
    from fct_network_daily order by local_date
""")
new = kit.ask("""
    select local_date, count(player_id) as players_first_seen
    from fct_network_daily
    left join dim_players on local_date = (first_seen_at at time zone timezone)::date
    where sessions_present is not null
    group by local_date order by local_date
""")
peak = days["peak_players"].max()
NO_LOG = "no log was read"
kit.figures(
    kit.figure("players_seen", month["players_seen"], of="last 30 days"),
    kit.figure("stays", month["stays"], of="last 30 days"),
    kit.figure("stay_hours", month["stay_hours"], why=NO_LOG, of="last 30 days"),
    kit.figure("stay_minutes", month["stay_minutes"], why=NO_LOG, of="last 30 days"),
    kit.figure("peak_players", peak, why=NO_LOG, of="ever, as far as logs reach"),
)

# %%
kit.line(days, x="local_date", metric="daily_players", title="Players by day; the last day is not over", empty=NO_LOG)

# %%
kit.line(days, x="local_date", metric="peak_players", title="Most players at once, by day", empty=NO_LOG)

# %%
kit.line(
    new, x="local_date", metric="players_first_seen",
    title="New players by day; in the first days of which logs are known everybody looks new", empty=NO_LOG,
)  # fmt: skip

# %% [markdown]
# ## Where they play

# %%
servers = kit.ask("""
    select
        server_uuid, server_name, count(distinct player_id) as players_seen, count(*) as sessions,
        sum(counted_minutes) / 60 as play_hours,
        percentile_cont(0.5) within group (order by counted_minutes) filter (where not is_open) as session_minutes,
        count(*) filter (where close_reason = 'kicked') as kicks,
        count(*) filter (where close_reason = 'timed_out') as timeouts
    from fct_player_sessions inner join dim_servers using (server_uuid)
    where not is_proxy and joined_at > (select max(joined_at) from fct_player_sessions) - interval '30 days'
    group by server_uuid, server_name order by play_hours desc nulls last
""")
kit.table(
    servers,
    {
        "server_name": "Server", "players_seen": "players_seen", "sessions": "sessions", "play_hours": "play_hours",
        "session_minutes": "session_minutes", "kicks": "kicks", "timeouts": "timeouts",
    },
    caption="Servers, last 30 days", empty="Nobody played in the last 30 days.",
    links={"server_name": ("server", "server_uuid")},
    note="Players of several servers count on each, so the column is not to be added up.",
)  # fmt: skip

# %%
both = kit.ask("""
    with played as (
        select distinct server_uuid, player_id from fct_player_sessions
        where not is_proxy and joined_at > (select max(joined_at) from fct_player_sessions) - interval '30 days'
    )
    select one.server_name as first_server, other.server_name as second_server, count(*) as players_seen
    from played as first_played
    inner join played as second_played using (player_id)
    inner join dim_servers as one on first_played.server_uuid = one.server_uuid
    inner join dim_servers as other on second_played.server_uuid = other.server_uuid
    where first_played.server_uuid < second_played.server_uuid
    group by 1, 2 order by 3 desc, 1, 2 limit 20
""")
kit.table(
    both, {"first_server": "Server", "second_server": "and server", "players_seen": "players_seen"},
    caption="Players shared by two servers, last 30 days", empty="No two servers have a player in common.",
)  # fmt: skip
