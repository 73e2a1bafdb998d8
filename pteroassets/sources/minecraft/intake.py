"""A log's bytes before they are parsed: whether they are one, and in the form in which the parser reads them.

What writes logs on Windows leaves UTF-16, old programs end lines with a carriage return alone, and a machine that lost
power leaves a hole of NULs; all of that is read.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import Final

from pteroassets.sources.minecraft.packing import foreign, is_packed
from pteroassets.sources.minecraft.refusals import NO_LINE, classify

#: As many bytes of a log's beginning as decide what it is.
HEAD_BYTES: Final = 64 << 10

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LOOKED_AT = 4 << 10
_TEXT_CONTROLS = b"\0\t\n\r\f\x07\x08\x1b"  # the others stand in no text
_CONTROLS = bytes(code for code in [*range(32), 127] if code not in _TEXT_CONTROLS)
_MOST_CONTROLS = 20  # one of so many bytes


def as_text(blocks: Iterable[bytes], *, is_whole: bool = True) -> Iterator[bytes]:
    """Yield a log's bytes as UTF-8 or in whatever encoding its lines are, each line ended by a line feed.

    The first block is the whole of it or `HEAD_BYTES` at least, without the NULs that it may begin with.

    Args:
        blocks: The bytes.
        is_whole: The log does not grow any more. Of one that does, a first line feed may yet come, so lines that end
            with a carriage return alone are not looked for.
    """
    blocks = iter(blocks)
    head = b""
    for block in blocks:
        head += block if head else block.lstrip(b"\0")
        if len(head) >= HEAD_BYTES:
            break
    rest = _with_head(head, blocks)
    if head.startswith(_UTF_16):
        yield from _from_utf_16(rest)
    elif is_whole and b"\r" in head and b"\n" not in head:
        for block in rest:
            yield block.replace(b"\r", b"\n")
    else:
        yield from rest


def refusal(head: bytes) -> str | None:
    """Say why the file that begins with *head* gives no sessions; None where it is a server's log.

    Args:
        head: The first `HEAD_BYTES` of it, or the whole of a shorter file.
    """
    reason = foreign(head)
    if reason is None and is_packed(head):
        reason = "an archive inside an archive: unpack the outer one first"
    if reason is None:
        reason = classify(head)
    if reason == NO_LINE and _is_binary(head):
        reason = f"{NO_LINE}: it is binary data, not text"
    return reason


def is_unplaced(reason: str) -> bool:
    """Tell whether *reason* is that of a text none of whose lines is understood."""
    return reason == NO_LINE


def _with_head(head: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from blocks


def _from_utf_16(blocks: Iterable[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
    for block in blocks:
        if text := decoder.decode(block):
            yield text.encode("utf-8", errors="replace")


def _is_binary(head: bytes) -> bool:
    start = head[:_LOOKED_AT]
    kept = start.translate(None, _CONTROLS)
    return (len(start) - len(kept)) * _MOST_CONTROLS > len(start)
