"""The body of a request into events; each that is not as its contract says becomes a refusal with the reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from pteroassets.sources.events.contracts import CONTRACTS, TYPES, Contract, Envelope

Reason = Literal[
    "not_json",
    "not_an_event",
    "unknown_type",
    "unknown_version",
    "wrong_fields",
    "unknown_id",
    "too_large",
    "too_deep",
    "nul_character",
    "long_number",
    "refused_by_postgres",
    "not_a_record",
]
MOST_BYTES: Final = 64 * 1024
"""Length of the largest event."""
MOST_EVENTS: Final = 5_000
"""Events of one request."""
MOST_DEPTH: Final = 16
"""How many objects and arrays may lie in one another, the event itself included."""
_LONGEST_DETAIL: Final = 500

_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
# to the end of the text where it never ends: else each of its quotes would be tried as another beginning
_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)
# what no double holds: Postgres keeps such a number, at up to a hundred thousand digits, and no reader takes it
_LONG_NUMBER: Final = re.compile(rb"[0-9][eE][+-]?[0-9]{3}|[0-9]{300}|[0-9.]{300}")
_BETWEEN: Final = re.compile(r"[\s,]*")
_BAD = (msgspec.MsgspecError, ValueError, RecursionError)  # of text that is no UTF-8, and of brackets without end
_one: Final = msgspec.json.Decoder(msgspec.Raw)
_many: Final = msgspec.json.Decoder(list[msgspec.Raw])
_envelopes: Final = msgspec.json.Decoder(Envelope)
_fields: Final[dict[tuple[str, int], msgspec.json.Decoder[Contract]]] = {
    key: msgspec.json.Decoder(contract) for key, contract in CONTRACTS.items()
}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event as its contract says, with its bytes as they came."""

    envelope: Envelope
    raw: bytes


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What is no event.

    Attributes:
        index: Its place in the request, from 0.
        reason: A word for programs.
        detail: The reason for people.
        raw: Its bytes as they came.
    """

    index: int
    reason: Reason
    detail: str
    raw: bytes


class TooManyEventsError(ValueError):
    """A body has more events than a request may have."""

    def __init__(self, most: int, count: int) -> None:
        super().__init__(f"a request may have {most} events, and this one has {count}")


def read_events(body: bytes, *, most: int = MOST_EVENTS) -> list[Event | Refusal]:
    """Return what is in *body*, JSON of one event or of an array of them, in its order.

    A body that is no JSON is one refusal of the whole.

    Raises:
        TooManyEventsError: There are more than *most*.
    """
    if (raw := body.strip(b" \t\r\n"))[:1] == b"{" and isinstance(one := read_event(raw), Event):
        return [one]  # what is an event is JSON, and needs no look whether it is
    try:
        raws = list(_parts(body))
    except RecursionError:
        return [Refusal(index=0, reason="too_deep", detail=_TOO_DEEP, raw=body)]
    except _BAD as error:
        return [Refusal(index=0, reason="not_json", detail=_shortened(error), raw=body)]
    if len(raws) > most:
        raise TooManyEventsError(most, len(raws))
    return [read_event(raw, index) for index, raw in enumerate(raws)]


def _parts(body: bytes) -> Iterator[bytes]:
    """Yield the bytes of each event."""
    if body.lstrip()[:1] != b"[":
        yield bytes(_one.decode(body))
        return
    try:
        yield from map(bytes, _many.decode(body))
    except msgspec.DecodeError:
        # half a surrogate in one event is JSON, and no reason to refuse all others
        yield from _parts_of_bad_text(body)


def _parts_of_bad_text(body: bytes) -> Iterator[bytes]:
    text, decoder = body.decode(), json.JSONDecoder()
    values = decoder.decode(text)  # raises where it is no JSON at all
    at = text.index("[") + 1
    for _ in values:
        at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr] # it matches nothing too
        _, end = decoder.raw_decode(text, at)
        yield text[at:end].encode()
        at = end


def read_event(raw: bytes, index: int = 0) -> Event | Refusal:
    """Return the one event *raw*, which was at the place *index* of its request."""

    def refused(reason: Reason, detail: object) -> Refusal:
        return Refusal(index=index, reason=reason, detail=_shortened(detail), raw=raw)

    if len(raw) > MOST_BYTES:
        return refused("too_large", f"the event has {len(raw)} bytes, and may have {MOST_BYTES}")
    if raw.count(b"{") + raw.count(b"[") > MOST_DEPTH and _depth(raw) > MOST_DEPTH:
        return refused("too_deep", _TOO_DEEP)
    if _LONG_NUMBER.search(raw) and _LONG_NUMBER.search(_STRINGS.sub(b"", raw)):
        return refused("long_number", "a number has an exponent of three digits or more, or 300 digits")
    if b"\\u0000" in raw and _NUL.search(raw):
        return refused("nul_character", "the event has the character \\u0000, which Postgres cannot store")
    try:
        if not raw.isascii():
            raw.decode()  # what no contract names is not decoded, and has to be text too
        envelope = _envelopes.decode(raw)
    except _BAD as error:
        return refused("not_an_event", error)
    fields = _fields.get((envelope.type, envelope.version))
    if fields is None:
        if envelope.type in TYPES:
            return refused("unknown_version", f"no version {envelope.version} of {envelope.type!r} is known")
        return refused("unknown_type", f"no type of event is called {envelope.type!r}")
    try:
        fields.decode(envelope.properties)
    except _BAD as error:
        return refused("wrong_fields", error)
    return Event(envelope=envelope, raw=raw)


_TOO_DEEP: Final = f"more than {MOST_DEPTH} objects and arrays lie in one another"


def _depth(raw: bytes) -> int:
    depth = deepest = 0
    for character in _STRINGS.sub(b"", raw):
        if character in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif character in b"}]":
            depth -= 1
    return deepest


def _shortened(detail: object) -> str:
    # what Postgres cannot store as text would make the refusal itself one
    text = str(detail).replace("\0", "\ufffd").encode(errors="replace").decode()
    return text if len(text) <= _LONGEST_DETAIL else text[: _LONGEST_DETAIL - 1] + "…"
