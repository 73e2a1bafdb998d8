"""Players of Arma 3 over games: ratings, evenings, who comes back, and what is built anew of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from pteroassets.landing.arma3.ratings import RatedGame, rate
from pteroassets.platform.players import let_built_games_go
from pteroassets.warehouse.connection import Connection, ConnectionSettings
from pteroassets.warehouse.load import LoadReport
from tests.parsed import run_dbt

from .conftest import dbt_environment
from .replays import EVENING, GAMES, rows_of

pytestmark = pytest.mark.postgres


def test_ratings_are_those_of_the_games_in_order_and_are_left_where_nothing_changed(
    games: Connection, rating_reports: list[LoadReport]
) -> None:
    site = rows_of(games, "select min(site) as site from marts.fct_arma3_replays where site_kind = 'wog'")[0]["site"]
    expected = rate(
        RatedGame(
            played_on=(game.started_at + timedelta(hours=3)).date(),
            sides={
                side: tuple(
                    sorted(
                        hashlib.md5(f"{site}/{number}".encode()).hexdigest()
                        for number, (_, soldier) in game.players.items()
                        if soldier.side == side
                    )
                )
                for side in game.sides
            },
            winner=str(game.winner),
        )
        for game in GAMES
    )
    found = rows_of(games, "select md5(player_key) as player, * from marts.fct_arma3_ratings")
    rated = {(row["player"], row["played_date"]): row for row in found}
    assert rated.keys() == {(one.player, one.played_on) for one in expected}
    for one in expected:
        row = rated[one.player, one.played_on]
        assert (row["rating"], row["rating_deviation"]) == (one.rating, one.deviation)
        assert (row["games_rated"], row["games_won"]) == (one.games, one.wins)
        assert row["rating_low"] == pytest.approx(one.rating - 3 * one.deviation)
    assert sum(row["is_newest"] for row in found) == len({one.player for one in expected})
    first, second = rating_reports
    assert (first.rows_added, first.rows_read) == (len(expected), len(GAMES))
    assert (second.rows_added, second.rows_changed, second.rows_gone, second.rows_read) == (0, 0, 0, 0)


def test_evenings_count_players_once_however_often_a_game_is_told(games: Connection) -> None:
    moscow = timedelta(hours=3)
    by_day = {(game.started_at + moscow).date(): game for game in GAMES}
    evenings = rows_of(games, "select * from marts.fct_arma3_evenings where scope_key = 'arma3'")
    assert {row["local_date"]: row["players"] for row in evenings} == {
        day: len(game.players) for day, game in by_day.items()
    }
    for row in evenings:
        game = by_day[row["local_date"]]
        assert (row["games"], row["peak_concurrent_players"]) == (1, len(game.players))
        assert row["play_hours"] == pytest.approx(len(game.players) * game.end * game.delay / 3600)
        # each game is larger than the one before
        assert row["is_record"]
    days = rows_of(games, "select * from marts.fct_arma3_active_players where scope = 'game' order by local_date")
    assert {row["local_date"]: row["active_players_1d"] for row in days if row["active_players_1d"]} == {
        day: len(game.players) for day, game in by_day.items()
    }
    assert days[-1]["local_date"] == (EVENING + moscow + timedelta(days=5)).date()
    assert not days[-1]["is_day_whole"]
    cohorts = rows_of(games, "select * from marts.fct_arma3_retention where scope = 'game' and cohort_grain = 'day'")
    assert {row["reason"] for row in cohorts} == {"history_too_short"}
    newcomers: dict[int, int] = {}
    for number, game in enumerate(GAMES):
        for player in game.players:
            newcomers.setdefault(player, number)
    sizes = sorted(Counter(newcomers.values()).values())
    assert sorted({row["cohort_start"]: row["players_total"] for row in cohorts}.values()) == sizes


@pytest.mark.last  # it changes games
def test_what_was_corrected_or_names_who_is_forgotten_is_built_anew_and_nothing_else(
    games: Connection, dbt_target: Path, warehouse_of_games: ConnectionSettings
) -> None:
    def written() -> dict[int, set[str]]:
        found: dict[int, set[str]] = {}
        query = "select replay_key, xmin::text from intermediate.int_arma3__player_games"
        for key, transaction in games.execute(query).fetchall():
            found.setdefault(key, set()).add(transaction)
        return found

    before = written()
    ((corrected, named),) = games.execute(
        "select max(replay_key), min(replay_key) from marts.fct_arma3_player_games where kills > 0"
    ).fetchall()
    games.execute("delete from raw_arma3.kills where replay_key = %s", (corrected,))
    games.execute("update raw_arma3.replays set _load_id = gen_random_uuid() where replay_key = %s", (corrected,))
    games.execute(
        "update raw_arma3.units set name = 'Whoever' where (replay_key, player_id) in ("
        "select replay_key, min(player_id) from marts.fct_arma3_player_games where replay_key = %s group by 1)",
        (named,),
    )
    ((name,),) = games.execute(
        "select player_name from marts.fct_arma3_player_games where replay_key = %s order by player_id limit 1",
        (named,),
    ).fetchall()
    games.execute(
        "update intermediate.int_arma3__player_games set player_name = 'Somebody' "
        "where replay_key = %s and player_name = %s",
        (named, name),
    )
    (deserted,) = {*before} - {corrected, named, *sorted({*before} - {corrected, named})[1:]}
    games.execute("delete from raw_arma3.units where replay_key = %s", (deserted,))
    games.execute("delete from raw_arma3.stints where replay_key = %s", (deserted,))
    games.execute("update raw_arma3.replays set _load_id = gen_random_uuid() where replay_key = %s", (deserted,))
    assert games.execute("select count(*) > 0 from derived_arma3.ratings").fetchall() == [(True,)]
    let_built_games_go(games, "Somebody")
    assert games.execute("select count(*) from derived_arma3.ratings").fetchall() == [(0,)], "hashes of names"
    run_dbt(["run", "--select", "int_arma3__player_games"], dbt_environment(warehouse_of_games), target=dbt_target)
    after = written()
    assert {one for one in before if before[one] != after.get(one)} == {corrected, named, deserted}
    assert deserted not in after, "a correction may take everybody out of a game"
    kills = games.execute(
        "select sum(kills) from marts.fct_arma3_player_games where replay_key = %s", (corrected,)
    ).fetchall()
    assert kills == [(0,)]
    names = games.execute(
        "select player_name from marts.fct_arma3_player_games where replay_key = %s", (named,)
    ).fetchall()
    assert ("Whoever",) in names
    assert ("Somebody",) not in names
