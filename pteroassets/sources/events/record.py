"""An event as a broker carries it: its bytes as they came, with the game and the time of receipt.

The key of a record is the player, so that what one player does stays in order. What was refused is carried as it came,
which may be no text, and the rest is in headers.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec

from pteroassets.sources.events.contracts import Instant
from pteroassets.sources.events.envelope import Event, Reason, Refusal, read_event


class NoRecordError(ValueError):
    """Bytes that are no record; the message says why."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The value of a record.

    Attributes:
        game: Whose key the event came with.
        received_at: When the collector had it.
        event: The event as it came.
    """

    game: str
    received_at: Instant
    event: msgspec.Raw


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Record).decode


def record_of(event: Event, *, game: str, received_at: datetime) -> bytes:
    """Return the value of the record of *event*."""
    return _encode(Record(game=game, received_at=received_at, event=msgspec.Raw(event.raw)))


def read_record(value: bytes | None) -> tuple[str, datetime, Event | Refusal]:
    """Return the game, the time of receipt, and the event or why it is none.

    Raises:
        NoRecordError: *value* is no record.
    """
    if value is None:
        raise NoRecordError("the message has no value")
    try:
        record = _decode(value)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise NoRecordError(str(error)) from None
    return record.game, record.received_at, read_event(bytes(record.event))


def refusal_headers(refusal: Refusal, *, game: str, received_at: datetime) -> list[tuple[str, str | bytes | None]]:
    """Return the headers of the record of *refusal*, whose value is what was refused."""
    return [
        ("game", game.encode()),
        ("received_at", received_at.isoformat().encode()),
        ("reason", refusal.reason.encode()),
        ("detail", refusal.detail.encode()),
    ]


def read_refusal(headers: Iterable[tuple[str, Any]], value: bytes | None) -> tuple[str, datetime, Refusal]:
    """Return the game, the time of receipt and what was refused.

    Raises:
        NoRecordError: It was not made by `refusal_headers`.
    """
    try:
        told = {name: text.decode() for name, text in headers if text is not None}
        received_at = datetime.fromisoformat(told["received_at"])
        reason = msgspec.convert(told["reason"], Reason)
        refusal = Refusal(index=0, reason=reason, detail=told["detail"], raw=value or b"")
        return told["game"], received_at, refusal
    except (KeyError, ValueError, AttributeError, msgspec.ValidationError) as error:
        raise NoRecordError(f"the headers of a dead letter are missing or wrong: {error}") from None
