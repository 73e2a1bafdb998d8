"""How much a key may send."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

from pteroassets.collector.senders import WINDOW_SECONDS, Keys, Rates
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.collector.serving import KEY, Client, event, served

OTHER = f"{KEY}-2"


@pytest.fixture
def client(warehouse_settings: ConnectionSettings) -> Iterator[Client]:
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


def test_after_its_window_a_key_may_send_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = Keys({KEY: "arena", OTHER: "arena"}, Rates(usual=1)).sender_of(f"Bearer {KEY}".encode())
    assert sender is not None
    rate = sender.rate
    assert rate is not None
    now = [1_700_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    assert rate.take(10) is None
    assert rate.take(1) == 10
    now[0] += 9.5
    assert rate.take(1) == 1
    now[0] += 0.6
    assert rate.take(1) is None


def test_counting_starts_no_thread() -> None:
    sender = Keys({KEY: "arena"}, Rates(usual=1000)).sender_of(f"Bearer {KEY}".encode())
    assert sender is not None
    assert sender.rate is not None
    before = {*threading.enumerate()}
    for _ in range(100):
        assert sender.rate.take(1) is None
        assert {*threading.enumerate()} <= before
