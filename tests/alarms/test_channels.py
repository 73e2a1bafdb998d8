"""Ways that only send: a plain webhook, apprise, and the ping of the heartbeat."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pteroassets.alarms.delivery import Delivery
from pteroassets.alarms.delivery_rows import note_alive
from pteroassets.alarms.failures import Failure
from pteroassets.alarms.heartbeat import Ping
from pteroassets.alarms.outbox import Message, put, withdraw
from pteroassets.alarms.plain_transport import channel
from pteroassets.alarms.service import give_sign
from pteroassets.clock import ManualClock
from pteroassets.warehouse.connection import Connection

pytestmark = pytest.mark.postgres
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATH = "/services/T0123/B0456/secretsecret"
TARGET = "channel:alarm"
FAILURE = Failure(
    id="run/1", kind="run_failure", severity="ERROR", run_id="1", what="run 1 of job logs", occurred_at=NOON,
    message="no space left", link=None,
)  # fmt: skip


class Receiver:
    """A server on loopback that answers as it is told and keeps what it took."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.taken: list[dict[str, Any]] = []
        self.attempts = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the library's name
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                receiver.attempts += 1
                status, headers = receiver.answers.pop(0) if receiver.answers else (200, {})
                if status == 200:
                    assert self.path.startswith(PATH)
                    receiver.taken.append(json.loads(body or "{}"))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}{PATH}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


class Channel:
    def __init__(self, warehouse: Connection, url: str) -> None:
        self.warehouse = warehouse
        self.clock = ManualClock(NOON)
        way = channel(url, clock=self.clock)
        self.delivery = Delivery(connection=warehouse, name=TARGET, way=way, clock=self.clock)

    def put(self, text: str, **options: Any) -> None:
        put(self.warehouse, Message(key="one", target=TARGET, text=text, **options), at=self.clock.now())

    def deliver(self) -> list[tuple[str, str | None]]:
        """Deliver without waiting; return outcomes and reasons of all attempts so far."""
        for _ in range(50):
            if self.delivery.make_pass() == 0:
                due = self.delivery.next_at()
                if due is None:
                    break
                self.clock.move_to(due)
        return self.warehouse.execute(
            "select outcome, reason from ops.outbox_deliveries order by delivery_number"
        ).fetchall()


def test_a_plain_webhook_gets_the_facts_under_an_id_and_every_text_reader_its_field(
    warehouse: Connection, receiver: Receiver
) -> None:
    channel = Channel(warehouse, receiver.url)
    put(warehouse, FAILURE.as_message(TARGET, [PATH]), at=NOON)
    assert channel.deliver() == [("sent", None)]
    (message,) = receiver.taken
    assert message == {
        "id": "run/1", "key": "run/1", "kind": "run_failure", "severity": "ERROR", "run_id": "1",
        "what": "run 1 of job logs", "occurred_at": "2026-03-01T12:00:00+00:00", "message": "no space left",
        "link": None, "text": "ERROR: run 1 of job logs failed: no space left",
        "content": "ERROR: run 1 of job logs failed: no space left",
    }  # fmt: skip


def test_only_news_is_sent_where_nothing_can_be_edited(warehouse: Connection, receiver: Receiver) -> None:
    channel = Channel(warehouse, receiver.url)
    channel.put("down")
    channel.deliver()
    channel.put("down for 5 minutes")
    channel.deliver()
    channel.put("up", announce=True)
    channel.put("up after 7 minutes")
    outcomes = channel.deliver()
    withdraw(warehouse, "one", TARGET, at=NOON)
    channel.deliver()
    assert [(one["id"], one["text"]) for one in receiver.taken] == [("one", "down"), ("one#3", "up after 7 minutes")]
    assert [outcome for outcome, _ in outcomes] == ["sent", "kept", "sent"]


def test_a_receiver_is_given_the_time_it_asks_for_and_sees_the_same_id_again(
    warehouse: Connection, receiver: Receiver
) -> None:
    channel = Channel(warehouse, receiver.url)
    channel.put("x")
    receiver.answers = [(503, {"Retry-After": "600"}), (500, {}), (302, {"Location": receiver.url})]
    outcomes = channel.deliver()
    assert outcomes == [
        ("deferred", "it answered 503"),
        ("deferred", "it answered 500"),
        ("deferred", "it answered 302"),
        ("sent", None),
    ]
    assert channel.clock.now() == NOON + timedelta(seconds=600 + 2 + 4)
    assert [one["id"] for one in receiver.taken] == ["one"]
    assert receiver.attempts == 4, "a redirect is not followed with what failed"


def test_a_receiver_that_will_never_take_it_makes_a_dead_letter(warehouse: Connection, receiver: Receiver) -> None:
    channel = Channel(warehouse, receiver.url)
    channel.put("x")
    receiver.answers = [(410, {})]
    assert channel.deliver() == [("dead", "it answered 410")]


def test_an_address_that_is_not_there_loses_nothing_and_stays_unsaid(
    warehouse: Connection, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    gone = Receiver()
    gone.server.server_close()
    channel = Channel(warehouse, gone.url)
    channel.put("x")
    channel.delivery.make_pass()
    assert warehouse.execute("select outcome, reason from ops.outbox_deliveries").fetchall() == [
        ("deferred", "no answer (Connection refused)")
    ]
    assert PATH not in caplog.text
    back = Channel(warehouse, receiver.url)
    back.clock.sleep(60)
    back.deliver()
    assert len(receiver.taken) == 1


def test_apprise_sends_the_text_and_what_it_says_of_a_failure_holds_no_address(
    warehouse: Connection, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    channel = Channel(warehouse, f"json://user:hunter22@127.0.0.1:{receiver.port}{PATH}")
    channel.put("disk of fra-1 is full\nin 5 hours", severity="critical")
    receiver.answers = [(500, {})]
    (first, _), (second, _) = outcomes = channel.deliver()
    assert (first, second) == ("deferred", "sent")
    (message,) = receiver.taken
    assert message["title"] == "disk of fra-1 is full"
    assert message["message"] == "disk of fra-1 is full\nin 5 hours"
    assert message["type"] == "failure"
    assert "500" in str(outcomes[0][1])
    for secret in ("hunter22", PATH):
        assert secret not in str(outcomes) + caplog.text


def test_a_channel_that_refused_for_a_day_is_given_up_with_its_last_reason(
    warehouse: Connection, receiver: Receiver
) -> None:
    channel = Channel(warehouse, receiver.url)
    channel.put("x")
    receiver.answers = [(500, {})] * 3
    channel.delivery.make_pass()
    channel.clock.sleep(25 * 3_600)
    channel.delivery.make_pass()
    assert warehouse.execute("select dead_reason from ops.outbox").fetchone() == (
        "it was refused for a day, last: it answered 500",
    )


def test_an_address_that_apprise_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="no URL that apprise knows"):
        channel("nonsense://x", clock=ManualClock(NOON))


def test_the_ping_is_sent_while_messages_arrive_and_not_while_they_wait(
    warehouse: Connection, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    ping, ways = Ping(receiver.url), {"discord": None}
    note_alive(warehouse, "discord", NOON)
    assert give_sign(ping, warehouse, ways, NOON)
    assert receiver.attempts == 1
    assert not give_sign(ping, warehouse, ways, NOON + timedelta(minutes=6)), "nobody looks after the way"
    put(warehouse, Message(key="one", target="discord:1", content="x"), at=NOON)
    note_alive(warehouse, "discord", NOON + timedelta(minutes=11))
    assert not give_sign(ping, warehouse, ways, NOON + timedelta(minutes=11))
    assert receiver.attempts == 1
    warehouse.execute("update ops.outbox set sent_version = version")
    receiver.answers = [(500, {})]
    assert give_sign(ping, warehouse, ways, NOON + timedelta(minutes=11))
    assert "PTEROASSETS_HEARTBEAT_URL: it answered 500" in caplog.text
    assert PATH not in caplog.text
    ping.close()
