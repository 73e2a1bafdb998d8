"""Events of the tests, put into topics as the collector puts them, and what came of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from confluent_kafka import Producer

from pteroassets.sources.events.envelope import Event, read_event
from pteroassets.sources.events.record import record_of, refusal_headers
from pteroassets.stream.broker import Broker
from pteroassets.stream.lake import Lake
from pteroassets.warehouse.connection import ConnectionSettings

AT = datetime(2026, 3, 1, 23, 59, 0, tzinfo=UTC)
KINDS: dict[str, dict[str, Any]] = {
    "kill_enemy": {"enemy_id": "0012", "level": 7},
    "take_damage": {"enemy_id": "0007", "damage": 3},
    "transaction": {"inventory_id": "9", "total_cost": "12.50"},
}


def numbered(number: int, **changes: Any) -> dict[str, Any]:
    """The event *number*, which is the same each time."""
    kind = list(KINDS)[number % len(KINDS)]
    return {
        "event_id": str(UUID(int=number + 1, version=4)),
        "type": kind,
        "version": 1,
        "player_id": f"p-{number % 50}",
        "occurred_at": (AT + timedelta(seconds=number)).isoformat(),
        "properties": KINDS[kind],
    } | changes


def produce(broker: Broker, sent: Iterable[dict[str, Any]], *, received_at: datetime = AT) -> None:
    """Put events into the topics, received a tenth of a second after one another."""
    producer = Producer(broker.client(linger_ms=20))
    for number, one in enumerate(sent):
        read = read_event(json.dumps(one).encode())
        at = received_at + number * timedelta(milliseconds=100)
        if isinstance(read, Event):
            producer.produce(
                broker.topic, record_of(read, game="arena", received_at=at), read.envelope.player_id.encode()
            )
        else:
            headers = refusal_headers(read, game="arena", received_at=at)
            producer.produce(broker.refused_topic, read.raw, headers=headers)
        if number % 1_000 == 0:
            producer.poll(0)
    assert producer.flush(20) == 0


def poison(broker: Broker, *values: bytes | None) -> None:
    """Put into the topic what is no record."""
    producer = Producer(broker.client())
    for value in values:
        producer.produce(broker.topic, value, b"poison")
    assert producer.flush(20) == 0


def lake_below(folder: Path, warehouse: ConnectionSettings) -> Lake:
    return Lake(warehouse=warehouse, place=str(folder / "lake"))


def in_the_lake(lake: Lake) -> tuple[Counter[str], Counter[str]]:
    """How often each event is there by its id, and each reason of a dead letter."""
    catalogue = lake.catalogue()
    events = lake.table("events", catalogue).scan(selected_fields=("event_id",)).to_arrow()
    letters = lake.table("dead_letters", catalogue).scan(selected_fields=("reason",)).to_arrow()
    catalogue.engine.dispose()
    return Counter(events["event_id"].to_pylist()), Counter(letters["reason"].to_pylist())
