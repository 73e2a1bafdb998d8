"""The site of SolidGames: its list goes on over pages, and a replay's page names the recording."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pteroassets.clock import ManualClock
from pteroassets.landing.arma3 import site_pass
from pteroassets.landing.arma3.by_hand import load_replays, reparse
from pteroassets.landing.arma3.passes import nothing_due, read_sites
from pteroassets.landing.context import Landing
from pteroassets.simulator.arma3.game import Game, play
from pteroassets.simulator.arma3.serve import FakeReplaySites
from pteroassets.warehouse.connection import Connection
from tests.landing.replays.games import EVERY, content, with_settings

pytestmark = pytest.mark.postgres

BEGIN = datetime(2026, 1, 17, 12, tzinfo=UTC)
GAMES = [play(number, number, BEGIN + timedelta(minutes=number), players=8, minutes=4) for number in range(1, 9)]


def second(game: Game) -> int:
    return int(game.started_at.timestamp())


@pytest.fixture
def solid(landing: Landing, site: FakeReplaySites) -> Landing:
    site.sites.page_rows = 2
    return with_settings(landing, pteroassets_replay_sites=f"solidgames:{site.url}")


def landed(connection: Connection) -> dict[int, str]:
    return dict(connection.execute("select site_number, outcome from raw_arma3.replays order by 1").fetchall())


def upload(site: FakeReplaySites, *games: Game) -> None:
    for game in games:
        site.sites.upload(game, "solidgames")


def test_pages_are_read_on_until_one_has_what_is_known_and_not_at_first(
    solid: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    upload(site, *GAMES[:4])
    report = read_sites(solid, warehouse)[0]
    assert [*report.problems] == []
    assert landed(warehouse) == {second(game): "ok" for game in GAMES[2:4]}, "what is older is asked for by hand"
    row = warehouse.execute(
        "select source, generation, mission, island, started_at, clock from raw_arma3.replays order by site_number"
    ).fetchone()
    game = GAMES[2]
    assert row == ("ocap", "solidgames", game.mission, game.island, game.started_at, "address")
    assert site.sites.requests["/replays"] == 1
    # five at once, as after a day without a run
    upload(site, *GAMES[4:])
    clock.sleep(300)
    assert nothing_due(solid, warehouse, EVERY) is None
    read_sites(solid, warehouse)
    assert landed(warehouse) == {second(game): "ok" for game in GAMES[2:]}
    load_replays(solid, warehouse, [second(GAMES[0])])
    assert landed(warehouse)[second(GAMES[0])] == "ok"
    before = content(warehouse)
    reparse(solid, warehouse)
    assert content(warehouse) == before


def test_a_further_page_that_cannot_be_read_leaves_no_gap(
    solid: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    upload(site, *GAMES[:2])
    read_sites(solid, warehouse)
    upload(site, *GAMES[2:6])
    site.sites.fail("/replays?p=2", 500)
    clock.sleep(300)
    assert not read_sites(solid, warehouse)[0].is_complete
    assert len(landed(warehouse)) == 2
    clock.sleep(600)
    assert read_sites(solid, warehouse)[0].is_complete
    assert len(landed(warehouse)) == 6


def test_more_pages_than_are_read_at_once_are_told(
    solid: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_pass, "MOST_PAGES", 2)
    upload(site, *GAMES[:2])
    read_sites(solid, warehouse)
    upload(site, *GAMES[2:])
    clock.sleep(300)
    (problem,) = read_sites(solid, warehouse)[0].problems
    assert "more than 2 pages of new games" in problem["reason"]
    assert len(landed(warehouse)) == 6


def test_a_page_that_names_no_recording_yet_is_looked_at_again(
    solid: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    upload(site, GAMES[0])
    site.sites.fail(f"/replays/{second(GAMES[0])}", "html")
    (problem,) = read_sites(solid, warehouse)[0].problems
    assert "names no recording" in problem["reason"]
    clock.sleep(300)
    read_sites(solid, warehouse)
    assert landed(warehouse) == {second(GAMES[0]): "ok"}
