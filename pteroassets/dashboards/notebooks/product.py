# ---
# jupyter:
#   pteroassets:
#     title: Games that push events
#     summary: Who plays, how far players come and what they do, told by the games themselves.
#     order: 110
#     schedule: "*/10 * * * *"
#     stale_after_hours: 3
#     limit_seconds: 60
#     passes: [events]
#     reads:
#       [fct_game_events, fct_game_active_players, fct_game_sessions, fct_game_player_days, fct_game_players,
#       fct_game_funnel, fct_game_retention, fct_guild_actions, fct_enemy_kills, fct_damage_taken, fct_quests]
# ---

# %%
from pteroassets.dashboards import kit

NONE = "no game has pushed an event"
fresh = kit.one("""
    select
        count(*) as events, coalesce(sum(copies - 1), 0)::float8 as copies,
        percentile_cont(0.5) within group (order by seconds_until_stored) as stored,
        max(seconds_until_stored) as stored_max,
        percentile_cont(0.5) within group (order by seconds_until_received) as received
    from fct_game_events where received_at > (select max(received_at) - interval '1 day' from fct_game_events)
""")
kit.top(["events"], coverage=[kit.figure("pushed_stored_seconds", fresh["stored"], why=NONE, of="the last day")])

# %%
total = kit.one("""
    select
        count(*) as players, count(minecraft_player_id) as known, sum(events)::float8 as events
    from fct_game_players
""")
kit.note("No game has pushed an event yet, so all that follows is not known.") if not fresh["events"] else kit.figures(
    kit.figure("pushed_events", fresh["events"], of="the last day with events, up to this moment"),
    kit.figure("pushed_copies", fresh["copies"], of="the last day with events"),
    kit.figure("pushed_stored_seconds_max", fresh["stored_max"], why=NONE, of="the last day with events"),
    kit.figure("pushed_received_seconds", fresh["received"], why=NONE, of="the last day with events"),
    kit.figure("pushed_players", total["players"], of="ever, in all games"),
    kit.figure("pushed_known_in_minecraft", total["known"], of="ever, in all games"),
)

# %% [markdown]
# ## Who is active

# %%
days = kit.ask("""
    select
        scope_key as game, local_date, is_day_whole, active_players_1d as pushed_daily_players,
        active_players_7d as pushed_active_players_7d, active_players_30d as pushed_active_players_30d,
        stickiness_ratio as pushed_stickiness, new_players as pushed_new_players
    from fct_game_active_players order by local_date, game
""")
kit.line(
    days, x="local_date", metric="pushed_daily_players", by="game", title="Different players of each day, by game",
    empty=f"Nobody: {NONE}.",
)  # fmt: skip

# %%
last = days[days["is_day_whole"].astype(bool)].groupby("game").tail(1)
kit.table(
    last,
    {
        "game": "Game", "local_date": "Last whole day", "pushed_daily_players": "pushed_daily_players",
        "pushed_active_players_7d": "pushed_active_players_7d",
        "pushed_active_players_30d": "pushed_active_players_30d", "pushed_stickiness": "pushed_stickiness",
        "pushed_new_players": "pushed_new_players",
    },
    caption="Active players", empty="No whole day is known of any game.",
    note="A dash: so many days are not known yet. Days are those of UTC.",
)  # fmt: skip

# %%
sessions = kit.ask("""
    select
        game, count(*) as pushed_sessions, avg(events)::float8 as pushed_session_events,
        percentile_cont(0.5) within group (order by minutes) as pushed_session_minutes
    from fct_game_sessions where started_date > (select max(started_date) - 30 from fct_game_sessions)
    group by game order by game
""")
kit.table(
    sessions,
    {
        "game": "Game", "pushed_sessions": "pushed_sessions", "pushed_session_minutes": "pushed_session_minutes",
        "pushed_session_events": "pushed_session_events",
    },
    caption="Sessions of the last thirty days", empty=f"None: {NONE}.",
    note="A session is what the game calls so; where it calls nothing so, thirty minutes without an event end one.",
)  # fmt: skip

# %%
again = kit.ask("""
    select
        scope_key as game, days_later,
        case kind when 'classic' then 'classic D-' || days_later else 'within ' || days_later || ' days' end as name,
        sum(players_returned)::float8 / nullif(sum(players_counted), 0) as pushed_retention,
        sum(players_counted)::float8 as pushed_cohort_players_counted
    from fct_game_retention where cohort_grain = 'day' and retention_ratio is not null
    group by scope_key, kind, days_later order by game, kind, days_later
""")
kit.table(
    again,
    {
        "game": "Game", "name": "Retention", "pushed_retention": "pushed_retention",
        "pushed_cohort_players_counted": "pushed_cohort_players_counted",
    },
    caption="Who comes back, all cohorts of days",
    empty="No cohort can be judged: newcomers are known from seven days after the first event on.",
)  # fmt: skip

# %% [markdown]
# ## How far players come

# %%
funnel = kit.ask("""
    select
        game, step_number, step, sum(players_reached)::float8 as pushed_step_players,
        sum(players_reached)::float8 / nullif(sum(players_total), 0) as pushed_step_ratio
    from fct_game_funnel group by game, step_number, step order by game, step_number
""")
kit.table(
    funnel,
    {
        "game": "Game", "step": "Step", "pushed_step_players": "pushed_step_players",
        "pushed_step_ratio": "pushed_step_ratio",
    },
    caption="Steps, each after the one before, of all players", empty=f"Nobody: {NONE}.",
    note="Who came a short time ago had less time to come far; fct_game_funnel has each first day apart.",
)  # fmt: skip

# %% [markdown]
# ## What players do

# %%
types = kit.ask("""
    select game, event_type, count(*) as pushed_events, sum(copies - 1)::float8 as pushed_copies
    from fct_game_events group by game, event_type order by 3 desc, 1, 2 limit 50
""")
kit.table(
    types,
    {"event_type": "Type", "game": "Game", "pushed_events": "pushed_events", "pushed_copies": "pushed_copies"},
    caption="Events by type", empty=f"None: {NONE}.",
)  # fmt: skip

# %%
guilds = kit.ask("""
    select coalesce(guild_name, guild_type, guild_id, 'the guild') as guild, count(*) as pushed_guild_joins
    from fct_guild_actions where action = 'join' group by 1 order by 2 desc, 1 limit 12
""")
kit.table(
    guilds, {"guild": "Guild", "pushed_guild_joins": "pushed_guild_joins"}, caption="Guilds of the most joins",
    empty="Nobody joined a guild.",
)  # fmt: skip

# %%
enemies = kit.ask("""
    select
        coalesce(enemy_name, dragon_type, enemy_id, 'without a name') as enemy, count(*) as pushed_kills,
        avg(level)::float8 as pushed_kill_level
    from fct_enemy_kills group by 1 order by 2 desc, 1 limit 12
""")
kit.table(
    enemies, {"enemy": "Enemy", "pushed_kills": "pushed_kills", "pushed_kill_level": "pushed_kill_level"},
    caption="Enemies of the most kills", empty="Nobody killed an enemy.",
)  # fmt: skip

# %%
damage = kit.ask("""
    select
        coalesce(source_name, source_id, cause, 'without a name') as source, count(*) as pushed_hits,
        max(damage) as pushed_damage_max
    from fct_damage_taken group by 1 order by 3 desc nulls last, 1 limit 12
""")
kit.table(
    damage, {"source": "Source", "pushed_hits": "pushed_hits", "pushed_damage_max": "pushed_damage_max"},
    caption="Sources of the highest damage", empty="Nobody took damage.",
)  # fmt: skip

# %%
quests = kit.ask("""
    select coalesce(quest_name, quest_id, 'the quest of the day') as quest, contact, count(*) as pushed_quests
    from fct_quests where is_accepted group by 1, 2 order by 3 desc, 1, 2 limit 15
""")
kit.table(
    quests, {"quest": "Quest", "contact": "From", "pushed_quests": "pushed_quests"}, caption="Quests taken most",
    empty="Nobody took a quest.",
)  # fmt: skip

# %%
players = kit.ask("""
    select
        players.game, coalesce(player_name, players.player_id) as player, count(*) as pushed_player_days,
        sum(days.play_seconds) / 3600 as pushed_hours
    from fct_game_player_days as days inner join fct_game_players as players using (game, player_id)
    group by players.game, players.player_id, player_name order by 4 desc, 2 limit 20
""")
kit.table(
    players,
    {
        "player": "Player", "game": "Game", "pushed_player_days": "pushed_player_days", "pushed_hours": "pushed_hours",
    },
    caption="Players of the most hours", empty=f"Nobody: {NONE}.",
)  # fmt: skip
