"""Messages of the topics into rows of the lake's tables. None stops the stream: what is no record is a dead letter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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


Row = tuple[Any, ...]


def place_of(message: Message) -> tuple[str, int, int]:
    """Return topic, partition and offset of a message that came from a broker."""
    return message.topic(), message.partition(), message.offset()  # type: ignore[return-value] # None where it did not


def headers_of(message: Message) -> Iterable[tuple[str, Any]]:
    """Return the headers of a message that came from a broker."""
    headers = message.headers() or ()
    return headers.items() if isinstance(headers, dict) else headers


def rows_of(messages: Iterable[Message], *, refused_topic: str) -> tuple[list[Row], list[Row]]:
    """Return the rows of events and those of dead letters."""
    events: list[Row] = []
    letters: list[Row] = []
    for message in messages:
        place = place_of(message)
        headers = headers_of(message) if place[0] == refused_topic else None
        is_event, row = row_of(message.value(), place, headers=headers, written_at=lambda: _written_at(message))  # noqa: B023 - called at once
        (events if is_event else letters).append(row)
    return events, letters


def row_of(
    value: bytes | None,
    place: tuple[str, int, int],
    *,
    headers: Iterable[tuple[str, Any]] | None,
    written_at: Callable[[], datetime],
) -> tuple[bool, Row]:
    """Return the row of one message, and whether it is an event.

    Args:
        value: Its value.
        place: Its topic, partition and offset.
        headers: Those of what was refused; None where it is a record of an event.
        written_at: When the topic had it, which is the time of receipt of what is no record.
    """
    try:
        game, received_at, read = read_record(value) if headers is None else read_refusal(headers, value)
    except NoRecordError as error:
        return False, (written_at(), None, NO_RECORD, str(error)[:500], value or b"", *place)
    if isinstance(read, Event):
        one = read.envelope
        return True, (
            received_at, one.type, game, str(one.event_id), one.version, one.player_id, one.session_id,
            one.occurred_at, one.sent_at, read.raw, *place,
        )  # fmt: skip
    return False, (received_at, game, read.reason, read.detail, read.raw, *place)


def as_arrow(rows: list[Row], schema: pa.Schema) -> pa.Table:
    """Return *rows* as a table; text may be given as bytes."""
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = []
    for values, field in zip(columns, schema, strict=True):
        if field.name == "record":
            arrays.append(pa.array(values, pa.binary()).cast(pa.string()))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def _written_at(message: Message) -> datetime:
    kind, milliseconds = message.timestamp()
    return (
        datetime.now(tz=UTC) if kind == TIMESTAMP_NOT_AVAILABLE else datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    )
