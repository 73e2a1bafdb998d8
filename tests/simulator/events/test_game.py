"""The game of the demo: its history is pushed once, it plays on, and its players are those of the world."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pteroassets.platform.events import REFERENCE
from pteroassets.simulator.events import game as playing
from pteroassets.simulator.events.game import Game, identities_of
from pteroassets.simulator.events.reference import Reference
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.simulator.world.chance import epoch
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.collector.serving import KEY, Client, served
from tests.databases import copied

pytestmark = pytest.mark.postgres
ANCHOR = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def collector(migrated_template: ConnectionSettings) -> Iterator[tuple[Client, ConnectionSettings]]:
    with copied(migrated_template) as settings, served(settings) as client:
        yield client, settings


def game_of(client: Client) -> Game:
    world = World.create(7, ANCHOR, WorldSize.DEMO, 3 * DAY)
    return Game(
        url=f"http://127.0.0.1:{client.port}", key=KEY, seed=7, reference=Reference.of(REFERENCE),
        identities=identities_of(world.estate, world.players, epoch(ANCHOR)),
    )  # fmt: skip


def ask(settings: ConnectionSettings, query: str) -> tuple[Any, ...]:
    with connect(settings, autocommit=True) as connection:
        (row,) = connection.execute(query).fetchall()
    return row


def test_the_history_is_pushed_once_and_has_players_of_minecraft(
    collector: tuple[Client, ConnectionSettings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playing, "HISTORY_EVENTS", 2_000)
    client, settings = collector
    game = game_of(client)
    for _ in range(2):
        game.push_history(ANCHOR - 3 * DAY, ANCHOR, tmp_path / "done")
    events, players, known, begin, end = ask(
        settings,
        "select count(*), count(distinct player_id), count(distinct record ->> 'minecraft_uuid'), "
        "min(occurred_at), max(occurred_at) from raw_events.events",
    )
    assert events == 2_020
    assert players > 30
    assert 5 < known <= len(game.identities) == 15  # not each of them came in so few events
    assert ANCHOR - 3 * DAY <= begin < end <= ANCHOR


def test_it_plays_on_until_it_is_told_to_stop(
    collector: tuple[Client, ConnectionSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playing, "_LIVE_EVENTS", 18_000)
    client, settings = collector
    stopped = threading.Event()
    thread = threading.Thread(target=game_of(client).play, args=(stopped,))
    begun = datetime.now(UTC)
    thread.start()
    try:
        end = time.monotonic() + 60
        while (count := ask(settings, "select count(*) from raw_events.events")[0]) < 20 and time.monotonic() < end:
            time.sleep(0.1)
    finally:
        stopped.set()
        thread.join()
    assert count >= 20
    (waited,) = ask(settings, "select max(abs(clock_skew_milliseconds)) from raw_events.events")
    (oldest,) = ask(settings, "select min(occurred_at) from raw_events.events")
    assert waited < 30_000
    assert oldest > begun - timedelta(hours=1)  # a late one
