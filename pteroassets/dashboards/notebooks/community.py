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
#     reads: [fct_network_daily, fct_network_sessions, fct_player_sessions, fct_server_daily, dim_players, dim_servers]
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
# each stay is cut at the hours of the host's clock, then the time in each cell is spread over the weeks that were read
cells = kit.ask(
    """
    with weeks as (
        select extract(isodow from local_date) as weekday, count(*) as days
        from fct_network_daily where sessions_present is not null group by 1
    ),
    pieces as (
        select
            hour_at at time zone %(zone)s as local_hour,
            extract(epoch from least(left_at, hour_at + interval '1 hour') - greatest(joined_at, hour_at)) / 3600
                as hours
        from (
            select joined_at, joined_at + counted_minutes * interval '1 minute' as left_at
            from fct_network_sessions where joined_at is not null
        ) as stays
        cross join lateral generate_series(date_trunc('hour', joined_at), left_at, interval '1 hour') as hour_at
    )
    select
        (array['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'])[extract(isodow from local_hour)::int] as weekday,
        extract(hour from local_hour)::int as hour_of_day, sum(hours) / max(weeks.days) as mean_players
    from pieces inner join weeks on extract(isodow from local_hour) = weeks.weekday
    group by 1, 2
    """,
    zone=zone,
)
grid = kit.whole_week(cells, "mean_players") if len(cells) else cells
kit.heat_map(
    grid, x="hour_of_day", y="weekday", metric="mean_players", order=kit.WEEKDAYS,
    title=f"Players on the host by weekday and hour ({zone})", empty=NO_LOG,
)  # fmt: skip

# %% [markdown]
# ## Records

# %%
records = kit.ask("""
    select distinct on (server_uuid)
        server_uuid, server_name, peak_concurrent_players as server_peak_players, local_date
    from fct_server_daily inner join dim_servers using (server_uuid)
    where peak_concurrent_players > 0 and not is_proxy
    order by server_uuid, peak_concurrent_players desc, local_date
""").sort_values("server_peak_players", ascending=False)
kit.table(
    records, {"server_name": "Server", "server_peak_players": "server_peak_players", "local_date": "First on"},
    caption="Most players at once, by server", empty=NO_LOG, links={"server_name": ("server", "server_uuid")},
)  # fmt: skip

# %%
most = kit.ask("""
    select players.player_name, sum(counted_minutes) / 60 as play_hours, count(*) as sessions, sum(deaths) as deaths,
        sum(advancements) as advancements, max(players.servers_total) as servers_of_a_player
    from fct_player_sessions as sessions inner join dim_players as players using (player_id)
    where not is_proxy and joined_at > (select max(joined_at) from fct_player_sessions) - interval '30 days'
    group by player_id, players.player_name order by play_hours desc nulls last limit 25
""")
kit.table(
    most,
    {
        "player_name": "Player", "play_hours": "play_hours", "sessions": "sessions", "deaths": "deaths",
        "advancements": "advancements", "servers_of_a_player": "servers_of_a_player",
    },
    caption="Who played most in the last 30 days", empty="Nobody, as far as logs were read.",
)  # fmt: skip
