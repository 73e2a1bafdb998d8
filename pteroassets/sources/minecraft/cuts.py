"""Where the lines of a log can be parted: where a text goes on in lines to come, and where the layout changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from pteroassets.sources.minecraft.layouts import LogFormat, format_at
from pteroassets.sources.minecraft.shippers import find_shipped, may_be_shipped, unwrap

BLOCK_BYTES = 1 << 20  # small enough to take little memory, large enough to make up for the calls into numpy
TRACED = b"Encountered an unexpected exception"
MOST_TRACE = 16 << 10
MOST_WAITING = 64 << 10  # bytes of the last lines that are looked at: parts of a line that a shipper cut, for example
# what ends a message that goes on in the next line
GOING_ON = (
    *(TRACED, b" lost connection:", b" lost connection: ", b"banned from this server.", b"banned from this server!"),
    *(b"banned from this server", b"have been banned:", b"have been banned"),
)
_GOES_ON = re.compile(rb"(?:" + b"|".join(map(re.escape, GOING_ON)) + rb")(?:\x1b\[[0-9;]*m|[\r\x00])*\n\Z")


def waiting_bytes(whole: bytes, starts: re.Pattern[bytes] | None) -> int:
    """Return the length of the last lines of *whole* whose text may go on in lines to come, else 0."""
    place = whole.rfind(TRACED, max(0, len(whole) - MOST_TRACE))
    if place >= 0 and (starts is None or starts.search(whole, whole.index(b"\n", place)) is None):
        return len(whole) - whole.rfind(b"\n", 0, place) - 1
    start = whole.rfind(b"\n", 0, len(whole) - 1) + 1
    return len(whole) - start if _GOES_ON.search(whole, max(start, len(whole) - 200)) else 0


def last_lines(data: bytes, count: int) -> bytes:
    """Return a line feed and the last *count* lines of *data*."""
    place = len(data) - 1
    for _ in range(count):
        place = data.rfind(b"\n", 0, place)
    return data[place:]


def cut(data: bytes, start: int, size: int, waiting: Callable[[bytes], int]) -> bytes:
    """Return a line feed and about *size* bytes of whole lines; none ends where a line's text goes on."""
    end = data.find(b"\n", start + size)
    while 0 <= end < len(data) - 1 and waiting(data[max(start, end - MOST_WAITING) : end + 1]):
        end = data.find(b"\n", end + 1)
    return data[start:] if end < 0 else data[start : end + 1]


def cut_up(whole: bytes, waiting: Callable[[bytes], int]) -> Iterator[bytes]:
    """Cut *whole*, a line feed and lines, into small blocks of the same kind; none ends where a line's text goes on."""
    start = 0  # at the line feed before the block
    while start < len(whole) - 1:
        piece = cut(whole, start, BLOCK_BYTES, waiting)
        yield piece
        start += len(piece) - 1


def change_of_layout(data: bytes, others: Iterable[int], *, is_shipped: bool) -> tuple[LogFormat | None, int] | None:
    """Return the first other layout of lines in *data*, and the place of the line feed before the first one.

    A layout can change at any line: the programs that make up a server do not agree on one, and a file that is
    appended to for years outlives the program that wrote its beginning. Each line decides for itself, so that the cuts
    between blocks do not matter. The layout is None where a log shipper's lines begin.

    Args:
        data: A line feed and whole lines.
        others: Places of the line feeds before lines that are not of the layout in which they are read.
        is_shipped: Whether what shippers put around lines is gone from *data*.
    """
    for place in others:
        if (format_ := format_at(data, place)) is not None:
            return format_, place
        if not is_shipped and _is_shipped(data, place):
            return None, place
    return None


def _is_shipped(data: bytes, place: int) -> bool:
    """Tell whether the line behind the line feed at *place* came with a log shipper."""
    if not may_be_shipped(data, place):
        return False
    end = data.index(b"\n", place + 1)
    if data.startswith(b"{", place + 1) and end == place + 2:
        close = data.find(b"\n}", end, end + MOST_WAITING)
        end = close + 2 if close >= 0 else end
    return format_at(unwrap(data[place:end] + b"\n").data, 0) is not None


def first_shipped(data: bytes, count: int) -> int | None:
    """Return the number, from 0, of the first among *count* lines that came with a log shipper."""
    start, number = 0, 0
    while (place := find_shipped(data, start)) is not None:
        number += data.count(b"\n", start, place)
        if number >= count:
            return None
        if _is_shipped(data, place):
            return number
        start, number = place + 1, number + 1
    return None


def place_of(data: bytes, number: int) -> int:
    """Return the place of the line feed before the line with this number, from 0."""
    place = 0
    for _ in range(number):
        place = data.index(b"\n", place + 1)
    return place
