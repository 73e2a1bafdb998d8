# ---
# jupyter:
#   pteroassets:
#     title: Season of Arma 3
#     summary: "The games of the last ninety days: how many played what, which sides won, and who stood out."
#     order: 100
#     schedule: "24 * * * *"
#     stale_after_hours: 3
#     limit_seconds: 60
#     passes: [replays]
#     reads: [fct_arma3_replays, fct_arma3_games, fct_arma3_player_games, fct_arma3_kills, fct_arma3_evenings]
#     only_if: select exists (select from fct_arma3_replays)
# ---

# %%
from pteroassets.dashboards import kit

# no source names seasons: one is the ninety days up to the newest game
SEASON = """
    season as (
        select replays.*, replays.duration_seconds / 60 as minutes
        from fct_arma3_replays as replays inner join fct_arma3_games using (replay_key)
        where
            is_counted
            and replays.played_date > (select max(played_date) from fct_arma3_replays) - 90
    )
"""
whole = kit.one("""
    select count(*) filter (where outcome = 'ok')::float8 / nullif(count(*), 0) as share from fct_arma3_replays
""")
kit.top(["replays"], coverage=[kit.figure("arma3_whole_share", whole["share"], why="no replay was read")])

# %%
total = kit.one(f"""
    with {SEASON}
    select
        count(*) as games, min(played_date) as first_date, max(played_date) as last_date, max(players) as most_players,
        sum(players) as seats, sum(minutes) as minutes, sum(deaths) as deaths, sum(suicides) as suicides,
        sum(deaths_by_unknown) as by_unknown
    from season
""")
people = kit.one(f"""
    with {SEASON}
    select
        count(distinct player_key) as players, sum(play_seconds) / 3600 as hours,
        sum(played.team_kills) / nullif(sum(played.kills + played.team_kills), 0) as team_kill_share,
        sum(is_survivor::int)::float8 / nullif(count(is_survivor), 0) as survival
    from fct_arma3_player_games as played inner join season using (replay_key)
""")
NO_DAY = "no game of these says when it was"
NOT_COUNTED = "players are counted with the next build after a replay was read"
of = "" if total["first_date"] is None else f"{total['first_date']:%Y-%m-%d} to {total['last_date']:%Y-%m-%d}"
kit.figures(
    kit.figure("arma3_games_read", total["games"], of=of),
    kit.figure("arma3_active_players", people["players"] or None, why=NOT_COUNTED),
    kit.figure("arma3_seats_taken", total["seats"], why=NO_DAY),
    kit.figure("arma3_game_players", total["most_players"], why=NO_DAY, of="the largest game"),
    kit.figure("arma3_game_minutes", total["minutes"], why="no game says how long it was"),
    kit.figure("arma3_unit_hours", people["hours"], why=NOT_COUNTED),
    kit.figure("arma3_deaths", total["deaths"], why=NO_DAY),
    kit.figure("arma3_deaths_by_unknown", total["by_unknown"], why=NO_DAY),
    kit.figure("arma3_team_kill_share", people["team_kill_share"], why="nobody who is known killed anybody"),
    kit.figure("arma3_survival", people["survival"], why="no source tells who was alive at the end"),
)

# %% [markdown]
# ## Evenings

# %%
days = kit.ask(f"""
    with {SEASON}
    select played_date, max(players) as arma3_game_players from season where played_date is not null
    group by 1 order by 1
""")
kit.line(
    days, x="played_date", metric="arma3_game_players", title="Players of the largest game of each day",
    empty="No game says when it was and how many played.",
)  # fmt: skip

# %%
evenings = kit.ask("""
    select local_date, peak_concurrent_players as arma3_peak_players from fct_arma3_evenings
    where scope = 'game' and local_date > (select max(local_date) from fct_arma3_evenings) - 90
    order by 1
""")
kit.line(
    evenings, x="local_date", metric="arma3_peak_players", title="Most players at once of each evening, in all games",
    empty="No evening is counted yet: that is done once a day.",
)  # fmt: skip

# %%
games = kit.ask(f"""
    with {SEASON}
    select
        replay_key, played_date, coalesce(mission_name, 'without a name') as mission, island_name,
        players as arma3_game_players, minutes as arma3_game_minutes, deaths as arma3_deaths,
        team_kills as arma3_team_kills, survivors as arma3_survivors, coalesce(winner_side, 'not known') as winner
    from season order by played_date desc nulls last, started_at desc nulls last, replay_key desc limit 100
""")
kit.table(
    games,
    {
        "mission": "Mission", "played_date": "Day", "island_name": "World", "winner": "Won by",
        "arma3_game_players": "arma3_game_players", "arma3_game_minutes": "arma3_game_minutes",
        "arma3_deaths": "arma3_deaths", "arma3_team_kills": "arma3_team_kills", "arma3_survivors": "arma3_survivors",
    },
    caption="Games, the newest hundred first", empty="None.", links={"mission": ("replay", "replay_key")},
)  # fmt: skip

# %% [markdown]
# ## Sides and worlds

# %%
sides = kit.ask(f"""
    with {SEASON}
    select
        side, count(*) as arma3_side_games, count(winner_side) as arma3_side_decided,
        count(*) filter (where winner_side = side) as arma3_side_wins,
        count(*) filter (where winner_side = side)::float8 / nullif(count(winner_side), 0) as arma3_side_win_share
    from season
    cross join lateral (values
        ('WEST', players_west), ('EAST', players_east), ('GUER', players_guer), ('CIV', players_civ)
    ) as found (side, side_players)
    where side_players > 0
    group by side order by 2 desc, 1
""")
kit.table(
    sides,
    {
        "side": "Side", "arma3_side_games": "arma3_side_games", "arma3_side_decided": "arma3_side_decided",
        "arma3_side_wins": "arma3_side_wins", "arma3_side_win_share": "arma3_side_win_share",
    },
    caption="Which sides won", empty="No source names sides with players.",
    note="A game of which no source says who won counts for no side.",
)  # fmt: skip

# %%
worlds = kit.ask(f"""
    with {SEASON}
    select coalesce(island_name, 'not named') as world, count(*) as arma3_games_read from season
    group by 1 order by 2 desc, 1 limit 12
""")
kit.bars(worlds, y="world", metric="arma3_games_read", title="Worlds of the most games", empty="No game was read.")

# %%
missions = kit.ask(f"""
    with {SEASON}
    select
        coalesce(mission_name, 'without a name') as mission, string_agg(distinct island_name, ', ') as islands,
        count(*) as arma3_games_read, max(players) as arma3_game_players, sum(deaths) as arma3_deaths,
        max(played_date) as last_date
    from season group by 1 order by 3 desc, 6 desc nulls last, 1 limit 50
""")
kit.table(
    missions,
    {
        "mission": "Mission", "islands": "Worlds", "arma3_games_read": "arma3_games_read",
        "arma3_game_players": "arma3_game_players", "arma3_deaths": "arma3_deaths", "last_date": "Last played",
    },
    caption="Missions of the most games, the first fifty", empty="No game was read.",
)  # fmt: skip

# %% [markdown]
# ## Who stood out

# %%
best = kit.ask(f"""
    with {SEASON}
    select
        (array_agg(player_name order by played.started_at desc nulls last))[1] as player,
        (array_agg(squad_name order by played.started_at desc nulls last))[1] as squad,
        count(*) as arma3_player_games, sum(played.kills) as arma3_player_kills,
        sum(played.deaths) as arma3_player_deaths, sum(played.team_kills) as arma3_player_team_kills,
        sum(is_survivor::int)::float8 / nullif(count(is_survivor), 0) as arma3_survival,
        sum(is_win::int)::float8 / nullif(count(is_win), 0) as arma3_win_share,
        max(longest_kill_metres) as arma3_kill_metres
    from fct_arma3_player_games as played inner join season using (replay_key)
    group by player_key order by arma3_player_kills desc, arma3_player_games, player limit 50
""")
kit.table(
    best,
    {
        "player": "Player", "squad": "Squad", "arma3_player_games": "arma3_player_games",
        "arma3_player_kills": "arma3_player_kills", "arma3_player_deaths": "arma3_player_deaths",
        "arma3_player_team_kills": "arma3_player_team_kills", "arma3_survival": "arma3_survival",
        "arma3_win_share": "arma3_win_share", "arma3_kill_metres": "arma3_kill_metres",
    },
    caption="Players of the most kills, the first fifty", empty=f"Nobody: {NOT_COUNTED}.",
)  # fmt: skip

# %%
weapons = kit.ask(f"""
    with {SEASON}
    select weapon_name, count(*) as arma3_weapon_kills
    from fct_arma3_kills as shots inner join season using (replay_key)
    where is_credited and weapon_name is not null group by 1 order by 2 desc, 1 limit 12
""")
kit.bars(
    weapons, y="weapon_name", metric="arma3_weapon_kills", title="Weapons of the most kills, the first twelve",
    empty="No weapon of a kill is named.",
)  # fmt: skip
