"""A block of lines: where it can be parted, where the layout changes, and when its lines were written."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from sys import maxsize
from typing import NamedTuple

import numpy as np

from pteroassets.sources.minecraft.events import OUT_OF_ORDER_SECONDS, LogStamp, ParserState, Setback
from pteroassets.sources.minecraft.formats import LogFormat, format_at, has_layout
from pteroassets.sources.minecraft.months import read_date
from pteroassets.sources.minecraft.scan import Clock, Scanner, seconds_of
from pteroassets.sources.minecraft.shippers import find_shipped, may_be_shipped, unwrap
from pteroassets.sources.minecraft.text import Lines, clean, decode, strip_escapes

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


_OBJECT = re.compile(rb"\{[\s\"}]")  # what one in JSON begins with
_PART = re.compile(rb"std(?:out|err) P")  # how a container's log says that a line goes on in the next one
_CUT_ANYWHERE = (b"\x00", b"\x1b", b"\x07", b"\x08")  # what `clean` cuts out of lines; more at their beginnings only


def surely_ends(whole: bytes, start: int) -> bool:
    """Return whether the last line of *whole* surely ends with it, by a quick look at what is behind *start*.

    Neither a trace nor a message goes on, and no log shipper has cut a line into parts, so that what stands around its
    lines need not be cut away to know that.
    """
    last = whole[start:]
    if TRACED in last or _GOES_ON.search(whole, max(whole.rfind(b"\n", 0, len(whole) - 1) + 1, len(whole) - 200)):
        return False
    is_plain = not any(each in last for each in _CUT_ANYWHERE) and (
        b"\r" not in last or last.count(b"\r") == last.count(b"\r\n")
    )
    return is_plain and _OBJECT.search(last) is None and _PART.search(last) is None


def waiting_bytes(whole: bytes, starts: Callable[[], re.Pattern[bytes] | None]) -> int:
    """Return the length of the last lines of *whole* whose text may go on in lines to come, else 0.

    *starts* returns the pattern of lines that begin an entry, None while there has been none.
    """
    place = whole.rfind(TRACED, max(0, len(whole) - MOST_TRACE))
    if place >= 0 and ((found := starts()) is None or found.search(whole, whole.index(b"\n", place)) is None):
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


def cleaned(data: bytes) -> tuple[bytes, Lines]:
    """Return *data*, a line feed and whole lines, without what does not belong to lines, and where its lines are."""
    lines = Lines(data)
    if lines.is_clean:
        return data, lines
    data = clean(data)
    return data, Lines(data)


def text_behind(data: bytes, end: int, scanner: Scanner) -> str | None:
    """Return the lines that continue the text of the one which ends at *end*."""
    following = scanner.starts.search(data, end)
    until = min(following.start() if following is not None else len(data) - 1, end + MOST_TRACE)
    return decode(data[end + 1 : until]).strip() or None


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
    """Return whether the line behind the line feed at *place* came with a log shipper."""
    if not may_be_shipped(data, place):
        return False
    end = data.index(b"\n", place + 1)
    if data.startswith(b"{", place + 1) and end == place + 2:
        close = data.find(b"\n}", end, end + MOST_WAITING)
        end = close + 2 if close >= 0 else end
    line = strip_escapes(data[place:end])
    # a date in brackets may be the server's own: then nothing is around the line
    return not has_layout(line[1:]) and format_at(unwrap(line + b"\n").data, 0) is not None


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


DAY = 86_400
HALF_DAY = DAY // 2
_LATE = 5  # seconds by which lines may be out of order at midnight, where their order tells the day


class Segment(NamedTuple):
    """The lines from *offset* on lie on *day*, after *setback*."""

    offset: int
    day: int
    setback: Setback | None


class Days:
    """The segments of a block while its events are read in order: each start at an earlier time adds a day.

    Attributes:
        here: The segment that was reached.
        until: The place at which the next one begins, behind all lines where there is none.
    """

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = segments
        self._taken = 1
        self._added = 0
        self._found = [segments[0]]  # with the days that were added
        self.here = segments[0]
        self.until = self._until()

    def at(self, place: int) -> Segment:
        """Reach the segment in which *place* lies, and return it; no later call may name an earlier one."""
        while self.until <= place:
            self._take()
        return self.here

    def _until(self) -> int:
        return self._segments[self._taken].offset if self._taken < len(self._segments) else maxsize

    def add(self, place: int) -> None:
        """Let the next day begin at *place*."""
        self._added += 1
        self.here = self.here._replace(offset=place, day=self.here.day + 1)
        self._found.append(self.here)

    def all(self) -> list[Segment]:
        """Return all segments of the block."""
        while self._taken < len(self._segments):
            self._take()
        return self._found

    def _take(self) -> None:
        before, each = self._segments[self._taken - 1 : self._taken + 1]
        step = self._found[-1].setback
        if each.setback is not None and each.setback is not before.setback:
            step = each.setback._replace(day=each.setback.day + self._added)
        self.here = Segment(each.offset, each.day + self._added, step)
        self._found.append(self.here)
        self._taken += 1
        self.until = self._until()


def segments_of(clock: Clock, end: int, state: ParserState) -> list[Segment]:
    """Return where in a block, which ends at *end*, a new day begins or the clock steps back; the first begins at 0."""
    last = state.last
    start = Segment(0, last.day, last.setback) if last is not None else Segment(0, 0, None)
    timed = np.flatnonzero(clock.seconds >= 0)
    if not len(timed):
        return [start]
    shown = clock.seconds[timed]
    before = np.append(shown[0] if state.clock is None else state.clock, shown[:-1])
    drops = before - shown
    steps = np.flatnonzero((drops >= OUT_OF_ORDER_SECONDS) | (drops <= 2 * _LATE - DAY))
    day, setback = start.day, start.setback
    midnights = start.day - len(state.restarts)  # of the lines, whatever the starts among them make of it
    offsets = [*clock.places.tolist(), end] if len(steps) else []
    found = [start]
    due = steps.tolist()[::-1]
    late_since: int | None = None  # the time before a line that came late, which the next one goes by
    while due:
        at = due.pop()
        number, seconds = int(timed[at]), int(shown[at])
        previous = int(before[at]) if late_since is None else late_since
        late_since = None
        if midnights > 0 and previous < _LATE and seconds >= DAY - _LATE:
            # a thread that was late at midnight: this line alone belongs to the day before
            found += [Segment(offsets[number], day - 1, setback), Segment(offsets[number + 1], day, setback)]
            if at + 1 < len(shown):
                late_since = previous
                if not due or due[-1] != at + 1:
                    due.append(at + 1)
            continue
        if previous - seconds > HALF_DAY:
            day += 1
            midnights += 1
            found.append(Segment(offsets[number], day, setback))
        elif previous - seconds >= OUT_OF_ORDER_SECONDS:
            setback = Setback(day, previous, seconds)
            found.append(Segment(offsets[number], day, setback))
    return found


def ends_of(
    data: bytes, segments: list[Segment], scanner: Scanner, first: LogStamp | None
) -> tuple[LogStamp | None, LogStamp | None, int | None]:
    """Return the stamps of the first and the last line with a time, and the time of day that the last shows.

    Where *first* is known it is given back.
    """
    line = next((match for match in scanner.starts.finditer(data) if match["time"]), None)
    if line is None:
        return None, None, None
    if first is None and (prefix := scanner.prefix.match(data, line.start() + 1)):
        first = _stamp(prefix, segments, scanner)
    last, end = None, len(data) - 1
    while last is None or not last["time"]:
        end = data.rfind(b"\n", 0, end)
        last = scanner.prefix.match(data, end + 1)
    return first, _stamp(last, segments, scanner), seconds_of(last["time"])


def first_dated_of(data: bytes, segments: list[Segment], scanner: Scanner) -> LogStamp | None:
    """Return the stamp of the first line that shows its date."""
    for line in scanner.starts.finditer(data):
        prefix = scanner.prefix.match(data, line.start() + 1) if line["time"] else None
        if prefix is not None and (stamp := _stamp(prefix, segments, scanner)).dated is not None:
            return stamp
    return None


def _stamp(prefix: re.Match[bytes], segments: list[Segment], scanner: Scanner) -> LogStamp:
    segment = _segment_at(segments, prefix.start())
    found = shown(prefix, scanner)
    return LogStamp(
        day=segment.day,
        seconds=found.seconds,
        dated=found.dated,
        setback=segment.setback,
        offset=found.offset,
    )


def _segment_at(segments: list[Segment], line_start: int) -> Segment:
    if len(segments) == 1:
        return segments[0]
    return segments[bisect_right(segments, line_start - 1, key=lambda segment: segment.offset) - 1]


class Shown(NamedTuple):
    """What a line's beginning tells of its time, shipper's stamp and own taken together."""

    dated: date | None
    seconds: int
    offset: int | None


def shown(prefix: re.Match[bytes], scanner: Scanner) -> Shown:
    """Return the time of a line whose beginning has one.

    Where a log shipper's stamp tells the zone, the server's own is what lies between the two clocks, in quarters of an
    hour. A clock that differs from the shipper's otherwise is wrong, or its line was long under way: the stamp counts.
    """
    seconds = seconds_of(prefix["time"])
    dated = read_date(prefix["date"]) if "date" in scanner.groups and prefix["date"] else None
    if "outer_date" not in scanner.groups or (outer := read_date(prefix["outer_date"])) is None:
        return Shown(dated, seconds, None)
    zone = _offset_of(prefix["outer_zone"])
    if "outer_time" not in scanner.groups:
        return Shown(outer, seconds, zone)
    outer_seconds = seconds_of(prefix["outer_time"])
    ahead = (seconds - outer_seconds + HALF_DAY) % DAY - HALF_DAY
    if dated is not None:
        ahead = (dated - outer).days * DAY + seconds - outer_seconds
    quarters = round(ahead / _QUARTER) * _QUARTER
    if zone is None:
        return Shown(dated or outer + timedelta(days=(outer_seconds + ahead) // DAY), seconds, None)
    if abs(ahead - quarters) > _LAG or abs(zone + quarters) > _FARTHEST:
        return Shown(outer, outer_seconds, zone)
    return Shown(dated or outer + timedelta(days=(outer_seconds + ahead) // DAY), seconds, zone + quarters)


_QUARTER = 900
_LAG = 120  # seconds by which a line's time may differ from its shipper's
_FARTHEST = 14 * 3600 + 60  # of a zone from UTC


@lru_cache(maxsize=256)
def _offset_of(zone: bytes | None) -> int | None:
    if zone is None:
        return None
    seconds = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    return -seconds if zone.startswith(b"-") else seconds
