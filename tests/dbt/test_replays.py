"""Models of Arma 3's replays against games of which everything is known, and against what WRTD-ETL's users ask."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from pteroassets.simulator.arma3.game import SIDES, Game
from pteroassets.warehouse.connection import Connection

from .replays import GAMES, VIEWS, is_credited, people, rows_of

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("game", GAMES, ids=lambda game: str(game.number))
def test_the_digest_of_a_game_is_what_happened_in_it(games: Connection, game: Game) -> None:
    (told,) = rows_of(
        games,
        f"select * from marts.fct_arma3_replays where site_kind = 'wog' and site_number = {game.number}",
    )
    dead = {victim.player_id for _, victim, _ in people(game)}
    for side in SIDES:
        alive = sum(soldier.side == side and number not in dead for number, (_, soldier) in game.players.items())
        assert told[f"survivors_{side.lower()}"] == alive, side
        assert told[f"players_{side.lower()}"] == (game.heads(side) or None), side
        commander = game.commanders.get(side)
        assert told[f"commander_{side.lower()}"] == (None if commander is None else commander.name), side
    assert (told["winner_side"], told["mission_name"], told["slots"]) == (game.winner, game.mission, game.slots)
    kills = Counter(
        killer.name for death, victim, killer in people(game) if is_credited(game, death, victim, killer) and killer
    )
    team_kills = Counter(
        killer.name
        for death, victim, killer in people(game)
        if killer and killer is not victim and game.is_team_kill(death)
    )
    assert told["kills"] == kills.total()
    assert told["team_kills"] == team_kills.total() > 0
    assert told["suicides"] == sum(victim is killer for _, victim, killer in people(game))
    assert told["deaths_by_unknown"] == sum(killer is None for _, _, killer in people(game)) > 0
    best = sorted(kills.items(), key=lambda one: (-one[1], one[0]))[:5]
    assert Counter({one["player"]: one["kills"] for one in told["best_players"]}).total() == sum(
        count for _, count in best
    )
    assert {one["player"]: one["team_kills"] for one in told["most_team_kills"]}.items() <= team_kills.items()
    first, last = people(game)[0], people(game)[-1]
    assert (told["first_kill"]["victim"], told["last_kill"]["victim"]) == (first[1].name, last[1].name)
    longest = max(
        death.metres
        for death, victim, killer in people(game)
        if killer and killer is not victim and death.metres is not None
    )
    assert told["longest_kill"]["distance_metres"] == longest
    assert sum(one["vehicles"] for one in told["vehicles"]) == len(game.machines)


def test_a_players_figures_are_those_of_all_games(games: Connection) -> None:
    found = {
        row["player_id"]: row
        for row in rows_of(games, "select * from marts.fct_arma3_players where player_id is not null")
    }
    played = Counter(number for game in GAMES for number in game.players)
    assert {number: row["games"] for number, row in found.items()} == played
    for number, row in found.items():
        kills = sum(
            is_credited(game, death, victim, killer) and killer is not None and killer.player_id == number
            for game in GAMES
            for death, victim, killer in people(game)
        )
        deaths = sum(victim.player_id == number for game in GAMES for _, victim, _ in people(game))
        assert (row["kills"], row["deaths"]) == (kills, deaths), row["player_name"]
        alive = sum(
            number in game.players and all(victim.player_id != number for _, victim, _ in people(game))
            for game in GAMES
        )
        assert row["games_survived"] == alive


def test_the_recording_of_a_game_tells_the_same_people_as_its_page(games: Connection) -> None:
    """Within tolerance: a recording knows soldiers whom nobody played, and no numbers of players."""
    by_site = {
        row["site_kind"]: row
        for row in rows_of(games, "select * from marts.fct_arma3_replays")
        if row["started_at"] == GAMES[0].started_at
    }
    assert by_site["ocap"]["participants"] == by_site["wog"]["participants"] == len(GAMES[0].players)
    assert by_site["ocap"]["deaths"] >= by_site["wog"]["deaths"]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_the_columns_of_wrtd_etl_in_its_types_and_order(games: Connection, view: str) -> None:
    rows = games.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum",
        (f"arma3.{view}",),
    ).fetchall()
    assert rows == list(VIEWS[view].items())
    assert games.execute(f"select has_table_privilege('analyst', 'arma3.{view}', 'select')").fetchall() == [(True,)]


def test_queries_of_wrtd_etl_find_what_was_played(games: Connection) -> None:
    game = GAMES[1]
    ranked = games.execute(
        """
        select nickname, count(*) from arma3.frags inner join arma3.d_players on killer = id_from_json
        where replay_number = %s and is_tk is false and killer <> victim group by 1 order by 2 desc, 1
        """,
        (game.number,),
    ).fetchall()
    kills = Counter(
        killer.name for death, victim, killer in people(game) if is_credited(game, death, victim, killer) and killer
    )
    assert dict(ranked) == kills
    survivors = games.execute(
        """
        select count(*) from arma3.players where replay_number = %(game)s and id_from_json not in (
            select victim from arma3.frags where replay_number = %(game)s and victim is not null
        )
        """,
        {"game": game.number},
    ).fetchall()
    assert survivors == [(len(game.players) - len({victim.player_id for _, victim, _ in people(game)}),)]
    moscow = timedelta(hours=3)
    assert games.execute(
        "select start_time, date, commander_civ from arma3.replay_main where replay_number = %s", (game.number,)
    ).fetchall() == [((game.started_at + moscow).time(), (game.started_at + moscow).date(), "None")]


def test_a_game_of_a_player_is_what_they_did_in_it(games: Connection) -> None:
    found = {
        (row["site_number"], row["player_id"]): row
        for row in rows_of(
            games,
            "select replays.site_number, played.* from marts.fct_arma3_player_games as played "
            "inner join marts.fct_arma3_replays as replays using (replay_key) where played.site_kind = 'wog'",
        )
    }
    assert found.keys() == {(game.number, number) for game in GAMES for number in game.players}
    for game in GAMES:
        deaths = Counter(victim.player_id for _, victim, _ in people(game))
        kills = Counter(
            killer.player_id
            for death, victim, killer in people(game)
            if killer is not None and is_credited(game, death, victim, killer)
        )
        commanders = {player.player_id for player in game.commanders.values()}
        for number, (player, soldier) in game.players.items():
            row = found[game.number, number]
            assert (row["kills"], row["deaths"]) == (kills[number], deaths[number]), player.name
            assert (row["side"], row["squad_name"], row["role_name"]) == (soldier.side, soldier.squad, soldier.role)
            assert row["is_win"] is (soldier.side == game.winner)
            assert row["is_commander"] is (number in commanders)
            assert row["is_survivor"] is (not deaths[number])
            # a page does not say when somebody came or left
            assert (row["present_from"], row["present_until"]) == (game.started_at, game.ended_at)


def test_weapons_count_each_game_once(games: Connection) -> None:
    """The recording of a game tells its kills again, and they are not counted twice."""
    found = {row["weapon_name"]: row for row in rows_of(games, "select * from marts.fct_arma3_weapons")}
    told = [(game, *one) for game in GAMES for one in people(game) if one[2] is not None]
    assert found.keys() == {death.weapon for _, death, _, _ in told if death.weapon}
    for weapon, row in found.items():
        with_it = [one for one in told if one[1].weapon == weapon]
        kills = [one for one in with_it if is_credited(*one)]
        assert row["kills"] == len(kills), weapon
        assert row["team_kills"] == sum(one[2] is not one[3] for one in with_it) - len(kills)
        assert row["suicides"] == sum(one[2] is one[3] for one in with_it)
        assert row["players"] == len({killer.player_id for *_, killer in with_it if killer})
        assert row["games"] == len({game.number for game, *_ in with_it})
        longest = max((death.metres for _, death, *_ in kills if death.metres is not None), default=None)
        assert row["longest_kill_metres"] == longest
        if kills:
            best = Counter(killer.name for *_, killer in kills if killer).most_common(1)[0][1]
            assert row["best_player_kills"] == best


def test_a_vehicle_has_the_kills_of_all_its_crews(games: Connection) -> None:
    found = {row["vehicle_name"]: row for row in rows_of(games, "select * from marts.fct_arma3_vehicles")}
    machines = [machine for game in GAMES for machine in game.machines]
    assert {name: row["vehicles"] for name, row in found.items()} == Counter(one.name for one in machines)
    kills: Counter[str] = Counter()
    aboard: Counter[str] = Counter()
    for game in GAMES:
        for death, victim, killer in people(game):
            for unit, counts in ((death.killer, kills), (death.victim, aboard)):
                machine = None if unit is None else game.soldier(unit).vehicle_at(death.frame)
                if machine is not None and (counts is aboard or is_credited(game, death, victim, killer)):
                    counts[game.machine(machine).name] += 1
    assert {name: row["kills"] for name, row in found.items() if row["kills"]} == kills
    assert {name: row["deaths_aboard"] for name, row in found.items() if row["deaths_aboard"]} == aboard
    assert {row["vehicles_lost"] for row in found.values()} == {0}, "pages do not tell it"


def test_sides_win_by_mission_and_island(games: Connection) -> None:
    found = {
        (row["mission_name"], row["island_name"], row["side"]): row
        for row in rows_of(games, "select * from marts.fct_arma3_sides")
    }
    played = [(game, side) for game in GAMES for side in SIDES if game.heads(side)]
    places = Counter((game.mission, game.island, side) for game, side in played)
    wins = Counter((game.mission, game.island, side) for game, side in played if game.winner == side)
    assert {key: row["games"] for key, row in found.items()} == places
    assert {key: row["wins"] for key, row in found.items() if row["wins"]} == wins
    for key, row in found.items():
        assert row["win_share"] == wins[key] / places[key]
        assert row["win_share_low"] - 1e-9 <= row["win_share"] <= row["win_share_high"] + 1e-9
    for table, columns in (("missions", ("mission_name", "island_name")), ("maps", ("island_name",))):
        rows = rows_of(games, f"select * from marts.fct_arma3_{table}")
        names = {"mission_name": "mission", "island_name": "island"}
        counted = Counter(tuple(getattr(game, names[one]) for one in columns) for game in GAMES)
        assert {tuple(row[one] for one in columns): row["games"] for row in rows} == counted
        assert sum(row["deaths"] for row in rows) == sum(len(people(game)) for game in GAMES)
        assert sum(row["games_decided"] for row in rows) == len(GAMES)


def test_commanders_and_the_history_of_players(games: Connection) -> None:
    commanders = rows_of(games, "select * from marts.fct_arma3_commanders")
    commanded = Counter(player.player_id for game in GAMES for player in game.commanders.values())
    won = Counter(game.commanders[game.winner].player_id for game in GAMES if game.winner in game.commanders)
    assert {int(row["player_key"].rpartition("/")[2]): row["games"] for row in commanders} == commanded
    assert {int(row["player_key"].rpartition("/")[2]): row["wins"] for row in commanders if row["wins"]} == won
    history = rows_of(games, "select * from marts.fct_arma3_player_history where player_key !~ 'name:'")
    squads = Counter((number, soldier.squad) for game in GAMES for number, (_, soldier) in game.players.items())
    found = {
        (int(row["player_key"].rpartition("/")[2]), row["value"]): row["games"]
        for row in history
        if row["kind"] == "squad"
    }
    assert found == squads
    newest = Counter(row["player_key"] for row in history if row["kind"] == "name" and row["is_newest"])
    assert set(newest.values()) == {1}
    assert len(newest) == len({number for game in GAMES for number in game.players})


def test_a_recording_and_a_page_of_one_game_are_compared(games: Connection) -> None:
    """Within tolerance, by the tests of dbt on this model; here it is seen that there was something to compare."""
    rows = rows_of(
        games,
        "select told.* from intermediate.int_arma3__told_twice as told "
        "inner join staging.stg_arma3__replays as pages on told.game_key = pages.replay_key order by pages.site_number",
    )
    assert len(rows) == 2
    for game, found in zip((GAMES[0], GAMES[2]), rows, strict=True):
        deaths = len(people(game))
        assert found["names_in_common"] == found["participants_recorded"] == len(game.players)
        assert (found["deaths_listed"], found["participants_listed"]) == (deaths, len(game.players))
        assert abs(found["deaths_recorded"] - deaths) <= 2
        kills = sum(is_credited(game, *one) for one in people(game))
        assert found["kills_recorded"] == found["kills_listed"] == kills
        assert found["team_kills_recorded"] == found["team_kills_listed"] > 0
        assert found["winner_recorded"] == found["winner_listed"] == game.winner
    assert rows[1]["kills_listed"] > 0
