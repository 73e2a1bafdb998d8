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
#     reads:
#       [fct_network_daily, fct_play_last_30_days, fct_active_players_daily, fct_second_visits,
#       fct_activity_flows, fct_shared_players, fct_game_players_daily, dim_servers]
# ---

# %%
from pteroassets.dashboards import kit

kit.top(["logs"])

# %%
month = kit.one("""
    select players as players_seen, sessions as stays, play_hours as stay_hours,
        session_minutes_median as stay_minutes, counted_until
    from (values ('host')) as host (scope_key) left join fct_play_last_30_days using (scope_key)
""")
NOT_COUNTED = "no session was seen; these are counted once a day"
MONTH = "" if month["counted_until"] is None else f"30 days up to {month['counted_until']:%d %B}, counted once a day"
days = kit.ask("""
    select local_date, distinct_players as daily_players, peak_concurrent_players as peak_players,
        player_hours as network_player_hours
    from fct_network_daily order by local_date
""")
peak = days["peak_players"].max()
NO_LOG = "no log was read"
kit.figures(
    kit.figure("players_seen", month["players_seen"], why=NOT_COUNTED, of=MONTH),
    kit.figure("stays", month["stays"], why=NOT_COUNTED, of=MONTH),
    kit.figure("stay_hours", month["stay_hours"], why=NOT_COUNTED, of=MONTH),
    kit.figure("stay_minutes", month["stay_minutes"], why=NOT_COUNTED, of=MONTH),
    kit.figure("peak_players", peak, why=NO_LOG, of="ever, as far as logs reach"),
)

# %% [markdown]
# ## Who is active

# %%
active = kit.ask("""
    select
        local_date, active_players_1d as daily_players, active_players_7d, active_players_30d,
        stickiness_ratio as stickiness,
        new_players, returning_players, won_back_players, lapsed_players, session_minutes_mean as stay_minutes_mean,
        session_minutes_p90 as stay_minutes_p90, is_day_whole, newcomers_known_from, history_known_since
    from fct_active_players_daily where scope = 'host' order by local_date
""")
whole = active[active["is_day_whole"].astype(bool)].tail(1)
last = whole.iloc[0] if len(whole) else None
NO_DAY = "no whole day was read; actives are counted once a day"
on = "" if last is None else f"{last['local_date']:%A, %d %B}, the last whole day"
lacks = {
    days: NO_DAY if last is None else f"logs are known since {last['history_known_since']:%d %B}: {few}"
    for days, few in {7: "fewer than 7 days", 30: "fewer than 30 days", 31: "fewer than 31 days"}.items()
}
newcomers = "" if last is None else f"newcomers are known from {last['newcomers_known_from']:%d %B} on"
kit.figures(
    *(
        kit.figure(name, None if last is None else last[name], why=why, of=on)
        for name, why in (
            ("daily_players", NO_DAY), ("active_players_7d", lacks[7]), ("active_players_30d", lacks[30]),
            ("stickiness", lacks[30]),
        )
    )
)  # fmt: skip

# %%
kit.lines(
    active, x="local_date",
    metrics={
        "daily_players": "daily_players", "active_players_7d": "active_players_7d",
        "active_players_30d": "active_players_30d",
    },
    title="Different players of a day, of 7 and of 30 days; a line begins when as many days are known",
    empty=NO_LOG,
)  # fmt: skip

# %%
kit.line(
    active, x="local_date", metric="stickiness", title="Stickiness by day",
    empty=f"Not known: {lacks[30]}.",
)  # fmt: skip

# %%
kit.figures(
    *(
        kit.figure(name, None if last is None else last[name], why=why, of=on)
        for name, why in (
            ("new_players", newcomers or NO_DAY), ("returning_players", newcomers or NO_DAY),
            ("won_back_players", lacks[31]), ("lapsed_players", lacks[30]),
        )
    )
)  # fmt: skip

# %%
kit.lines(
    active, x="local_date",
    metrics={name: name for name in ("new_players", "returning_players", "won_back_players", "lapsed_players")},
    title="Who is new, comes again, is won back or lapses, by day", empty=f"Not known: {newcomers or NO_DAY}.",
)  # fmt: skip

# %%
games = kit.ask("""
    select distinct on (game = 'all', game)
        case game when 'minecraft' then 'Minecraft' when 'arma3' then 'Arma 3' when 'all' then 'All' else game end
            as told,
        local_date, active_players_1d as game_players_1d, active_players_7d as game_players_7d,
        active_players_30d as game_players_30d, play_hours as game_play_hours
    from fct_game_players_daily where is_day_whole order by game = 'all', game, local_date desc
""")
# who has one game alone has its figures above
kit.table(
    games,
    {
        "told": "Game", "local_date": "Last whole day", "game_players_1d": "game_players_1d",
        "game_players_7d": "game_players_7d", "game_players_30d": "game_players_30d",
        "game_play_hours": "game_play_hours",
    },
    caption="Players of each game on the last day that is known to its end",
    empty=NO_DAY,
    note="No account of one game is known to be one of another, so who plays several counts in each.",
) if "Arma 3" in set(games["told"]) else None  # fmt: skip

# %% [markdown]
# ## How long they stay, and when they come again

# %%
again = kit.one("""
    select players as players_of_servers, came_twice_ratio as came_twice,
        first_session_minutes_median as first_session_minutes,
        hours_to_second_session_median as hours_to_second_session, gap_hours_median as gap_hours
    from (values ('host')) as host (scope_key) left join fct_second_visits using (scope_key)
""")
NOBODY = "nobody was seen on a server; these are counted once a day"
kit.figures(
    kit.figure("players_of_servers", again["players_of_servers"], why=NOBODY, of="ever"),
    kit.figure("first_session_minutes", again["first_session_minutes"], why=NOBODY),
    kit.figure("came_twice", again["came_twice"], why=NOBODY),
    kit.figure("hours_to_second_session", again["hours_to_second_session"], why="nobody came a second time"),
    kit.figure("gap_hours", again["gap_hours"], why="nobody came a second time"),
)

# %%
kit.lines(
    active, x="local_date",
    metrics={"stay_minutes_mean": "stay_minutes_mean", "stay_minutes_p90": "stay_minutes_p90"},
    title="Length of stays by the day on which they began", empty="No stay has ended whose join was seen.",
)  # fmt: skip

# %% [markdown]
# ## How much they play

# %%
groups = kit.ask("""
    select
        replace(activity_group, '_', ' ') as activity_group,
        replace(nullif(activity_group_before, 'not_known'), '_', ' ') as before, week_start, players as players_in_group
    from fct_activity_flows where week_start = (select max(week_start) from fct_activity_flows)
""")
week = f"the week from {groups['week_start'].iloc[0]:%d %B}" if len(groups) else "a week"
NO_WEEK = "Not known before the log of the host is known for three whole weeks; it is reckoned once a day."
kit.bars(
    groups, y="activity_group", metric="players_in_group", by="before",
    title=f"Players by activity in {week}, in the colour of the group a week before", empty=NO_WEEK,
)  # fmt: skip

# %%
flows = groups[groups["before"].notna() & (groups["before"] != groups["activity_group"])]
kit.table(
    flows.sort_values("players_in_group", ascending=False),
    {"before": "From", "activity_group": "To", "players_in_group": "players_in_group"},
    caption=f"Who moved between groups in {week}",
    empty="Nobody moved." if groups["before"].notna().any() else NO_WEEK,
)  # fmt: skip

# %% [markdown]
# ## Where they play

# %%
servers = kit.ask("""
    select
        server_uuid, server_name, players as players_seen, sessions, play_hours,
        session_minutes_median as session_minutes, kicks, timeouts
    from fct_play_last_30_days inner join dim_servers using (server_uuid)
    where scope = 'server' order by play_hours desc nulls last, server_name
""")
kit.table(
    servers,
    {
        "server_name": "Server", "players_seen": "players_seen", "sessions": "sessions", "play_hours": "play_hours",
        "session_minutes": "session_minutes", "kicks": "kicks", "timeouts": "timeouts",
    },
    caption=f"Servers, {MONTH}" if MONTH else "Servers", empty="Nobody was seen to play; it is counted once a day.",
    links={"server_name": ("server", "server_uuid")},
    note="Players of several servers count on each, so the column is not to be added up.",
)  # fmt: skip

# %%
both = kit.ask("""
    select
        one.server_uuid, one.server_name as first_server, other.server_name as second_server,
        players_shared, players_shared_30d, shared_ratio as shared_part
    from fct_shared_players as shared
    inner join dim_servers as one on shared.server_uuid = one.server_uuid
    inner join dim_servers as other on shared.other_server_uuid = other.server_uuid
    order by players_shared desc, shared_ratio desc, first_server limit 30
""")
kit.table(
    both,
    {
        "first_server": "Of the players of", "shared_part": "shared_part", "second_server": "were also on",
        "players_shared": "players_shared", "players_shared_30d": "players_shared_30d",
    },
    caption="Players shared by two servers", empty="No two servers have a player in common, as far as logs were read.",
    links={"first_server": ("server", "server_uuid")},
)  # fmt: skip
