"""The collector with a broker in place of Postgres."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Producer

from pteroassets.clock import SystemClock
from pteroassets.collector.batching import BusyError, Delivery, NotStoredError
from pteroassets.collector.counting import Counts
from pteroassets.collector.http import collector_app
from pteroassets.sources.events.envelope import Event, Refusal, read_event
from pteroassets.sources.events.record import NoRecordError, read_record, read_refusal, record_of, refusal_headers
from pteroassets.stream.broker import Broker, BrokerError, ensure_topics
from pteroassets.stream.sink import KafkaSink
from tests.collector.serving import KEY, Client, event, served_app, wait_for
from tests.stream.brokers import BrokerProcess, messages

AT = datetime(2026, 3, 1, 20, 15, 3, tzinfo=UTC)


@pytest.fixture
def topics(broker: BrokerProcess) -> Broker:
    made = broker.topic()
    assert ensure_topics(made) == [made.topic, made.refused_topic]
    assert ensure_topics(made) == []
    return made


@pytest.fixture
def client(topics: Broker) -> Iterator[Client]:
    with served_app(app(topics)) as client:
        yield client


def app(broker: Broker, *, most_waiting: int = 50_000, patience: float = 10) -> Any:
    def into(counts: Counts) -> KafkaSink:
        return KafkaSink(broker, most_waiting=most_waiting, counts=counts, patience=patience)

    return collector_app(into, {KEY: "arena"}, most_waiting=most_waiting, clock=SystemClock())


def delivery_of(*sent: dict[str, Any]) -> Delivery:
    events = [one for one in (read_event(json.dumps(one).encode()) for one in sent) if isinstance(one, Event)]
    assert len(events) == len(sent)
    return Delivery(game="arena", received_at=AT, events=events, places=[*range(len(events))], refusals=[])


def test_an_event_is_a_record_with_its_player_as_the_key(client: Client, topics: Broker) -> None:
    sent, other = event(player_id="p-1"), event(player_id="p-2", more={"ü": [1]})
    assert client.post([sent, other, sent]).json == {"accepted": 3, "refused": 0}
    found = messages(topics, topics.topic, 3)
    assert sorted(str(one.key(), "utf-8") for one in found) == ["p-1", "p-1", "p-2"]
    assert len({one.partition() for one in found if one.key() == b"p-1"}) == 1
    for one in found:
        game, received_at, read = read_record(one.value())
        assert isinstance(read, Event)
        assert json.loads(read.raw) == (sent if one.key() == b"p-1" else other)
        assert (game, abs((received_at - datetime.now(tz=UTC)).total_seconds()) < 60) == ("arena", True)


def test_what_is_refused_goes_to_its_own_topic_as_it_came(client: Client, topics: Broker) -> None:
    unknown = json.dumps(event(type="fly")).encode()
    assert client.post(b"[" + unknown + b"," + json.dumps(event()).encode() + b"]").json["refused"] == 1
    assert client.post(b"\xff\0").status == 400
    large = b'"' + b"x" * 1_048_000 + b'"'
    assert client.post(large).status == 400
    read = [read_refusal(one.headers(), one.value()) for one in messages(topics, topics.refused_topic, 3)]
    assert {(game, one.reason, one.raw) for game, _, one in read} == {
        ("arena", "unknown_type", unknown), ("arena", "not_json", b"\xff\0"), ("arena", "too_large", large),
    }  # fmt: skip
    assert len(messages(topics, topics.topic, 1)) == 1


def test_a_broker_that_went_away_is_answered_with_503_and_used_once_it_is_back(
    broker: BrokerProcess, topics: Broker
) -> None:
    with served_app(app(topics, patience=1.5)) as client:
        assert (client.post(event()).status, client.ask("GET", "/health").status) == (202, 200)
        broker.stop()
        try:
            answer = client.post(event())
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert "same event ids" in answer.json["detail"]
            assert client.ask("GET", "/health").status == 503
        finally:
            broker.start()
        wait_for(lambda: client.post(event()).status == 202)
        assert client.ask("GET", "/health").status == 200
    assert len(messages(topics, topics.topic, 2)) >= 2


def of_a_mock(act: Callable[[KafkaSink], Any], *, most_waiting: int = 50_000, patience: float = 1) -> None:
    """Do *act* with a sink into librdkafka's mock of a cluster, which lives in the client."""

    async def run() -> None:
        broker = Broker(servers="none:1", topic="events", options={"test.mock.num.brokers": "3", "log_level": "0"})
        sink = KafkaSink(broker, most_waiting=most_waiting, counts=Counts(), patience=patience)
        async with sink.running():
            await act(sink)
        assert sink.held == 0

    asyncio.run(run())


def test_nothing_is_answered_before_it_is_acknowledged_and_the_queue_is_bounded() -> None:
    async def act(sink: KafkaSink) -> None:
        delivery = delivery_of(event(), event())
        waiting = asyncio.create_task(sink.store(delivery))
        await asyncio.sleep(0)
        assert (sink.held, waiting.done()) == (2, False)
        with pytest.raises(BusyError):
            await sink.store(delivery_of(event()))
        await waiting
        assert sink.held == 0
        await sink.store(delivery_of(*(event() for _ in range(9))))  # more than the bound, while nothing else waits

    of_a_mock(act, most_waiting=2, patience=10)


def test_what_the_client_cannot_queue_is_not_answered_as_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(sink: KafkaSink) -> None:
        class Full:
            """Takes one record, and no second."""

            def __init__(self, own: Producer) -> None:
                self.own, self.taken = own, 0

            def produce(self, *args: Any, **options: Any) -> None:
                if self.taken:
                    raise BufferError
                self.taken += 1
                self.own.produce(*args, **options)

            def __getattr__(self, name: str) -> Any:
                return getattr(self.own, name)

        monkeypatch.setattr(sink, "_producer", Full(sink._producer))
        with pytest.raises(NotStoredError, match="Queue full"):
            await sink.store(delivery_of(event(), event(), event()))

    of_a_mock(act, patience=10)


def test_a_client_that_goes_away_leaves_its_place_once_its_events_are_stored() -> None:
    async def act(sink: KafkaSink) -> None:
        waiting = asyncio.create_task(sink.store(delivery_of(event())))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert sink.held == 1
        await sink.store(delivery_of(event()))  # after the other, which has the same way
        assert sink.held == 0

    of_a_mock(act, patience=10)


def test_without_a_broker_the_collector_does_not_start() -> None:
    with pytest.raises(BrokerError, match="PTEROASSETS_EVENT_BROKERS"):
        ensure_topics(Broker(servers="127.0.0.1:1", topic="x", options={"log_level": "0"}), patience=0.5)


@pytest.mark.parametrize(
    "value", [None, b"", b"{", b"[]", b'{"game": "a", "event": {}}', b'{"game":"a","received_at":"x","event":1}']
)
def test_bytes_that_are_no_record_are_told_apart(value: bytes | None) -> None:
    with pytest.raises(NoRecordError):
        read_record(value)


def test_a_record_holds_the_bytes_of_its_event() -> None:
    raw = json.dumps(event()).encode().replace(b'"version": 1', b'"x":1e3 , "version":1')
    read = read_event(raw)
    assert isinstance(read, Event)
    assert read_record(record_of(read, game="arena", received_at=AT)) == ("arena", AT, read)
    refusal = Refusal(index=0, reason="not_json", detail="ü", raw=b"\xff")
    assert read_refusal(refusal_headers(refusal, game="arena", received_at=AT), b"\xff") == ("arena", AT, refusal)
    with pytest.raises(NoRecordError):
        read_refusal([("game", b"arena")], b"")
