"""Bytes as they came to JSON: unpacked within limits, and every fault told by its name."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from pteroassets.sources.arma3.records import ReplayOutcome

Found = TypeVar("Found")
_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_BLOCK: Final = 1 << 20
_GLANCE: Final = 512
_NOT_A_NUMBER: Final = re.compile(
    rb"(?<=[\[:,\s])-?(?:nan(?:\(ind\))?|inf(?:inity)?|1\.#(?:ind|inf|qnan))(?=\s*[\],}])", re.IGNORECASE
)
# half of a pair, where a name was cut in the middle of a letter
_HALF_A_PAIR: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a document may hold at most, lest one file takes the machine.

    Attributes:
        unpacked_bytes: After unpacking; ten megabytes can unpack to ten gigabytes.
        entities: Units and vehicles.
        events: Of a recording.
        frames: The same.
    """

    unpacked_bytes: int = 512 << 20
    entities: int = 50_000
    events: int = 2_000_000
    frames: int = 1_000_000


class Unreadable(Exception):  # noqa: N818 - an outcome rather than a fault of ours
    """A document cannot be read; readers turn it into a row, so that it never leaves this package."""

    def __init__(self, outcome: ReplayOutcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


def unpack(content: bytes, limits: Limits) -> bytes | bytearray:
    """Return the document in *content*, which gzip packed or did not: its first two bytes say so, its name may lie.

    Raises:
        Unreadable: It is damaged or too large.
    """
    if not content:
        raise Unreadable("truncated", "it is empty: fetch it again")
    if not content.startswith(_GZIP):
        if len(content) > limits.unpacked_bytes:
            raise _too_large(limits)
        return content.removeprefix(_BOM)
    unpacked = _whole(content, limits)
    if unpacked.startswith(_GZIP):  # a file that is packed, sent packed once more
        unpacked = _whole(bytes(unpacked), limits)
    return unpacked.removeprefix(_BOM) if unpacked.startswith(_BOM) else unpacked


def fingerprint(content: bytes, limits: Limits, *, unpacked: bool = True) -> str:
    """Return the SHA-256 of a document: of what gzip packed where *unpacked*, else of the bytes as they are.

    Raises:
        Unreadable: Its packing is damaged, or it is too large.
    """
    mark = hashlib.sha256()
    for block in _blocks(content, limits) if unpacked and content.startswith(_GZIP) else (content,):
        mark.update(block)
    return mark.hexdigest()


def first_bytes(content: bytes) -> bytes:
    """Return the begin of a document, unpacked; nothing where its packing is damaged."""
    if not content.startswith(_GZIP):
        return content[:_GLANCE].removeprefix(_BOM)
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content[: 16 * _GLANCE], _GLANCE).removeprefix(_BOM)
    except zlib.error:
        return b""


def _whole(content: bytes, limits: Limits) -> bytearray:
    unpacked = bytearray()
    for block in _blocks(content, limits):
        unpacked += block
    return unpacked


def _blocks(content: bytes, limits: Limits) -> Iterator[bytes]:
    """Yield what gzip packed, also in several members."""
    left, size, rest = memoryview(content), 0, b""
    machine = zlib.decompressobj(zlib.MAX_WBITS | 16)
    while True:
        try:
            block = machine.decompress(rest or left[:_BLOCK], _BLOCK)
        except zlib.error as error:
            raise Unreadable("unreadable", f"its packing is damaged ({error}): fetch it again") from None
        if not rest:
            left = left[_BLOCK:]
        rest = machine.unconsumed_tail
        size += len(block)
        if size > limits.unpacked_bytes:
            raise _too_large(limits)
        yield block
        if machine.eof:
            following = machine.unused_data + bytes(left)
            if not following.startswith(_GZIP):  # padding, as tapes have it
                return
            machine, left, rest = zlib.decompressobj(zlib.MAX_WBITS | 16), memoryview(following), b""
        elif not rest and not left and not block:
            raise Unreadable("truncated", "its packing ends too early: fetch it again")


def _too_large(limits: Limits) -> Unreadable:
    return Unreadable(
        "too_large", f"it unpacks to more than {limits.unpacked_bytes >> 20:,} MiB: raise the limit to read it"
    )


def decode(document: bytes | bytearray, kind: type[Found]) -> Found:
    """Return the JSON of *document* as *kind*.

    Numbers that are none, which some writers leave, become null, and letters that were cut in their middle a mark.

    Raises:
        Unreadable: It is none, with what it is instead.
    """
    start = bytes(document[:64]).lstrip()
    if start.startswith(b"<"):
        raise Unreadable(
            "not_a_replay", "it is a page of HTML under the name of JSON: look at its address in a browser"
        )
    try:
        return _decode(document, kind)
    except Unreadable as unreadable:
        mended = _mended(document) if unreadable.outcome == "unreadable" else document
        if mended == document:
            raise
        return _decode(mended, kind)


def _mended(document: bytes | bytearray) -> bytes:
    mended = _NOT_A_NUMBER.sub(b"null", document)
    mended = _HALF_A_PAIR.sub(rb"\\ufffd", mended)
    return mended.decode(errors="replace").encode()


def _decode(document: bytes | bytearray, kind: type[Found]) -> Found:
    try:
        return msgspec.json.decode(document, type=kind)
    except msgspec.ValidationError as error:
        raise Unreadable("not_a_replay", f"it has another shape: {error}") from None
    except RecursionError:
        raise Unreadable("unreadable", "it nests too deeply to be a replay") from None
    except (msgspec.DecodeError, ValueError) as error:
        # half a pair of UTF-16 is told as an early end too
        is_cut = "truncated" in str(error) and not bytes(document[-64:]).rstrip().endswith((b"}", b"]"))
        if is_cut or not bytes(document).strip():
            raise Unreadable("truncated", "it ends too early: fetch it again") from None
        raise Unreadable("unreadable", f"it is no JSON: {error}") from None
