"""The collector as games see it, on a real Postgres."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pteroassets.clock import SystemClock
from pteroassets.collector.batching import Batcher
from pteroassets.collector.counting import Counts
from pteroassets.collector.intake import MOST_EVENTS, Intake, NotTakenError
from pteroassets.collector.patience import Patience
from pteroassets.collector.receiving import MOST_BODY_BYTES, RefusedRequestError, read_body
from pteroassets.collector.senders import Sender
from pteroassets.platform.loopback import free_port
from pteroassets.sources.events.envelope import read_events
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from tests.collector.serving import KEY, Client, event, refusing, served, wait_for
from tests.databases import copied

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def shared(migrated_template: ConnectionSettings) -> Iterator[ConnectionSettings]:
    with copied(migrated_template) as settings:
        yield settings


@pytest.fixture(scope="module")
def client(shared: ConnectionSettings) -> Iterator[Client]:
    with served(shared) as client:
        yield client


@pytest.fixture
def stored(shared: ConnectionSettings) -> Iterator[Connection]:
    """A connection to what is stored, which is nothing at first."""
    with connect(shared, autocommit=True) as connection:
        connection.execute("truncate raw_events.events, raw_events.dead_letters")
        yield connection


def ids(connection: Connection) -> list[str]:
    return [str(one) for (one,) in connection.execute("select event_id from raw_events.events order by 1")]


def letters(connection: Connection) -> list[tuple[str, bytes]]:
    rows = connection.execute("select reason, body from raw_events.dead_letters order by received_at, reason")
    return [(reason, bytes(body)) for reason, body in rows]


def test_one_event_is_stored_as_it_came(client: Client, stored: Connection) -> None:
    sent = event(session_id="s-1", occurred_at="2026-03-01T21:15:00+01:00", sent_at="2026-03-01T20:15:01.5Z", more=[1])
    answer = client.post(sent)
    assert (answer.status, answer.json) == (202, {"accepted": 1, "refused": 0})
    ((game, kind, version, player, session, occurred, skew, late, record),) = stored.execute(
        "select game, event_type, version, player_id, session_id, occurred_at = '2026-03-01T20:15:00Z', "
        "clock_skew_milliseconds - floor(extract(epoch from received_at - '2026-03-01T20:15:01.5Z') * 1000), "
        "received_at - now() < '1 minute' and _loaded_at >= received_at - interval '1 second', record "
        "from raw_events.events"
    ).fetchall()
    assert (game, kind, version, player, session) == ("arena", "kill_enemy", 1, "p-0042", "s-1")
    assert (occurred, skew, late) == (True, 0, True)
    assert record == sent


def test_spaces_around_an_event_are_no_part_of_it(client: Client, stored: Connection) -> None:
    sent = event()
    assert client.post(b" \r\n\t" + json.dumps(sent).encode() + b"\n").json == {"accepted": 1, "refused": 0}
    assert ids(stored) == [sent["event_id"]]


def test_many_events_are_stored_at_once_and_each_game_has_its_key(client: Client, stored: Connection) -> None:
    sent = [event() for _ in range(250)]
    assert client.post(sent, is_packed=True).json == {"accepted": 250, "refused": 0}
    assert client.post([], key=f"{KEY}-2").json == {"accepted": 0, "refused": 0}
    other = event()
    assert client.post(other, key=f"{KEY}-2").status == 202
    assert ids(stored) == sorted(one["event_id"] for one in [*sent, other])
    assert stored.execute("select event_id::text from raw_events.events where game = 'other'").fetchall() == [
        (other["event_id"],)
    ]


def test_an_event_that_comes_again_is_stored_again(client: Client, stored: Connection) -> None:
    sent = event()
    for body in (sent, [sent, sent]):
        assert client.post(body).status == 202
    assert ids(stored) == [sent["event_id"]] * 3


@pytest.mark.parametrize("header", ["", f"Basic {KEY}", "Bearer", "Bearer wrong-wrong-wrong", f"Bearer {KEY}x"])
def test_without_a_key_that_is_known_nothing_is_taken(client: Client, stored: Connection, header: str) -> None:
    answer = client.ask("POST", "/v1/events", json.dumps(event()).encode(), Authorization=header)
    assert answer.status == 401
    assert "PTEROASSETS_EVENT_KEYS" in answer.json["detail"]
    assert KEY not in answer.text
    assert (ids(stored), letters(stored)) == ([], [])


@pytest.fixture
def poison(stored: Connection) -> Iterator[bytes]:
    """An event that Postgres refuses."""
    with refusing(stored, "poison"):
        yield json.dumps(event(player_id="poison")).encode()


def test_what_is_no_event_becomes_a_dead_letter_and_the_rest_is_stored(
    client: Client, stored: Connection, poison: bytes
) -> None:
    good, unknown, wrong = event(), event(type="fly"), event(properties={})
    body = b"[" + b",".join([json.dumps(unknown).encode(), json.dumps(good).encode(), poison,
                             json.dumps(wrong).encode()]) + b"]"  # fmt: skip
    answer = client.post(body)
    assert answer.status == 202
    told = answer.json
    assert (told["accepted"], told["refused"]) == (1, 3)
    assert [(one["index"], one["reason"]) for one in told["refusals"]] == [
        (0, "unknown_type"),
        (2, "refused_by_postgres"),
        (3, "wrong_fields"),
    ]
    assert ids(stored) == [good["event_id"]]
    assert sorted(letters(stored)) == sorted(
        [("unknown_type", json.dumps(unknown).encode()), ("refused_by_postgres", poison),
         ("wrong_fields", json.dumps(wrong).encode())]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not_json"),
        (b"\xff\0", "not_json"),
        (b"", "not_json"),
        (b"[" * 99_999, "too_deep"),
        (b"7", "not_an_event"),
        (b"\x0b" + json.dumps(event()).encode(), "not_json"),
    ],
    ids=["half", "no text", "nothing", "deep", "a number", "a space that JSON has not"],
)
def test_a_body_that_is_no_event_is_kept_and_refused(
    client: Client, stored: Connection, body: bytes, reason: str
) -> None:
    answer = client.post(body)
    assert answer.status == 400
    assert answer.json["refusals"][0]["reason"] == reason
    assert letters(stored) == [(reason, body)]


def test_what_is_too_large_is_refused_and_not_stored(client: Client, stored: Connection) -> None:
    large = event(note="x" * MOST_BODY_BYTES)
    bomb = gzip.compress(b"[" + b" " * 50_000_000)
    assert len(bomb) < MOST_BODY_BYTES
    for answer in (
        client.post(large),
        client.post(large, is_packed=True),
        client.post(bomb, Content_Encoding="gzip"),
        client.post(b"[" + b"1," * MOST_EVENTS + b"1]"),
    ):
        assert answer.status == 413, answer.text
    assert (ids(stored), letters(stored)) == ([], [])


def test_a_packing_that_is_not_known_or_broken_is_refused(client: Client, stored: Connection) -> None:
    packed = gzip.compress(json.dumps(event()).encode())
    assert client.post(packed, Content_Encoding="br").status == 415
    for broken in (b"no gzip", packed[:-9], packed + b"more"):
        assert client.post(broken, Content_Encoding="gzip").status == 400
    assert client.ask("GET", "/v1/events").status == 405
    assert (ids(stored), letters(stored)) == ([], [])


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def never() -> Any:
        await asyncio.sleep(60)

    with pytest.raises(RefusedRequestError) as refused:
        asyncio.run(read_body({}, never, Patience(0.05)))
    assert refused.value.status == 408


def test_while_too_much_waits_games_are_told_to_come_again(shared: ConnectionSettings, stored: Connection) -> None:
    first, second, third = event(), event(), event()
    answers: list[int] = []
    with served(shared, most_waiting=1) as client, connect(shared) as locking:
        assert client.post(first).status == 202
        locking.execute("lock table raw_events.events in access exclusive mode")
        blocked = threading.Thread(target=lambda: answers.append(client.post(second).status))
        blocked.start()
        wait_for(lambda: "waiting_rows 1" in client.ask("GET", "/metrics").text)
        answer = client.post(third)
        assert (answer.status, answer.headers["retry-after"]) == (429, "1")
        assert answers == []  # nothing is answered before it is committed
        locking.rollback()
        blocked.join()
        assert client.post(third).status == 202
    assert answers == [202]
    assert ids(stored) == sorted(one["event_id"] for one in (first, second, third))


def test_while_postgres_is_away_nothing_is_accepted() -> None:
    away = ConnectionSettings(host="127.0.0.1", port=free_port(), username="x", password="x", database="x")
    with served(away) as client:
        answer = client.post(event())
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert client.ask("GET", "/health").status == 503


@pytest.mark.parametrize(
    ("fault", "mend"),
    [
        ("alter schema raw_events rename to elsewhere", "alter schema elsewhere rename to raw_events"),
        (
            "alter table raw_events.events add constraint never check (player_id <> 'p-0042')",
            "alter table raw_events.events drop constraint never",
        ),
    ],
)
def test_where_nothing_can_be_stored_the_log_shows_no_row(
    client: Client, stored: Connection, caplog: pytest.LogCaptureFixture, fault: str, mend: str
) -> None:
    assert client.ask("GET", "/health").status == 200
    stored.execute(fault)
    try:
        assert client.post(event()).status == 503
        health = client.ask("GET", "/health").status
    finally:
        stored.execute(mend)
    assert health == (503 if "schema" in fault else 200)  # a row that is wrong is no fault of what stores
    assert "p-0042" not in caplog.text
    assert "Postgres took in nothing" in caplog.text
    assert client.post(event()).status == 202


def test_an_address_with_a_slash_at_its_end_leads_nowhere(client: Client) -> None:
    answer = client.ask("POST", "/v1/events/", b"{}", Authorization=f"Bearer {KEY}")
    assert (answer.status, "location" in answer.headers) == (404, False)


def test_the_writer_connects_again_after_its_connection_was_cut(client: Client, stored: Connection) -> None:
    assert client.post(event()).status == 202
    stored.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
        "and pid <> pg_backend_pid()"
    )
    sent = event()
    assert client.post(sent).status == 503
    assert client.post(sent).status == 202
    assert sent["event_id"] in ids(stored)


def test_what_is_accepted_is_on_the_disk_whatever_the_database_says(warehouse_settings: ConnectionSettings) -> None:
    with connect(warehouse_settings, autocommit=True) as admin:
        admin.execute(f"alter database {warehouse_settings.database} set synchronous_commit = off")

    async def setting() -> Any:
        batcher = Batcher(warehouse_settings, most_waiting=1, counts=Counts())
        try:
            return batcher._connected().execute("show synchronous_commit").fetchone()
        finally:
            batcher._close()

    assert asyncio.run(setting()) == ("on",)


def test_its_health_and_what_it_counts_are_shown(shared: ConnectionSettings) -> None:
    with served(shared) as client:
        client.post([event(), event(), 7])
        client.post(event(), key="wrong")
        assert client.ask("GET", "/health").text == "ok\n"
        shown = client.ask("GET", "/metrics").text
    assert 'pteroassets_collector_events_total{game="arena"} 2\n' in shown
    assert 'pteroassets_collector_dead_letters_total{reason="not_an_event"} 1\n' in shown
    assert 'pteroassets_collector_requests_total{status="401"} 1\n' in shown
    assert "pteroassets_collector_waiting_rows 0\n" in shown


def test_an_answer_is_not_waited_for_without_end(shared: ConnectionSettings, stored: Connection) -> None:
    """Who waited too long is told so; what was sent is stored all the same, and counts until then."""

    async def run() -> None:
        counts = Counts()
        async with Batcher(shared, most_waiting=10, counts=counts).running() as batcher:
            intake = Intake(batcher=batcher, counts=counts, clock=SystemClock(), commits=Patience(0.3))
            with connect(shared) as locking:
                locking.execute("lock table raw_events.events in access exclusive mode")
                with pytest.raises(NotTakenError, match="with the same event ids") as told:
                    await intake.take(Sender(game="arena"), read_events(json.dumps(event()).encode()))
                assert (told.value.status, batcher.held) == (503, 1)
            for _ in range(500):
                await asyncio.sleep(0.01 if batcher.held else 0)
            assert batcher.held == 0
            # and the next one is taken
            await intake.take(Sender(game="arena"), read_events(json.dumps(event()).encode()))

    asyncio.run(run())
    assert len(ids(stored)) == 2
