"""Rows of `raw_events` as binary COPY takes them.

The format is that of https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"; times are microseconds
since 2000, and a document of type jsonb begins with the version 1.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from typing import Final

from pteroassets.sources.events.envelope import Event, Refusal

EVENTS: Final = "raw_events.events"
DEAD_LETTERS: Final = "raw_events.dead_letters"
COPY_EVENTS: Final = (
    f"copy {EVENTS} (game, event_id, event_type, version, player_id, session_id, occurred_at, received_at, "
    "clock_skew_milliseconds, record) from stdin (format binary)"
)
COPY_DEAD_LETTERS: Final = f"copy {DEAD_LETTERS} (game, received_at, reason, detail, body) from stdin (format binary)"
HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END: Final = b"\xff\xff"

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MILLISECOND: Final = timedelta(milliseconds=1)
_NULL: Final = struct.pack(">i", -1)
_length: Final = struct.Struct(">i").pack
_time: Final = struct.Struct(">iq").pack
_small: Final = struct.Struct(">ih").pack


def event_row(event: Event, *, game: str, received_at: datetime) -> bytes:
    """Return the row of *event*, which *game* sent."""
    envelope = event.envelope
    skew = None if envelope.sent_at is None else (received_at - envelope.sent_at) // _MILLISECOND
    return b"".join(
        (
            b"\0\x0a",
            _text(game),
            _length(16),
            envelope.event_id.bytes,
            _text(envelope.type),
            _small(2, envelope.version),
            _text(envelope.player_id),
            _NULL if envelope.session_id is None else _text(envelope.session_id),
            _instant(envelope.occurred_at),
            _instant(received_at),
            _NULL if skew is None else _time(8, skew),
            _length(len(event.raw) + 1),
            b"\x01",
            event.raw,
        )
    )


def dead_letter_row(refusal: Refusal, *, game: str | None, received_at: datetime) -> bytes:
    """Return the row of *refusal*, which *game* sent; None if it is not known which."""
    return b"".join(
        (
            b"\0\x05",
            _NULL if game is None else _text(game),
            _instant(received_at),
            _text(refusal.reason),
            _text(refusal.detail),
            _length(len(refusal.raw)),
            refusal.raw,
        )
    )


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _length(len(encoded)) + encoded


def _instant(at: datetime) -> bytes:
    return _time(8, (at - _EPOCH) // _MICROSECOND)
