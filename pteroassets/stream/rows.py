"""Messages of the topics into rows of the lake's tables. None stops the stream: what is no record is a dead letter."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from pteroassets.sources.events.envelope import Event, Reason
from pteroassets.sources.events.record import NoRecordError, read_record, read_refusal

_TIME: Final = pa.timestamp("us", tz="UTC")
EVENTS: Final = pa.schema(
    [
        pa.field("received_at", _TIME, nullable=False),
        pa.field("event_type", pa.string(), nullable=False),
        pa.field("game", pa.string(), nullable=False),
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("version", pa.int32(), nullable=False),
        pa.field("player_id", pa.string(), nullable=False),
        pa.field("session_id", pa.string()),
        pa.field("occurred_at", _TIME, nullable=False),
        pa.field("sent_at", _TIME),
        pa.field("record", pa.string(), nullable=False),
        pa.field("topic", pa.string(), nullable=False),
        pa.field("topic_partition", pa.int32(), nullable=False),
        pa.field("topic_offset", pa.int64(), nullable=False),
    ]
)
DEAD_LETTERS: Final = pa.schema(
    [
        pa.field("received_at", _TIME, nullable=False),
        pa.field("game", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
        pa.field("body", pa.binary(), nullable=False),
        pa.field("topic", pa.string(), nullable=False),
        pa.field("topic_partition", pa.int32(), nullable=False),
        pa.field("topic_offset", pa.int64(), nullable=False),
    ]
)
NO_RECORD: Final[Reason] = "not_a_record"
"""Reason of a dead letter that another than the collector put into a topic."""


def place_of(message: Message) -> tuple[str, int, int]:
    """Return topic, partition and offset of a message that came from a broker."""
    return message.topic(), message.partition(), message.offset()  # type: ignore[return-value] # None where it did not


def rows_of(messages: Iterable[Message], *, refused_topic: str) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return the rows of events and those of dead letters."""
    events: list[tuple[Any, ...]] = []
    letters: list[tuple[Any, ...]] = []
    for message in messages:
        value = message.value()
        topic, *_ = place = place_of(message)
        try:
            if topic == refused_topic:
                game, received_at, read = read_refusal(_headers(message), value)
            else:
                game, received_at, read = read_record(value)  # type: ignore[assignment]
        except NoRecordError as error:
            letters.append((_written_at(message), None, NO_RECORD, str(error)[:500], value or b"", *place))
            continue
        if isinstance(read, Event):
            one = read.envelope
            events.append(
                (received_at, one.type, game, str(one.event_id), one.version, one.player_id, one.session_id,
                 one.occurred_at, one.sent_at, read.raw, *place)
            )  # fmt: skip
        else:
            letters.append((received_at, game, read.reason, read.detail, read.raw, *place))
    return events, letters


def as_arrow(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    """Return *rows* as a table; text may be given as bytes."""
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = []
    for values, field in zip(columns, schema, strict=True):
        if field.name == "record":
            arrays.append(pa.array(values, pa.binary()).cast(pa.string()))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def _headers(message: Message) -> Iterable[tuple[str, Any]]:
    headers = message.headers() or ()
    return headers.items() if isinstance(headers, dict) else headers


def _written_at(message: Message) -> datetime:
    kind, milliseconds = message.timestamp()
    return (
        datetime.now(tz=UTC) if kind == TIMESTAMP_NOT_AVAILABLE else datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    )
