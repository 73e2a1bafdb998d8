# ---
# jupyter:
#   pteroassets:
#     title: Replays
#     summary: "One game of Arma 3: who fought whom, where and when, and who was left."
#     order: 110
#     schedule: "22 * * * *"
#     stale_after_hours: 3
#     limit_seconds: 300
#     passes: [replays]
#     reads: [fct_arma3_replays, fct_arma3_kills, fct_arma3_kill_places, fct_arma3_player_games, fct_arma3_games]
#     editions: 2
#     only_if: select exists (select from fct_arma3_replays)
#     for_each: >-
#       select
#         replay_key as slug,
#         concat_ws(', ', played_date, coalesce(mission_name, 'a mission without a name'), island_name) ||
#         case when site_kind = 'wog' then '' else ' (recording)' end as title,
#         replay_key as replay_key
#       from fct_arma3_replays
#       order by played_date desc nulls last, started_at desc nulls last, replay_key desc
#       limit 100
# ---

# %%
# The newest hundred are made, which takes some seconds an hour and is half a year of four evenings a week. An older one
# is made by hand: make notebook, with its key in the cell of parameters.
from pteroassets.dashboards import kit

# %% tags=["parameters"]
replay_key = int(kit.one("select max(replay_key) as replay_key from fct_arma3_replays")["replay_key"])

# %%
whole = kit.one("""
    select count(*) filter (where outcome = 'ok')::float8 / nullif(count(*), 0) as share from fct_arma3_replays
""")
kit.top(["replays"], coverage=[kit.figure("arma3_whole_share", whole["share"], why="no replay was read")])

# %%
replay = kit.one(
    """
    select
        site, site_kind, url, outcome, reason, mission_name, island_name, timezone, winner_side, winner_reason,
        players, slots, deaths, kills, team_kills, suicides, deaths_by_unknown, survivors,
        first_kill, last_kill, longest_kill, duration_seconds / 60 as minutes,
        to_char(started_at at time zone timezone, 'YYYY-MM-DD HH24:MI') as began,
        to_char(ended_at at time zone timezone, 'YYYY-MM-DD HH24:MI') as ended,
        (longest_kill ->> 'distance_metres')::float8 as longest_metres,
        (select sum((one ->> 'vehicles')::integer) from jsonb_array_elements(vehicles) as one) as vehicles_total
    from fct_arma3_replays as replays where replay_key = %(replay_key)s
    """,
    replay_key=int(replay_key),
)
IS_PAGE = replay["site_kind"] == "wog"
SOURCE = "the page of a game" if IS_PAGE else "a recording"
NOT_SAID = "the page of the game does not say" if IS_PAGE else "the recording does not say"
ARE_KILLS_KNOWN = replay["deaths"] is not None
NO_KILLS = "its source tells of no kills"
NOBODY = "Nobody was killed." if ARE_KILLS_KNOWN else "Not known: its source tells of no kills."
when = "Its time is not known"
if replay["began"]:
    when = f"{replay['began']} to {replay['ended'] or 'an end that is not known'}, clock of {replay['timezone']}"
what = replay["mission_name"] or "A mission without a name"
kit.note(
    f"{what} on {replay['island_name'] or 'a world without a name'}. {when}. Read from {SOURCE} at {replay['site']}.",
    link=("Look at it there", str(replay["url"])),
)

# %%
others = kit.ask(
    """
    select
        other.replay_key,
        case other.site_kind when 'wog' then 'The page of the game' else 'A recording, with a map' end as told_by
    from fct_arma3_games as own
    inner join fct_arma3_games as other on own.game_key = other.game_key and own.replay_key <> other.replay_key
    where own.replay_key = %(replay_key)s
    order by other.replay_key
    """,
    replay_key=int(replay_key),
)
kit.table(
    others, {"told_by": "Told by"}, caption="The same game, told by another site", empty="",
    links={"told_by": ("replay", "replay_key")},
) if len(others) else None  # fmt: skip

# %%
kit.note(f"Something is missing. {replay['reason']}.", "warning") if replay["outcome"] != "ok" else None

# %%
kit.figures(
    kit.figure("arma3_game_players", replay["players"], why=NOT_SAID),
    kit.figure("arma3_slots", replay["slots"], why=NOT_SAID),
    kit.figure("arma3_game_minutes", replay["minutes"], why=NOT_SAID),
    kit.figure("arma3_deaths", replay["deaths"], why=NO_KILLS),
    kit.figure("arma3_kills", replay["kills"], why=NO_KILLS),
    kit.figure("arma3_team_kills", replay["team_kills"], why=NO_KILLS),
    kit.figure("arma3_suicides", replay["suicides"], why=NO_KILLS),
    kit.figure("arma3_deaths_by_unknown", replay["deaths_by_unknown"], why=NO_KILLS),
    kit.figure("arma3_survivors", replay["survivors"], why="its source tells of nobody how the game ended"),
    kit.figure("arma3_kill_metres", replay["longest_metres"], why="no kill has a distance", of="the longest kill"),
)

# %% [markdown]
# ## Sides

# %%
sides = kit.ask(
    """
    select
        side, case when side = winner_side then 'yes' when winner_side is not null then 'no' end as won, commander,
        found.players as arma3_game_players, alive as arma3_survivors, counted.dead as arma3_side_deaths
    from fct_arma3_replays
    cross join lateral (values
        ('WEST', players_west, commander_west, survivors_west), ('EAST', players_east, commander_east, survivors_east),
        ('GUER', players_guer, commander_guer, survivors_guer), ('CIV', players_civ, commander_civ, survivors_civ)
    ) as found (side, players, commander, alive)
    left join lateral (
        select count(*) as dead from fct_arma3_kills as kills
        where kills.replay_key = fct_arma3_replays.replay_key and victim_kind = 'unit' and victim_side = found.side
    ) as counted on true
    where replay_key = %(replay_key)s and (found.players > 0 or commander is not null)
    """,
    replay_key=int(replay_key),
)
kit.table(
    sides,
    {
        "side": "Side", "won": "Won", "commander": "Commander", "arma3_game_players": "arma3_game_players",
        "arma3_survivors": "arma3_survivors", "arma3_side_deaths": "arma3_side_deaths",
    },
    caption="Sides, their commanders and who was left", empty=f"{SOURCE.capitalize()} names no side with players.",
    note=f"Who won is not known: {replay['winner_reason'] or NOT_SAID}." if replay["winner_side"] is None else "",
)  # fmt: skip

# %% [markdown]
# ## Where and when

# %%
kills = kit.ask(
    """
    select
        kills.*, at_second / 60 as minute, coalesce(victim_side, 'unknown') as side,
        coalesce(victim_name, victim_vehicle_name, 'unknown') as victim,
        coalesce(killer_name, killer_vehicle_name, 'unknown') as killer,
        case
            when is_suicide then 'suicide' when is_team_kill then 'team kill'
            when victim_kind = 'vehicle' then 'vehicle'
            when killer_unit_id is null then coalesce(killer_reason, 'killer unknown') else ''
        end as remark,
        coalesce(round(distance_metres)::text || ' m', 'not known') as told_metres,
        victim_cell_x as x, victim_cell_y as y, killer_cell_x as from_x, killer_cell_y as from_y, grid_metres,
        places.reason as no_place, is_place_known
    from fct_arma3_kills as kills left join fct_arma3_kill_places as places using (replay_key, kill_number)
    where replay_key = %(replay_key)s
    order by at_second, kill_number
    """,
    replay_key=int(replay_key),
)
kills["at"] = [f"{int(at) // 60:02}:{int(at) % 60:02}" for at in kills["at_second"]]
soldiers = kills[kills["victim_kind"] == "unit"]
NO_PLACES = (
    f"{SOURCE.capitalize()} tells no places, so there is no map. Where a site of recordings is set up as well, its "
    "recording of the same game has one."
    if len(kills) and (kills["no_place"] == "no_positions").all()
    else NOBODY
    if kills.empty
    else "Of none of those who were killed it is recorded where they were."
)
grid = int(kills["grid_metres"].dropna().max()) if kills["grid_metres"].notna().any() else 100
kit.grid_map(
    soldiers, by="side", metric="arma3_kills_placed", grid_metres=grid,
    told={"at": "Time of the game", "victim": "Killed", "side": "Side", "killer": "By", "weapon_name": "Weapon",
          "told_metres": "Distance", "remark": "Remark"},
    title="Where soldiers were killed, by their side; a line comes from where the killer was",
    empty=NO_PLACES,
)  # fmt: skip

# %%
placed = int(soldiers["x"].notna().sum())
lost = len(soldiers) - placed
about = (
    "North is up. A shaded square is where the victim spent most of the minute of the kill; the dots of a square are "
    "spread over it, since more is not kept."
)
if lost:
    about += f" Not on the map, since they were not seen then: {kit.said('arma3_side_deaths', lost)}."
kit.note(about) if placed else None

# %%
kit.course(
    soldiers, minute="minute", by="side", metric="arma3_side_deaths", until=replay["minutes"] or 0,
    title="Deaths over the game, by the side of who died", empty=NOBODY,
)  # fmt: skip

# %% [markdown]
# ## Who stood out


# %%
def outstanding(what: str, column: str) -> dict[str, object]:
    """Return a row of the table."""
    told = replay[column] or {}
    second = told.get("second")
    return {
        "what": what, "at": None if second is None else f"{int(second) // 60:02}:{int(second) % 60:02}",
        "killer": told.get("killer"), "weapon": told.get("weapon"), "arma3_kill_metres": told.get("distance_metres"),
        "victim": told.get("victim"),
    }  # fmt: skip


marked = [("First kill", "first_kill"), ("Last kill", "last_kill"), ("Longest kill", "longest_kill")]
rows = [outstanding(what, column) for what, column in marked if replay[column]]
COLUMNS = ["what", "at", "killer", "weapon", "arma3_kill_metres", "victim"]
kit.table(
    kit.frame_of(rows, COLUMNS, numbers=["arma3_kill_metres"]),
    {"what": "Which", "at": "Time of the game", "killer": "By", "weapon": "Weapon",
     "arma3_kill_metres": "arma3_kill_metres", "victim": "Killed"},
    caption="Outstanding kills", empty=NOBODY,
)  # fmt: skip

# %%
best = kit.ask(
    """
    select
        max(killer_name) as player, max(killer_side) as side, count(*) filter (where is_credited) as arma3_kills,
        count(*) filter (where is_team_kill) as arma3_team_kills,
        count(*) filter (where victim_kind = 'vehicle') as arma3_vehicles_destroyed,
        max(distance_metres) filter (where is_credited) as arma3_kill_metres,
        mode() within group (order by weapon_name) filter (where is_credited) as weapon
    from fct_arma3_kills
    where replay_key = %(replay_key)s and killer_player_key is not null
    group by killer_player_key
    order by arma3_kills desc, arma3_team_kills, player
    """,
    replay_key=int(replay_key),
)
if IS_PAGE:
    best["arma3_vehicles_destroyed"] = None  # a page tells of no vehicles
kit.table(
    best[best["arma3_kills"] > 0].head(15),
    {
        "player": "Player", "side": "Side", "arma3_kills": "arma3_kills", "arma3_team_kills": "arma3_team_kills",
        "arma3_vehicles_destroyed": "arma3_vehicles_destroyed", "arma3_kill_metres": "arma3_kill_metres",
        "weapon": "Weapon of most",
    },
    caption="Best players, the first fifteen",
    empty="No player killed anybody of another side." if ARE_KILLS_KNOWN else NOBODY,
)  # fmt: skip

# %%
kit.table(
    best[best["arma3_team_kills"] > 0].sort_values(["arma3_team_kills", "player"], ascending=[False, True]).head(15),
    {"player": "Player", "side": "Side", "arma3_team_kills": "arma3_team_kills", "arma3_kills": "arma3_kills"},
    caption="Team kills, by who did them", empty="None." if ARE_KILLS_KNOWN else NOBODY,
)  # fmt: skip

# %%
weapons = kit.ask(
    """
    select weapon_name, count(*) as arma3_weapon_kills from fct_arma3_kills
    where replay_key = %(replay_key)s and is_credited and weapon_name is not null
    group by weapon_name order by 2 desc, 1 limit 12
    """,
    replay_key=int(replay_key),
)
kit.bars(
    weapons, y="weapon_name", metric="arma3_weapon_kills", title="Weapons of the most kills",
    empty="No weapon of a kill is named.",
)  # fmt: skip

# %% [markdown]
# ## Who was there

# %%
people = kit.ask(
    """
    select
        player_name, side, squad_name, role_name, is_survivor, kills as arma3_player_kills,
        deaths as arma3_player_deaths, team_kills as arma3_player_team_kills, play_seconds / 3600 as arma3_unit_hours,
        case when is_survivor then 'yes' when not is_survivor then 'no' else 'not known' end as survived
    from fct_arma3_player_games where replay_key = %(replay_key)s
    order by is_survivor desc nulls last, side, kills desc, player_name
    """,
    replay_key=int(replay_key),
)
kit.table(
    people,
    {
        "player_name": "Player", "survived": "Survived", "side": "Side", "squad_name": "Squad", "role_name": "Slot",
        "arma3_player_kills": "arma3_player_kills", "arma3_player_deaths": "arma3_player_deaths",
        "arma3_player_team_kills": "arma3_player_team_kills", "arma3_unit_hours": "arma3_unit_hours",
    },
    caption="Who took part, the survivors first",
    empty="Nobody is named yet: players are counted with the next build after the replay was read.",
    note="Side, squad and slot are those of the first unit that a player had.",
)  # fmt: skip

# %% [markdown]
# ## Everything

# %%
kit.table(
    kills,
    {
        "at": "Time of the game", "victim": "Killed", "side": "Side", "killer": "By", "killer_side": "Side of that",
        "weapon_name": "Weapon", "distance_metres": "arma3_kill_metres", "remark": "Remark",
    },
    caption="All kills, in their order", empty=NOBODY,
)  # fmt: skip

# %%
vehicles = kit.ask(
    """
    select one ->> 'class' as kind, one ->> 'name' as vehicle, (one ->> 'vehicles')::integer as arma3_vehicles
    from fct_arma3_replays cross join jsonb_array_elements(vehicles) as one
    where replay_key = %(replay_key)s order by 3 desc, 2
    """,
    replay_key=int(replay_key),
)
kit.table(
    vehicles, {"vehicle": "Vehicle", "kind": "Kind", "arma3_vehicles": "arma3_vehicles"},
    caption="Vehicles of the mission", empty=f"{SOURCE.capitalize()} names none.",
)  # fmt: skip
