"""The pages of replays, of their players and of the season against games of which everything is known."""

from __future__ import annotations

import math
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from pteroassets.dashboards.build import Made
from pteroassets.simulator.arma3.game import Game
from pteroassets.simulator.arma3.truth import figures as truth
from pteroassets.warehouse.connection import Connection, ConnectionSettings
from pteroassets.warehouse.load import LoadReport
from tests.dashboards.pages import table_of

from .replay_pages import dots_of, figures_of, make_pages, trees_of
from .replays import EVENING, GAMES

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def made(
    rated_games: tuple[Connection, list[LoadReport]],
    warehouse_of_games: ConnectionSettings,
    dbt_target: Path,
    pages_folder: Path,
) -> dict[str, Made]:
    assert rated_games
    return make_pages(
        warehouse_of_games,
        dbt_target / warehouse_of_games.database / "manifest.json",
        pages_folder,
        EVENING + timedelta(days=5),
    )


@pytest.fixture(scope="module")
def pages_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def pages(made: dict[str, Made], pages_folder: Path) -> dict[str, BeautifulSoup]:
    return trees_of(made, pages_folder)


def page_of(pages: dict[str, BeautifulSoup], game: Game, site_kind: str, connection: Connection) -> BeautifulSoup:
    ((key,),) = connection.execute(
        "select replay_key from marts.fct_arma3_replays where site_kind = %s and started_at = %s",
        (site_kind, game.started_at),
    ).fetchall()
    return pages[f"replay-{key}.html"]


def test_each_replay_has_a_page(made: dict[str, Made], games: Connection) -> None:
    assert {name: one.error for name, one in made.items()} == dict.fromkeys(made)
    keys = games.execute("select 'replay-' || replay_key || '.html' from marts.fct_arma3_replays").fetchall()
    assert sorted(made["replay"].pages) == sorted(file for (file,) in keys)
    assert len(keys) == len(GAMES) + 2


@pytest.mark.parametrize("game", GAMES, ids=lambda game: str(game.number))
def test_the_page_of_a_replay_tells_what_happened(
    pages: dict[str, BeautifulSoup], games: Connection, game: Game
) -> None:
    page = page_of(pages, game, "wog", games)
    assert game.mission in page.select_one("h1").get_text()
    true = truth(game)
    told = figures_of(page)
    assert told["arma3_game_players"] == sum(true.heads.values())
    assert told["arma3_deaths"] == len(true.all_kills)
    assert told["arma3_kills"] == sum(true.kills.values())
    assert told["arma3_team_kills"] == sum(true.team_kills.values())
    assert told["arma3_survivors"] == sum(true.survivors.values())
    assert told["arma3_kill_metres"] == true.longest
    sides = {row[0]: (int(row[3]), int(row[4])) for row in table_of(page, "Sides")}
    assert sides == {side: (heads, true.survivors[side]) for side, heads in true.heads.items()}
    killers = {row[0]: int(row[2]) for row in table_of(page, "Best players")}
    best = dict(sorted(true.kills.items(), key=lambda one: (-one[1], one[0]))[:15])
    assert killers == best
    kills = [(row[1], row[3]) for row in table_of(page, "All kills")]
    assert kills == [(kill.victim, kill.killer or "unknown") for kill in true.all_kills]
    people_told = {row[0]: row[1:] for row in table_of(page, "Who took part")}
    dead = {kill.victim for kill in true.all_kills}
    assert {name for name, row in people_told.items() if row[0] == "yes"} == people_told.keys() - dead
    assert people_told.keys() == {player.name for player, _ in game.players.values()}
    assert "tells no places, so there is no map" in page.get_text()
    assert page.select(".vega.map") == []


def test_a_game_that_two_sites_tell_counts_once_and_each_leads_to_the_other(
    made: dict[str, Made], pages: dict[str, BeautifulSoup], games: Connection
) -> None:
    page = page_of(pages, GAMES[0], "wog", games)
    ((key,),) = games.execute(
        "select replay_key from marts.fct_arma3_replays where site_kind = 'ocap' and started_at = %s",
        (GAMES[0].started_at,),
    ).fetchall()
    assert f"replay-{key}.html" in {link["href"] for link in page.select("figure.table a")}
    season = pages["replay_season.html"]
    true = [truth(game) for game in GAMES]
    told = figures_of(season)
    assert told["arma3_games_read"] == len(GAMES) == len(made["replay"].pages) - 2
    assert told["arma3_active_players"] == len({number for game in GAMES for number in game.players})
    assert told["arma3_seats_taken"] == sum(sum(one.heads.values()) for one in true)
    assert told["arma3_deaths"] == sum(len(one.all_kills) for one in true)
    wins = Counter(game.winner for game in GAMES)
    played = Counter(side for one in true for side, heads in one.heads.items() if heads)
    assert {row[0]: (int(row[1]), int(row[3])) for row in table_of(season, "Which sides won")} == {
        side: (count, wins[side]) for side, count in played.items()
    }
    linked = {link["href"] for link in season.select("figure.table a") if link["href"].startswith("replay-")}
    assert linked == {
        f"replay-{key}.html"
        for (key,) in games.execute("select replay_key from marts.fct_arma3_replays where site_kind = 'wog'").fetchall()
    }


def test_the_pages_of_players_and_of_the_season_tell_all_games_of_each(pages: dict[str, BeautifulSoup]) -> None:
    true = [truth(game) for game in GAMES]
    names = {number: player.name for game in GAMES for number, (player, _) in game.players.items()}
    played = Counter(names[number] for game in GAMES for number in game.players)
    kills: Counter[str] = sum((Counter(one.kills) for one in true), Counter())
    rows = table_of(pages["replay_players.html"], "Players of the most games")
    assert {row[0]: (int(row[2]), int(row[4])) for row in rows} == {
        name: (count, kills[name]) for name, count in played.items()
    }
    best = {row[0]: int(row[3]) for row in table_of(pages["replay_season.html"], "Players of the most kills")}
    assert best == {name: kills[name] for name in played}


def test_the_map_has_each_kill_in_the_square_of_who_was_killed(
    pages: dict[str, BeautifulSoup], games: Connection
) -> None:
    game = GAMES[0]
    page = page_of(pages, game, "ocap", games)
    dots = dots_of(page)
    deaths = {
        (game.soldier(death.victim).name_at(death.frame), death.frame): death
        for death in game.deaths
        if death.victim is not None and (death.killer is not None or death.killer_machine is not None)
    }
    assert len(dots) == len(deaths) > 4  # a recording of this generation has no event of a death by nobody
    for (name, frame), death in deaths.items():
        assert death.victim is not None
        (dot,) = [dot for dot in dots if (dot["victim"], dot["at"]) == (name, f"{frame // 12:02}:{frame % 12 * 5:02}")]
        # of a minute only the square of the longest stay is kept: a minute at a walk, and half a square
        place = game.place(game.soldier(death.victim), frame)
        assert math.dist((dot["east"], dot["north"]), place) < 60 * 3 + 71
        assert (dot["east"] // 100, dot["north"] // 100) == (dot["x"], dot["y"])
