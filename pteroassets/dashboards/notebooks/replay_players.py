# ---
# jupyter:
#   pteroassets:
#     title: Players of Arma 3
#     summary: "Who plays the games that replays tell: how often, how well, under which names and in which squads."
#     order: 105
#     schedule: "26 * * * *"
#     stale_after_hours: 3
#     limit_seconds: 60
#     passes: [replays]
#     reads: [fct_arma3_replays, fct_arma3_games, fct_arma3_player_games, fct_arma3_players, fct_arma3_player_history,
#         fct_arma3_ratings]
#     only_if: select exists (select from fct_arma3_replays)
# ---

# %%
from pteroassets.dashboards import kit

# a game that two sites tell counts once, so that who is in its recording too is no second player
COUNTED = """
    played as (
        select games.* from fct_arma3_player_games as games inner join fct_arma3_games using (replay_key)
        where is_counted
    )
"""
whole = kit.one("""
    select count(*) filter (where outcome = 'ok')::float8 / nullif(count(*), 0) as share from fct_arma3_replays
""")
kit.top(["replays"], coverage=[kit.figure("arma3_whole_share", whole["share"], why="no replay was read")])

# %%
ever = kit.one(f"""
    with {COUNTED}
    select
        count(distinct player_key) as players, count(distinct player_key) filter (where is_recent) as recent,
        sum(play_seconds) / 3600 as hours, sum(team_kills) / nullif(sum(kills + team_kills), 0) as team_kill_share,
        sum(is_survivor::int)::float8 / nullif(count(is_survivor), 0) as survival
    from (select *, played_date > (select max(played_date) from played) - 30 as is_recent from played) as found
""")
NOT_COUNTED = "players are counted with the next build after a replay was read"
kit.figures(
    kit.figure("arma3_active_players", ever["players"] or None, why=NOT_COUNTED, of="in all games"),
    kit.figure(
        "arma3_active_players", ever["recent"] or None, why=NOT_COUNTED, of="in the 30 days up to the newest game"
    ),
    kit.figure("arma3_unit_hours", ever["hours"], why=NOT_COUNTED, of="in all games"),
    kit.figure("arma3_team_kill_share", ever["team_kill_share"], why="nobody who is known killed anybody"),
    kit.figure("arma3_survival", ever["survival"], why="no source tells who was alive at the end"),
)

# %%
players = kit.ask(f"""
    with {COUNTED}, counted as (
        select
            player_key, count(*) as arma3_player_games, sum(play_seconds) / 3600 as arma3_unit_hours,
            sum(kills) as arma3_player_kills, sum(deaths) as arma3_player_deaths,
            sum(team_kills) / nullif(sum(kills + team_kills), 0) as arma3_team_kill_share,
            sum(is_survivor::int)::float8 / nullif(count(is_survivor), 0) as arma3_survival,
            sum(is_win::int)::float8 / nullif(count(is_win), 0) as arma3_win_share,
            max(longest_kill_metres) as arma3_kill_metres,
            max(played_date) as last_date,
            (array_agg(player_name order by started_at desc nulls last, replay_key desc))[1] as player,
            (array_agg(squad_name order by started_at desc nulls last, replay_key desc))[1] as squad
        from played group by player_key
        order by count(*) desc, sum(kills) desc, player_key limit 200
    )
    select counted.*, best_weapon, counted.arma3_player_games as games
    from counted left join fct_arma3_players using (player_key)
    order by games desc, arma3_player_kills desc, player
""")
kit.table(
    players,
    {
        "player": "Player", "squad": "Squad", "arma3_player_games": "arma3_player_games",
        "arma3_unit_hours": "arma3_unit_hours", "arma3_player_kills": "arma3_player_kills",
        "arma3_player_deaths": "arma3_player_deaths", "arma3_team_kill_share": "arma3_team_kill_share",
        "arma3_survival": "arma3_survival", "arma3_win_share": "arma3_win_share",
        "best_weapon": "Best weapon", "arma3_kill_metres": "arma3_kill_metres", "last_date": "Last played",
    },
    caption="Players of the most games, the first two hundred", empty=f"Nobody: {NOT_COUNTED}.",
    note="A dash is not known. The best weapon is counted once a day.",
)  # fmt: skip

# %%
rated = kit.ask("""
    select
        player_name as player, rating as arma3_rating, rating_low as arma3_rating_low,
        games_rated as arma3_games_rated, played_date as last_date
    from fct_arma3_ratings where is_newest
    order by rating_low desc, games_rated desc, player_key limit 50
""")
kit.table(
    rated,
    {
        "player": "Player", "arma3_rating_low": "arma3_rating_low", "arma3_rating": "arma3_rating",
        "arma3_games_rated": "arma3_games_rated", "last_date": "Last rated",
    },
    caption="Ratings by the results of sides, the first fifty",
    empty="Nobody is rated yet: that needs games whose winner is known, and is done once a day.",
    note="1000 is a new player. Ranked by the rating less three deviations: few games tell little. Rated once a day.",
)  # fmt: skip

# %% [markdown]
# ## Squads and names

# %%
squads = kit.ask(f"""
    with {COUNTED}
    select
        squad_name, count(distinct player_key) as arma3_active_players, count(*) as arma3_player_games,
        sum(kills) as arma3_player_kills, sum(team_kills) as arma3_player_team_kills, max(played_date) as last_date
    from played
    where squad_name is not null and played_date > (select max(played_date) from played) - 90
    group by squad_name order by 3 desc, 1 limit 50
""")
kit.table(
    squads,
    {
        "squad_name": "Squad", "arma3_active_players": "arma3_active_players",
        "arma3_player_games": "arma3_player_games", "arma3_player_kills": "arma3_player_kills",
        "arma3_player_team_kills": "arma3_player_team_kills", "last_date": "Last played",
    },
    caption="Squads of the last 90 days, the first fifty by games of their players", empty="No squad is named.",
)  # fmt: skip

# %%
names = kit.ask("""
    with names as (
        select history.*, count(*) over (partition by player_key) as names_total
        from fct_arma3_player_history as history where kind = 'name'
    )
    select
        newest.value as player, newest.first_played_date as since, newest.names_total as arma3_names_used,
        string_agg(earlier.value, ', ' order by earlier.last_played_date desc nulls last, earlier.value) as before
    from names as newest inner join names as earlier on newest.player_key = earlier.player_key and not earlier.is_newest
    where newest.is_newest
    group by newest.player_key, newest.value, newest.first_played_date, newest.names_total
    order by newest.first_played_date desc nulls last, 1 limit 50
""")
kit.table(
    names, {"player": "Player", "before": "Names before", "arma3_names_used": "arma3_names_used", "since": "Since"},
    caption="Who took another name, the latest fifty", empty="Nobody whom a site knows by number, as far as is known.",
    note="Counted once a day. A recording knows people by name alone, so that another name there is another player.",
)  # fmt: skip
