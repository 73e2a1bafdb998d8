"""How much a key may send."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from pteroassets.clock import SystemClock
from pteroassets.collector.batching import BusyError, Delivery, NotStoredError
from pteroassets.collector.counting import Counts
from pteroassets.collector.intake import Intake, NotTakenError
from pteroassets.collector.patience import Patience
from pteroassets.collector.senders import WINDOW_SECONDS, Keys, Rate, Rates, Sender
from pteroassets.sources.events.envelope import read_events
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.collector.serving import KEY, Client, event, served

OTHER = f"{KEY}-2"


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time by which rates are counted; it stands still."""
    now = [1_000.0]
    monkeypatch.setattr("pteroassets.collector.senders.monotonic", lambda: now[0])
    return now


@pytest.fixture
def client(warehouse_settings: ConnectionSettings, now: list[float]) -> Iterator[Client]:
    assert now
    with served(warehouse_settings, rates=Rates(usual=2, games={"other": 1})) as client:
        yield client


@pytest.mark.postgres
def test_a_key_that_sends_more_than_its_rate_is_told_when_to_come_again(
    client: Client, warehouse_settings: ConnectionSettings
) -> None:
    most = 2 * WINDOW_SECONDS
    assert client.post([event() for _ in range(most - 1)]).status == 202
    answer = client.post([event(), event()])
    assert answer.status == 429
    assert 1 <= int(answer.headers["retry-after"]) <= WINDOW_SECONDS
    assert "PTEROASSETS_EVENT_RATE" in answer.json["detail"]
    # what was refused does not count
    assert client.post(event()).status == 202
    assert client.post(event()).status == 429
    # a body that is no event counts as one, and so does one without any
    assert (client.post(b"{").status, client.post([]).status) == (429, 429)
    # another key has a rate of its own
    assert client.post([event() for _ in range(WINDOW_SECONDS)], key=OTHER).status == 202
    assert client.post(event(), key=OTHER).status == 429
    with connect(warehouse_settings, autocommit=True) as connection:
        stored = connection.execute("select count(*) from raw_events.events").fetchone()
        letters = connection.execute("select count(*) from raw_events.dead_letters").fetchone()
    assert (stored, letters) == ((most + WINDOW_SECONDS,), (0,))
    assert KEY not in json.dumps(answer.headers) + answer.text


@pytest.mark.postgres
def test_a_request_that_never_fits_is_told_so(client: Client) -> None:
    answer = client.post([event() for _ in range(2 * WINDOW_SECONDS + 1)])
    assert (answer.status, "retry-after" in answer.headers) == (413, False)
    assert "arena may send 20 events in 10 seconds" in answer.json["detail"]
    assert client.post([event() for _ in range(2 * WINDOW_SECONDS)]).status == 202


def rate_of(each_second: int) -> Rate:
    sender = Keys({KEY: "arena", OTHER: "arena"}, Rates(usual=each_second)).sender_of(f"Bearer {KEY}".encode())
    assert sender is not None
    assert sender.rate is not None
    return sender.rate


def test_a_key_may_send_again_as_time_goes_on(now: list[float]) -> None:
    rate = rate_of(1)
    assert rate.take(10) is None
    assert rate.take(10) == 10
    now[0] += 1.5
    assert rate.take(2) == 1
    assert rate.take(1) is None
    # what is not used is gathered for the time of the window, and no longer
    now[0] += 1_000
    assert rate.take(10) is None
    assert rate.take(1) == 1


@pytest.mark.parametrize("batch", [1, 99, 501, 600, 999, 1_000])
def test_a_game_below_its_rate_never_falls_behind(now: list[float], batch: int) -> None:
    rate = rate_of(100)
    for _ in range(200):
        now[0] += batch / 99
        assert rate.take(batch) is None


@pytest.mark.parametrize("batch", [501, 600, 1_000])
def test_a_game_above_its_rate_gets_all_of_it(now: list[float], batch: int) -> None:
    rate = rate_of(100)
    begun, sent = now[0], 0
    while now[0] < begun + 1_000:
        wait = rate.take(batch)
        if wait is None:
            sent += batch
        else:
            now[0] += wait
    assert 95_000 < sent <= 101_000


class Failing:
    """Stores nothing."""

    def __init__(self, fault: Exception | None) -> None:
        self.fault = fault
        self.held = 0

    async def store(self, delivery: Delivery) -> None:
        if self.fault is None:
            await delivery.stored
        else:
            raise self.fault

    def running(self) -> Any:
        return nullcontext()


@pytest.mark.parametrize(
    ("fault", "status"), [(BusyError(), 429), (NotStoredError("Postgres cannot be reached"), 503), (None, 503)]
)
def test_what_is_not_stored_does_not_count(now: list[float], fault: Exception | None, status: int) -> None:
    rate = rate_of(2)
    intake = Intake(batcher=Failing(fault), counts=Counts(), clock=SystemClock(), commits=Patience(0.01))
    events = read_events(json.dumps([event() for _ in range(20)]).encode())

    async def send_again_and_again() -> list[tuple[int, bool]]:
        told = []
        for _ in range(3):
            with pytest.raises(NotTakenError) as refused:
                await intake.take(Sender(game="arena", rate=rate), events)
            told.append((refused.value.status, "EVENT_RATE" in refused.value.detail))
        return told

    assert now
    assert asyncio.run(send_again_and_again()) == [(status, False)] * 3
    assert rate.take(20) is None
