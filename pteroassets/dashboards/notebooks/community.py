# ---
# jupyter:
#   pteroassets:
#     title: Community
#     summary: Who plays when, and the records.
#     order: 60
#     schedule: "42 * * * *"
#     stale_after_hours: 3
#     limit_seconds: 60
#     passes: [logs]
#     reads:
#       [fct_network_daily, fct_hours_of_week, fct_concurrency_peaks, fct_most_active_players, fct_player_events,
#       dim_players, dim_servers, dim_server_software, dim_nodes]
# ---

# %%
from pteroassets.dashboards import kit

kit.top(["logs"])

# %%
days = kit.ask("""
    select local_date, timezone, peak_concurrent_players as peak_players, distinct_players as daily_players,
        player_hours
    from fct_network_daily order by local_date
""")
zone = str(days["timezone"].iloc[0]) if len(days) else "UTC"
record = days.sort_values("peak_players", ascending=False).head(1)
busiest = days.sort_values("daily_players", ascending=False).head(1)
NO_LOG = "no log was read"
on_record, on_busiest = (
    f"on {found['local_date'].iloc[0]:%A, %d %B %Y}" if len(found) else "" for found in (record, busiest)
)
kit.figures(
    kit.figure("peak_players", record["peak_players"].max(), why=NO_LOG, of=on_record),
    kit.figure("daily_players", busiest["daily_players"].max(), why=NO_LOG, of=on_busiest),
    kit.figure("network_player_hours", days["player_hours"].sum() if len(days) else None, why=NO_LOG, of="in all"),
)

# %% [markdown]
# ## Who plays when

# %%
# a server's mean rests on the hours of which its log is known; all servers are the sum of their means
cells = kit.ask("""
    select
        (array['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'])[local_weekday] as weekday, local_hour as hour_of_day,
        players_mean as hourly_players, hours_known as hourly_hours_known, servers_known
    from fct_hours_of_week where scope = 'host'
""")
NO_HOUR = "No hour is known: the hours of the week are counted once a day, from logs that were read."
grid = kit.whole_week(cells) if len(cells) else cells
kit.heat_map(
    grid, x="hour_of_day", y="weekday", metric="hourly_players", rests_on="hourly_hours_known", order=kit.WEEKDAYS,
    title=f"Players on all servers by weekday and hour ({zone}), each server's mean added up", empty=NO_HOUR,
)  # fmt: skip

# %%
kit.note(
    "An empty frame: no log of this hour was ever read, so nobody knows."
    if len(cells) < len(grid)
    else "Each hour of the week rests on a log that was read."
    + ("" if cells["servers_known"].nunique() == 1 else " Not all rest on those of as many servers.")
)

# %% [markdown]
# ## Records

# %%
peaks = kit.ask(
    """
    select local_date, peak_concurrent_players as record_players, peak_at at time zone %(zone)s as peak_at, is_record,
        record_before
    from fct_concurrency_peaks where scope = 'host' order by local_date
""",
    zone=zone,
)
PEAKS = "No peak is known: the peaks are counted once a day, from logs that were read."
kit.line(peaks, x="local_date", metric="peak_players", value="record_players", title="Most players at once, by day",
         empty=PEAKS)  # fmt: skip

# %%
kit.table(
    peaks[peaks["is_record"].astype(bool)].sort_values("local_date", ascending=False).head(20),
    {"local_date": "Day", "record_players": "record_players", "peak_at": f"Reached at ({zone})"},
    caption="Records of the host: days with more players at once than on any known day before", empty=PEAKS,
    note="The first known day is a record, since nothing is known of the days before.",
)  # fmt: skip

# %%
records = kit.ask("""
    select distinct on (scope_key)
        server_uuid, server_name, peak_concurrent_players as server_record_players, peaks.local_date
    from fct_concurrency_peaks as peaks
    inner join dim_servers using (server_uuid)
    left join dim_server_software as software using (server_uuid)
    where is_record and scope = 'server' and not coalesce(software.is_proxy, false)
    order by scope_key, peaks.local_date desc
""").sort_values("server_record_players", ascending=False)
kit.table(
    records, {"server_name": "Server", "server_record_players": "server_record_players", "local_date": "First on"},
    caption="Most players at once, by server", empty=PEAKS, links={"server_name": ("server", "server_uuid")},
)  # fmt: skip

# %%
nodes = kit.ask("""
    select distinct on (scope_key)
        node_name, peak_concurrent_players as node_record_players, local_date
    from fct_concurrency_peaks inner join dim_nodes using (node_uuid)
    where is_record and scope = 'node' order by scope_key, local_date desc
""").sort_values("node_record_players", ascending=False)
kit.table(
    nodes, {"node_name": "Node", "node_record_players": "node_record_players", "local_date": "First on"},
    caption="Most players at once, by node", empty=PEAKS,
)  # fmt: skip

# %% [markdown]
# ## What happens there

# %%
most = kit.ask("""
    select player_name, play_hours, sessions, deaths, advancements, servers_total as servers_of_a_player, counted_until
    from fct_most_active_players inner join dim_players using (player_id)
    order by place limit 25
""")
until = "" if most.empty else f" up to {most['counted_until'].iloc[0]:%d %B}"
kit.table(
    most,
    {
        "player_name": "Player", "play_hours": "play_hours", "sessions": "sessions", "deaths": "deaths",
        "advancements": "advancements", "servers_of_a_player": "servers_of_a_player",
    },
    caption=f"Who played most in the 30 days{until}", empty="Nobody, as far as logs were read.",
)  # fmt: skip

# %%
causes = kit.ask("""
    select replace(cause, '_', ' ') as cause, count(*) as deaths_of_a_cause from fct_player_events
    where event_kind = 'death' and cause is not null
        and local_date > (select max(local_date) from fct_player_events) - 30
    group by 1 order by 2 desc, 1 limit 12
""")
kit.bars(
    causes, y="cause", metric="deaths_of_a_cause",
    title="What players died of in the last 30 days, the twelve most frequent",
    empty="No death whose cause is understood was read in the last 30 days.",
)  # fmt: skip
