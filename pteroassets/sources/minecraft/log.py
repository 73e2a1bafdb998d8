"""Parse a log in blocks of bytes: the parser sees every line, but Python handles only the few of interest.

Path of the data::

    block --whole lines--> clean --scan--> counts, candidates --messages.read_message--> LogEvent

All passes over a block are single calls into numpy, ``re`` or ``bytes``. A parser can be left and taken up again at a
line's end: its `ParserState` is all it knows, and the cuts between blocks never show in what it returns.
"""

from __future__ import annotations

import dataclasses
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Any, Literal, NamedTuple

from pteroassets.sources.minecraft.events import PARSER_VERSION, Detail, LogEvent, LogStamp, Setback
from pteroassets.sources.minecraft.file_names import moment_of_report
from pteroassets.sources.minecraft.formats import rank_of_software
from pteroassets.sources.minecraft.layouts import ALL_FORMATS, LogFormat, find_format, format_at
from pteroassets.sources.minecraft.messages import (
    CHAT_THREAD,
    Dialect,
    Reading,
    is_foreign,
    read_message,
)
from pteroassets.sources.minecraft.months import read_date
from pteroassets.sources.minecraft.reasons import plain_reason
from pteroassets.sources.minecraft.refusals import classify, find_client, is_server_log
from pteroassets.sources.minecraft.scan import TIME_LENGTH, Candidate, Scan, Scanner, scan, scanner_of, seconds_of
from pteroassets.sources.minecraft.shippers import find_shipped, may_be_shipped, unwrap
from pteroassets.sources.minecraft.skim import Lines
from pteroassets.sources.minecraft.text import LONGEST_LINE, clean, decode, shorten_lines, strip_escapes, strip_mark

__all__ = ["LineCounts", "LogParser", "ParserState", "classify", "is_server_log"]

_BLOCK_BYTES = 1 << 20  # small enough to take little memory, large enough to make up for the calls into numpy
_DAY = 86_400
_HALF_DAY = _DAY // 2
_STEP = 120  # lines of several threads are written a second or so out of order; a clock that is set moves further
_LATE = 5  # the same at midnight, where the order of lines tells the day
_LOADING = 600  # seconds from the first line of a run, a loader's, to its start line


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCounts:
    """How many lines were read, and what became of them; the four kinds add up to *lines*."""

    lines: int = 0
    understood: int = 0  # gave an event, or the software
    ignored: int = 0  # of a kind known to say nothing, or a look-alike refused by rule
    unknown: int = 0
    continuations: int = 0  # no prefix: belongs to the line before


#: Whether a program that was named has got ready since, and whether the layout has changed after that, so that the next
#: program to start may be another one.
SoftwareIs = Literal["named", "running", "earlier"]


#: What wrote a log, as far as its lines have told: a server's start or a player's entry, or what clients alone say.
Writer = Literal["unknown", "server", "client"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParserState:
    """What the parser must know to go on after the last whole line."""

    parser_version: str = PARSER_VERSION
    bytes_consumed: int = 0
    counts: LineCounts = dataclasses.field(default_factory=LineCounts)
    format_name: str | None = None
    first: LogStamp | None = None  # of the first line with a time
    first_dated: LogStamp | None = None  # of the first one that shows its date
    last: LogStamp | None = None
    clock: int | None = None  # second of the day that the last line with a time shows itself, whatever its shipper says
    software: str | None = None  # as a line names it, else as only one program writes
    software_is: SoftwareIs = "named"
    names_until: int | None = None  # second since day 0 up to which a start's lines come; None: no start was seen yet
    game_version: str | None = None
    is_of: Writer = "unknown"
    is_shipped: bool = False  # a log shipper wrote lines of it
    has_times: bool = True  # False once a line that gave an event showed no time: that event cannot be placed
    report_date: date | None = None  # in the name of the first crash report that a line names
    report_day: int | None = None  # the day counter at that date
    restarts: tuple[Setback, ...] = ()  # starts at an earlier time of day, each counted as a new day
    setback_seen: Setback | None = None  # that of the last event: a start does not explain it any more

    @property
    def first_date(self) -> date | None:
        """Local date of the first line with a time, where the log itself tells it."""
        if self.first_dated is not None and self.first_dated.dated is not None:
            return self.first_dated.dated - timedelta(days=self.first_dated.day)
        if self.report_date is not None and self.report_day is not None:
            return self.report_date - timedelta(days=self.report_day)
        return None

    @property
    def first_date_source(self) -> Literal["line", "crash_report"] | None:
        """What tells `first_date`."""
        if self.first_dated is not None:
            return "line"
        return "crash_report" if self.first_date is not None else None

    @property
    def lines(self) -> int:
        """Lines read."""
        return self.counts.lines

    @property
    def day(self) -> int:
        """Midnights passed since the first line."""
        return self.last.day if self.last is not None else 0

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain JSON values."""
        values = {name: getattr(self, name) for name in ("parser_version", "bytes_consumed", "format_name")}
        values |= {
            name: getattr(self, name) for name in ("software", "software_is", "game_version", "is_shipped", "has_times")
        }
        values["names_until"] = self.names_until
        values["clock"] = self.clock
        values["report_day"] = self.report_day
        values["is_of"] = self.is_of
        values["report_date"] = self.report_date and self.report_date.isoformat()
        values["counts"] = dataclasses.asdict(self.counts)
        values["restarts"] = [list(each) for each in self.restarts]
        values["setback_seen"] = self.setback_seen and list(self.setback_seen)
        for name in ("first", "first_dated", "last"):
            stamp = getattr(self, name)
            values[name] = stamp and {
                "day": stamp.day,
                "seconds": stamp.seconds,
                "dated": stamp.dated and stamp.dated.isoformat(),
                "setback": stamp.setback and list(stamp.setback),
                "offset": stamp.offset,
            }
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ParserState:
        """Return the state that `to_json` gave.

        Raises:
            ValueError: Another version of the parser wrote it; the file must be read from its start.
        """
        if values["parser_version"] != PARSER_VERSION:
            raise ValueError(f"a state of parser {values['parser_version']}, but this is parser {PARSER_VERSION}")

        def stamp(value: Mapping[str, Any] | None) -> LogStamp | None:
            if value is None:
                return None
            return LogStamp(
                day=value["day"],
                seconds=value["seconds"],
                dated=value["dated"] and read_date(value["dated"]),
                setback=value["setback"] and Setback(*value["setback"]),
                offset=value["offset"],
            )

        return cls(
            bytes_consumed=values["bytes_consumed"],
            counts=LineCounts(**values["counts"]),
            format_name=values["format_name"],
            first=stamp(values["first"]),
            first_dated=stamp(values["first_dated"]),
            last=stamp(values["last"]),
            clock=values["clock"],
            software=values["software"],
            software_is=values["software_is"],
            names_until=values["names_until"],
            game_version=values["game_version"],
            is_shipped=values["is_shipped"],
            is_of=values["is_of"],
            has_times=values["has_times"],
            report_date=values["report_date"] and read_date(values["report_date"]),
            report_day=values["report_day"],
            restarts=tuple(Setback(*each) for each in values["restarts"]),
            setback_seen=values["setback_seen"] and Setback(*values["setback_seen"]),
        )


class _Segment(NamedTuple):
    """The lines from *offset* on lie on *day*, after *setback*."""

    offset: int
    day: int
    setback: Setback | None


class _Days:
    """The segments of a block while its events are read in order: each start at an earlier time adds a day."""

    def __init__(self, segments: Sequence[_Segment]) -> None:
        self._segments = segments
        self._taken = 1
        self._added = 0
        self._found = [segments[0]]  # with the days that were added

    def at(self, place: int) -> _Segment:
        """Return the segment in which *place* lies; no later call may ask for an earlier one."""
        while self._taken < len(self._segments) and self._segments[self._taken].offset <= place:
            self._take()
        return self._found[-1]

    def add(self, place: int) -> None:
        """Let the next day begin at *place*."""
        self._added += 1
        here = self._found[-1]
        self._found.append(here._replace(offset=place, day=here.day + 1))

    def all(self) -> list[_Segment]:
        """Return all segments of the block."""
        while self._taken < len(self._segments):
            self._take()
        return self._found

    def _take(self) -> None:
        before, each = self._segments[self._taken - 1 : self._taken + 1]
        step = self._found[-1].setback
        if each.setback is not None and each.setback is not before.setback:
            step = each.setback._replace(day=each.setback.day + self._added)
        self._found.append(_Segment(each.offset, each.day + self._added, step))
        self._taken += 1


class LogParser:
    """Turns blocks of a log, cut anywhere, into events.

    Args:
        state: Where to go on; the next block begins at its ``bytes_consumed``.
        keep_text: Keep the players' own words: chat, commands, names of items.
        note_unknown: Is called with the message of each line that counts as unknown.
    """

    def __init__(
        self,
        state: ParserState | None = None,
        *,
        keep_text: bool = False,
        note_unknown: Callable[[bytes], None] | None = None,
    ) -> None:
        self._note_unknown = note_unknown
        self._state = state if state is not None else ParserState()
        self._keep_text = keep_text
        self._rest: list[bytes] = []  # the beginning of a line whose end has not come yet
        self._rest_bytes = 0
        self._shipped_from: int | None = None  # how many of the last lines of the block are a log shipper's
        self._dropped = 0  # bytes of that line that are not kept, since it is too long
        self._format = ALL_FORMATS[self._state.format_name] if self._state.format_name is not None else None

    @property
    def state(self) -> ParserState:
        """What is known at the end of the last whole line."""
        return self._state

    @property
    def counts(self) -> LineCounts:
        """What became of the lines so far."""
        return self._state.counts

    @property
    def software(self) -> str | None:
        """The server program: as a line names it, else the one that writes such lines."""
        return self._state.software

    @property
    def game_version(self) -> str | None:
        """The version of the game that the last start line shows."""
        return self._state.game_version

    def feed(self, block: bytes) -> list[LogEvent]:
        """Return the events of the lines that *block* ends; what follows its last line feed waits for the next.

        A line whose text goes on in the next one waits for that too.
        """
        end = block.rfind(b"\n") + 1
        if not end:
            self._keep(block)
            return []
        whole = b"".join((b"\n", *self._rest, memoryview(block)[:end]))
        size, whole = len(whole) + self._dropped, shorten_lines(whole)
        dropped = size - len(whole)
        self._rest, self._rest_bytes, self._dropped = [], 0, 0
        starts = self._starts(whole)
        # where bytes were dropped, the place in the file would be wrong if a line waited
        waiting = self._waiting(whole, starts) if not dropped else 0
        if waiting:
            whole, line = whole[:-waiting], whole[-waiting:]
            self._keep(line)
        self._keep(block[end:])
        if len(whole) <= 2 * _BLOCK_BYTES:
            return self._read(whole, size=len(whole) - 1 + dropped) if len(whole) > 1 else []
        parts = _parts(whole, lambda lines: self._waiting(lines, starts))
        events = self._read(first := next(parts), size=len(first) - 1 + dropped)
        return events + [event for part in parts for event in self._read(part)]

    def _keep(self, piece: bytes) -> None:
        """Keep *piece* for the line that it begins or goes on with, as far as a line is looked at."""
        if not piece:
            return
        self._rest.append(piece)
        self._rest_bytes += len(piece)
        if self._rest_bytes > 2 * LONGEST_LINE:
            line = shorten_lines(b"\n" + b"".join(self._rest))[1:]
            self._dropped += self._rest_bytes - len(line)
            self._rest, self._rest_bytes = [line], len(line)

    def finish(self) -> list[LogEvent]:
        """Return the events of a last line without a line feed: the file is closed, so it will not grow."""
        lines = b"".join(self._rest)
        size = len(lines) + self._dropped
        self._rest, self._rest_bytes, self._dropped = [], 0, 0
        if not lines:
            return []
        whole = b"\n" + lines + (b"" if lines.endswith(b"\n") else b"\n")
        return self._read(shorten_lines(whole), size=size)

    def _starts(self, whole: bytes) -> re.Pattern[bytes] | None:
        """Return the pattern of lines that begin an entry, or None while there has been none."""
        if self._format is not None:
            return scanner_of(self._format).starts
        head = whole[: whole.rfind(b"\n", 0, _MOST_WAITING) + 1]
        data = clean(b"\n" + strip_mark(head[1:])) if head else b"\n"
        found = find_format(data)
        if found is None:
            data = clean(b"\n" + strip_mark(whole[1:]))
            found = find_format(data)
        if found is None or find_shipped(data, 0, found[1] + 1) is not None:
            head = data[: data.rfind(b"\n", 0, _MOST_WAITING) + 1] or data
            found = find_format(unwrap(head).data)
        return scanner_of(found[0]).starts if found is not None else None

    def _waiting(self, whole: bytes, starts: re.Pattern[bytes] | None) -> int:
        """Return the length of the last lines of *whole* whose text may go on in lines to come, else 0."""
        start = whole.find(b"\n", max(0, len(whole) - _MOST_WAITING))
        if not self._state.is_shipped and find_shipped(whole, start) is None:
            return _waiting(whole, starts)
        last = unwrap(whole[start:])
        if self._state.is_shipped or self._format is None:
            waiting = _waiting(last.data, starts)
            lines = last.data.count(b"\n", len(last.data) - waiting)
        else:  # a shipper's lines may begin here, and the first of them may come in parts
            lines = whole.count(b"\n", len(whole) - _waiting(whole, starts))
        lines = max(last.open_lines, lines)
        place = len(whole) - 1
        for _ in range(lines):
            place = whole.rfind(b"\n", 0, place)
        return len(whole) - 1 - place

    def _read(self, block: bytes, *, size: int | None = None) -> list[LogEvent]:
        """Read a line feed and whole lines, which take *size* bytes in the file: by default as many as are given."""
        consumed = self._state.bytes_consumed
        size = len(block) - 1 if size is None else size
        raw = block if consumed else b"\n" + strip_mark(block[1:])
        data, lines = _cleaned(unwrap(raw).data if self._state.is_shipped else raw)
        place = 0
        if self._format is None:
            place = self._find_layout(data, raw)
            if place > 0 and self._format is not None:
                data = data[place:]
                lines = Lines(data)
        events = self._read_layouts(data, lines) if self._format is not None else []
        shipped = self._shipped_from
        if shipped is not None:
            self._shipped_from = None
            self._know(is_shipped=True)
            behind, lines = _cleaned(unwrap(_last_lines(raw, shipped)).data)
            if self._format is None and (place := self._find_layout(behind, behind)) > 0:
                behind = behind[place:]
                lines = Lines(behind)
            events += self._read_layouts(behind, lines) if self._format is not None else []
        self._know(bytes_consumed=consumed + size)
        return events

    def _find_layout(self, data: bytes, raw: bytes) -> int:
        """Take up the layout of the first line that has one, and return the place of the line feed before it.

        The lines before it, or all of them, continue nothing that is known. In *raw*, which are the same lines, a
        shipper's stamp is not overwritten yet by what a terminal shows.
        """
        found = find_format(data)
        place = found[1] if found is not None else len(data) - 1
        if not self._state.is_shipped:
            lines = data.count(b"\n", 0, place) + 1
            # no further than the line that was found, since all of a block takes long
            raw = strip_escapes(raw if found is None else raw[: _place_of(raw, lines) + 1])
            shipped = _first_shipped(raw, lines)
            if shipped is not None:
                found = None
                self._shipped_from = data.count(b"\n") - 1 - shipped
                place = _place_of(data, shipped)
        before = data.count(b"\n", 0, place)
        self._know(counts=_add(self._state.counts, lines=before, continuations=before))
        if found is not None:
            self._take_up(found[0])
        return place

    def _read_layouts(self, data: bytes, lines: Lines) -> list[LogEvent]:
        """Read a line feed and whole lines, each in its own layout."""
        events: list[LogEvent] = []
        start, step = 0, len(data)
        while start < len(data) - 1 and self._format is not None:
            scanner = scanner_of(self._format)
            if start > 0 and scanner.prefix.match(data, start + 1) is None and (other := format_at(data, start)):
                self._change_to(other)
                step = _FIRST_STEP
                continue
            part = data if step >= len(data) - start == len(data) else _part(data, start, step, self._waits(scanner))
            part_lines = lines if part is data else Lines(part)
            found = scan(part, part_lines, scanner)
            places = (start + place for place in found.others)
            change = _change_of_layout(data, places, is_shipped=self._state.is_shipped)
            if change is None:
                events += self._read_lines(part, found, scanner)
                start, step = start + len(part) - 1, step * _GROWTH
                continue
            # lines of two layouts may take turns: then no more is looked at than is likely to be of one
            format_, place = change[0], change[1] - start
            if place > 0:
                part = part[: place + 1]
                events += self._read_lines(part, scan(part, Lines(part), scanner), scanner)
            if format_ is None:
                self._shipped_from = data.count(b"\n", start + place) - 1
                break
            self._change_to(format_)
            start, step = start + place, _FIRST_STEP
        return events

    def _waits(self, scanner: Scanner) -> Callable[[bytes], int]:
        return lambda lines: _waiting(lines, scanner.starts)

    def _take_up(self, format_: LogFormat) -> None:
        """Read what follows in this layout, the file's first; where only one program writes so, it is known."""
        self._format = format_
        self._know(format_name=format_.name, software=format_.software)

    def _change_to(self, format_: LogFormat) -> None:
        """Read what follows in another layout, which the same program may write or another one."""
        self._format = format_
        is_earlier = self._state.software_is == "running"
        self._know(format_name=format_.name, software_is="earlier" if is_earlier else self._state.software_is)

    def _read_lines(self, data: bytes, found: Scan, scanner: Scanner) -> list[LogEvent]:
        """Read a line feed and whole lines of one layout, in which *found* is what may be of interest."""
        state = self._state
        segments = self._walk(data, scanner, is_in_order=found.is_in_order)
        days = _Days(segments)
        events, ignored = self._events(data, found.candidates, days, scanner)
        first, last, clock = self._ends(data, days.all(), scanner)
        self._know(
            clock=clock if clock is not None else state.clock,
            first=first if first is not None else state.first,
            last=last if last is not None else state.last,
        )
        if state.first_dated is None and scanner.has_date and last is not None:
            self._know(first_dated=self._first_dated(data, days.all(), scanner))
        ignored += found.ignored
        if state.is_of == "unknown":
            self._know(is_of=_writer(data, events, state.lines))
        self._know(
            counts=_add(
                state.counts,
                lines=found.lines,
                continuations=found.lines - found.entries,
                understood=len(events),
                ignored=ignored,
                unknown=found.entries - len(events) - ignored,
            ),
        )
        return events

    def _walk(self, data: bytes, scanner: Scanner, *, is_in_order: bool | None) -> list[_Segment]:
        """Return where in *data* a new day begins or the clock steps back; the first segment begins at 0."""
        last = self._state.last
        start = _Segment(0, last.day, last.setback) if last is not None else _Segment(0, 0, None)
        midnights = start.day - len(self._state.restarts)  # of the lines, whatever the starts among them make of it
        line = scanner.starts.search(data)
        if line is not None and line["time"] and _goes_on(line["time"], midnights, self._state.clock):
            is_in_order = _is_in_order(data, line["time"]) if is_in_order is None else is_in_order
            if is_in_order:
                return [start]
        times: list[bytes] = scanner.starts.findall(data)
        timed = [time for time in times if time]
        if not timed:
            return [start]
        previous = self._state.clock if self._state.clock is not None else seconds_of(timed[0])
        in_order = len(timed[0]) == len(timed[-1]) == TIME_LENGTH and timed == sorted(timed)
        if in_order and previous <= seconds_of(timed[0]) and (midnights == 0 or previous >= _LATE):
            return [start]
        changes: list[tuple[int, int, Setback | None]] = []  # number of the line, day and setback from there on
        day, setback = start.day, start.setback
        for number, text in enumerate(times):
            if not text:
                continue
            seconds = seconds_of(text)
            if midnights > 0 and previous < _LATE and seconds >= _DAY - _LATE:
                # a thread that was late at midnight: this line alone belongs to the day before
                changes += [(number, day - 1, setback), (number + 1, day, setback)]
                continue
            if previous - seconds > _HALF_DAY:
                day += 1
                midnights += 1
                changes.append((number, day, setback))
            elif previous - seconds >= _STEP:
                setback = Setback(day, previous, seconds)
                changes.append((number, day, setback))
            previous = seconds
        if not changes:
            return [start]
        offsets = [match.start() for match in scanner.starts.finditer(data)]
        offsets.append(len(data))
        return [start, *(_Segment(offsets[number], day, setback) for number, day, setback in changes)]

    def _ends(
        self, data: bytes, segments: list[_Segment], scanner: Scanner
    ) -> tuple[LogStamp | None, LogStamp | None, int | None]:
        """Return the stamps of the first and the last line with a time, and the time of day that the last shows."""
        first = self._state.first
        line = next((match for match in scanner.starts.finditer(data) if match["time"]), None)
        if line is None:
            return None, None, None
        if first is None and (prefix := scanner.prefix.match(data, line.start() + 1)):
            first = self._stamp(prefix, segments, scanner)
        last, end = None, len(data) - 1
        while last is None or not last["time"]:
            end = data.rfind(b"\n", 0, end)
            last = scanner.prefix.match(data, end + 1)
        return first, self._stamp(last, segments, scanner), seconds_of(last["time"])

    def _first_dated(self, data: bytes, segments: list[_Segment], scanner: Scanner) -> LogStamp | None:
        for line in scanner.starts.finditer(data):
            prefix = scanner.prefix.match(data, line.start() + 1) if line["time"] else None
            if prefix is not None and (stamp := self._stamp(prefix, segments, scanner)).dated is not None:
                return stamp
        return None

    def _stamp(self, prefix: re.Match[bytes], segments: list[_Segment], scanner: Scanner) -> LogStamp:
        segment = _segment_at(segments, prefix.start())
        shown = _shown(prefix, scanner)
        return LogStamp(
            day=segment.day,
            seconds=shown.seconds,
            dated=shown.dated,
            setback=segment.setback,
            offset=shown.offset,
        )

    def _events(
        self, data: bytes, candidates: list[Candidate], days: _Days, scanner: Scanner
    ) -> tuple[list[LogEvent], int]:
        """Return the events, one for each line understood, and how many candidates are to be ignored after all.

        A start at an earlier time of day begins a new day, which is added to *days*.
        """
        events: list[LogEvent] = []
        new = tuple.__new__
        accounted: set[int] = set()
        note_unknown = self._note_unknown
        ignored = 0
        before = self._state.lines
        keep_text = self._keep_text
        dialects = self._format.dialects if self._format is not None else ()
        software = self._state.software
        spoken = _dialect_by(dialects, software) if software is not None else None
        for number, start, seconds, thread, logger, prefix, message in candidates:
            dialect = spoken
            if dialect is None and thread is not None:
                dialect = _dialect_of(dialects, thread, logger)
            elif dialect is None:
                dialect = _dialect_shown(dialects, message)
            reading = read_message(message, dialect, thread, logger, keep_text=keep_text)
            if reading is None:
                # chat that is none, a mod's own logger: refused on purpose, unlike a line that we cannot read
                is_chat = thread is not None and thread.startswith(CHAT_THREAD)
                if is_chat or (logger is not None and is_foreign(logger)) or scanner.ignored.match(message):
                    ignored += 1
                    accounted.add(start)
                continue
            if note_unknown is not None:
                accounted.add(start)
            kind, player, player_uuid, detail, is_sponge, is_claim = reading
            if is_claim and not self._is_of_start(message, reading, dialect, days.at(start).day, seconds):
                ignored += 1
                accounted.add(start)
                continue
            if kind in _ENTRIES and self._state.names_until != _STARTED:
                self._know(names_until=_STARTED)
            goes_on = kind in _MAY_GO_ON and message.endswith(_GOING_ON)
            is_hint = is_sponge or (software is None and dialect.default_software is not None)
            if goes_on or is_hint or kind in _TELLING:
                going_on = _going_on(data, data.index(b"\n", start + 1), scanner) if goes_on else None
                detail = self._look_at(reading, dialect, going_on, has_logger=logger is not None)
                software = self._state.software
                spoken = _dialect_by(dialects, software) if software is not None else None
            if thread is not None and software in (None, _VANILLA) and thread.startswith(_FOLIAS):
                software = "Folia"  # which gives its threads such names, and may not have said so
                spoken = _dialect_by(dialects, software)
                self._know(software=software)
                detail = {**(detail or {}), "software": software}
            _, day, setback = days.at(start)
            dated = offset = None
            time = seconds
            if prefix is not None and seconds is not None:
                dated, time, offset = _shown(prefix, scanner)
            if setback is not None and kind != "server_software":
                if kind == "server_start" and dated is None and self._is_next_day(seconds, day, setback):
                    self._know(restarts=(*self._state.restarts, setback))
                    days.add(start)
                    day += 1
                if setback != self._state.setback_seen:
                    self._know(setback_seen=setback)
            parts = (before + number, day, time, kind, dated, setback, player, player_uuid, detail, offset)
            events.append(new(LogEvent, parts))  # in half of the time that its own __new__ takes
            if seconds is None:
                self._know(has_times=False)
            if kind == "server_crash":
                self._note_report(events[-1])
            elif kind == "server_start":
                self._know(names_until=day * _DAY + (seconds or 0) + _STARTING_SECONDS)
        if note_unknown is not None:
            for line in scanner.starts.finditer(data):
                begin = line.end()
                if line.start() not in accounted and scanner.ignored.match(data, begin) is None:
                    note_unknown(data[begin : data.index(b"\n", begin)])
        return events, ignored

    def _is_of_start(self, message: bytes, reading: Reading, dialect: Dialect, day: int, seconds: int | None) -> bool:
        """Tell whether a line that can name any program is one of a start: plugins say the like to everybody.

        Where the log shows no start, the answer to ``/version`` is believed, which names the game's version or a
        program of the dialect, unless another line has named one.
        """
        until = self._state.names_until
        if until is not None and day * _DAY + (seconds or 0) <= until:
            return True
        is_named = until is not None and self._state.software not in (None, _VANILLA)
        is_known = (reading.detail or {}).get("software") in dialect.software
        return not is_named and (is_known or _NAMES_VERSION.search(message) is not None)

    def _is_next_day(self, seconds: int | None, day: int, setback: Setback) -> bool:
        """Tell whether a start line comes right after the clock stepped back: then it is of a later day.

        Lines of a loader may come before it, but no event.
        """
        is_new = setback != self._state.setback_seen and setback.day == day
        return is_new and seconds is not None and abs(seconds - setback.to_seconds) <= _LOADING

    def _know(self, **values: Any) -> None:
        self._state = dataclasses.replace(self._state, **values)

    def _look_at(self, reading: Reading, dialect: Dialect, going_on: str | None, *, has_logger: bool) -> Detail | None:
        """Take from a reading what is known of the whole log from then on, and return its detail with what follows."""
        detail = dict(reading.detail or {})
        known = self._state.software
        software = detail.get("software")
        version = detail.get("game_version")
        if known is None and dialect.default_software is not None and software is None:
            self._know(software=dialect.default_software)
        match reading.kind:
            case "server_software":
                if self._state.game_version is None and version is not None:
                    self._know(game_version=str(version))
                is_earlier = self._state.software_is == "earlier"
                if is_earlier or rank_of_software(str(software)) >= rank_of_software(self.software):
                    self._know(software=str(software), software_is="named")
            case "server_start":
                if software is not None:
                    self._know(software=str(software), software_is="named")
                elif known is None or self._state.software_is == "earlier":
                    self._know(software=self._format and self._format.software, software_is="named")
                if version is not None:
                    self._know(game_version=str(version))
            case "server_ready" if known is None or (self._format is not None and known == self._format.software):
                # loaders of mods show loggers
                is_vanilla = self._state.game_version is not None and not has_logger
                named = self.software or (_VANILLA if is_vanilla else None)
                if named is not None:
                    self._know(software=named)
                    detail["software"] = named
                self._know(software_is="running", names_until=_STARTED)
            case "server_ready":
                self._know(software_is="running", names_until=_STARTED)
            case "server_stop":
                self._know(names_until=None)
            case "server_crash" if detail.get("cause") == "exception" and "exception" not in detail:
                # what caused it all is named last
                if going_on is not None and (thrown := _THROWN.findall(going_on)):
                    detail["exception"] = thrown[-1]
            case "player_lost_connection" | "login_refused" if going_on is not None:
                line = going_on.partition("\n")[0].strip()
                detail["reason"] = plain_reason(f"{detail.get('reason', '')} {line}")
            case "player_login" if reading.is_sponge and rank_of_software(self.software) < rank_of_software("Sponge"):
                self._know(software="Sponge")
            case _:
                pass
        return detail or None

    def _note_report(self, event: LogEvent) -> None:
        """Take the date from a crash report's name, which is in local time."""
        named = moment_of_report(str((event.detail or {}).get("report", "")))
        if named is None or self._state.report_date is not None:
            return
        seconds = named.hour * 3600 + named.minute * 60 + named.second
        # the line that names it may have been written after midnight
        was_before = event.seconds is not None and seconds - event.seconds > _HALF_DAY
        self._know(report_date=named.date(), report_day=event.day - was_before)


_VANILLA = "Vanilla"  # names itself nowhere: whoever names nothing else is it
_THROWN = re.compile(r"(?:\A|^Caused by: )((?:[\w$]+\.)+[\w$]+)(?=:|$)", re.MULTILINE)
_TELLING = frozenset({"server_software", "server_start", "server_ready", "server_stop"})  # of the whole log
_ENTRIES = frozenset({"player_login", "player_spawn", "player_join", "player_switch", "fake_login"})
_STARTING_SECONDS = 1800  # the largest packs of mods take a quarter of an hour
_STARTED = -1  # the server is ready, or somebody has entered
_NAMES_VERSION = re.compile(rb"\(MC: |\(Implementing API|for Minecraft \d")
_FOLIAS = (b"Region Scheduler Thread #", b"Region shutdown thread")
_MAY_GO_ON = frozenset({"server_crash", "player_lost_connection", "login_refused"})  # in the next line
_TRACED = b"Encountered an unexpected exception"
_MOST_TRACE = 16 << 10
_MOST_WAITING = 64 << 10  # bytes of the last lines that are looked at: parts of a line that a shipper cut, for example
# what ends a message that goes on in the next line
_GOING_ON = (
    *(_TRACED, b" lost connection:", b" lost connection: ", b"banned from this server.", b"banned from this server!"),
    *(b"banned from this server", b"have been banned:", b"have been banned"),
)
_GOES_ON = re.compile(rb"(?:" + b"|".join(map(re.escape, _GOING_ON)) + rb")(?:\x1b\[[0-9;]*m|[\r\x00])*\n\Z")


def _waiting(whole: bytes, starts: re.Pattern[bytes] | None) -> int:
    """Return the length of the last lines of *whole* whose text may go on in lines to come, else 0."""
    place = whole.rfind(_TRACED, max(0, len(whole) - _MOST_TRACE))
    if place >= 0 and (starts is None or starts.search(whole, whole.index(b"\n", place)) is None):
        return len(whole) - whole.rfind(b"\n", 0, place) - 1
    start = whole.rfind(b"\n", 0, len(whole) - 1) + 1
    return len(whole) - start if _GOES_ON.search(whole, max(start, len(whole) - 200)) else 0


_FIRST_STEP = 1 << 8  # bytes behind a change of the layout that are looked at
_GROWTH = 4


def _change_of_layout(data: bytes, others: Iterable[int], *, is_shipped: bool) -> tuple[LogFormat | None, int] | None:
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
        close = data.find(b"\n}", end, end + _MOST_WAITING)
        end = close + 2 if close >= 0 else end
    return format_at(unwrap(data[place:end] + b"\n").data, 0) is not None


def _first_shipped(data: bytes, count: int) -> int | None:
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


def _place_of(data: bytes, number: int) -> int:
    """Return the place of the line feed before the line with this number, from 0."""
    place = 0
    for _ in range(number):
        place = data.index(b"\n", place + 1)
    return place


def _cleaned(data: bytes) -> tuple[bytes, Lines]:
    """Return *data*, a line feed and whole lines, without what does not belong to lines, and where its lines are."""
    lines = Lines(data)
    if lines.is_clean:
        return data, lines
    data = clean(data)
    return data, Lines(data)


def _last_lines(data: bytes, count: int) -> bytes:
    """Return a line feed and the last *count* lines of *data*."""
    place = len(data) - 1
    for _ in range(count):
        place = data.rfind(b"\n", 0, place)
    return data[place:]


def _part(data: bytes, start: int, size: int, waiting: Callable[[bytes], int]) -> bytes:
    """Return a line feed and about *size* bytes of whole lines; none ends where a line's text goes on."""
    end = data.find(b"\n", start + size)
    while 0 <= end < len(data) - 1 and waiting(data[max(start, end - _MOST_WAITING) : end + 1]):
        end = data.find(b"\n", end + 1)
    return data[start:] if end < 0 else data[start : end + 1]


def _going_on(data: bytes, end: int, scanner: Scanner) -> str | None:
    """Return the lines that continue the text of the one which ends at *end*."""
    following = scanner.starts.search(data, end)
    until = min(following.start() if following is not None else len(data) - 1, end + _MOST_TRACE)
    return decode(data[end + 1 : until]).strip() or None


@lru_cache(maxsize=1440)
def _other_minute(minute: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"\n\[(?!" + minute + rb")(\d\d:\d\d):\d\d")


def _goes_on(first: bytes, midnights: int, clock: int | None) -> bool:
    """Tell whether the time of a block's first line certainly makes no step that matters."""
    if len(first) != TIME_LENGTH:
        return False
    seconds = seconds_of(first)
    if clock is not None and (clock > seconds or (midnights > 0 and clock < _LATE)):
        return False
    return midnights == 0 or seconds >= _LATE


def _is_in_order(data: bytes, first: bytes) -> bool:
    """Tell, without looking at each time, whether certainly no line is of a minute before the one above it.

    It can say so only of layouts whose lines begin with the time in a bracket.
    """
    if not data.startswith(b"\n[" + first):
        return False
    minute, place = first[:5], 0
    while (other := _other_minute(minute).search(data, place)) is not None:
        if other[1] < minute:
            return False
        minute, place = other[1], other.start()
    return True


def _parts(whole: bytes, waiting: Callable[[bytes], int]) -> Iterator[bytes]:
    """Cut *whole*, a line feed and lines, into small blocks of the same kind; none ends where a line's text goes on."""
    start = 0  # at the line feed before the block
    while start < len(whole) - 1:
        part = _part(whole, start, _BLOCK_BYTES, waiting)
        yield part
        start += len(part) - 1


def _segment_at(segments: list[_Segment], line_start: int) -> _Segment:
    if len(segments) == 1:
        return segments[0]
    return segments[bisect_right(segments, line_start - 1, key=lambda segment: segment.offset) - 1]


@cache
def _signs(dialect: Dialect) -> re.Pattern[bytes] | None:
    return re.compile(dialect.signs) if dialect.signs is not None else None


def _shows(dialect: Dialect, text: bytes) -> bool:
    signs = _signs(dialect)
    return signs is not None and signs.match(text) is not None


def _dialect_shown(dialects: tuple[Dialect, ...], message: bytes) -> Dialect:
    return next((each for each in dialects[:-1] if _shows(each, b"message " + message)), dialects[-1])


@cache
def _dialect_by(dialects: tuple[Dialect, ...], software: str) -> Dialect:
    return next((each for each in dialects if software in each.software), dialects[-1])


@lru_cache(maxsize=4096)
def _dialect_of(dialects: tuple[Dialect, ...], thread: bytes, logger: bytes | None) -> Dialect:
    shown = [b"thread " + thread, *([b"logger " + logger] if logger is not None else [])]
    return next((each for each in dialects[:-1] if any(_shows(each, text) for text in shown)), dialects[-1])


def _writer(data: bytes, events: Iterable[LogEvent], lines_before: int) -> Writer:
    """Return what wrote the lines in *data*, where one of them tells; the first one that does decides."""
    of_server = next((event.line_number for event in events if event.kind != "server_software"), None)
    if of_server is not None:
        data = data[: _place_of(data, of_server - lines_before - 1) + 1]
    if find_client(data):
        return "client"
    return "server" if of_server is not None else "unknown"


class _Shown(NamedTuple):
    """What a line's beginning tells of its time, shipper's stamp and own taken together."""

    dated: date | None
    seconds: int
    offset: int | None


def _shown(prefix: re.Match[bytes], scanner: Scanner) -> _Shown:
    """Return the time of a line whose beginning has one.

    Where a log shipper's stamp tells the zone, the server's own is what lies between the two clocks, in quarters of an
    hour. A clock that differs from the shipper's otherwise is wrong, or its line was long under way: the stamp counts.
    """
    seconds = seconds_of(prefix["time"])
    dated = read_date(prefix["date"]) if "date" in scanner.groups and prefix["date"] else None
    if "outer_date" not in scanner.groups or (outer := read_date(prefix["outer_date"])) is None:
        return _Shown(dated, seconds, None)
    zone = _offset_of(prefix["outer_zone"])
    if "outer_time" not in scanner.groups:
        return _Shown(outer, seconds, zone)
    outer_seconds = seconds_of(prefix["outer_time"])
    ahead = (seconds - outer_seconds + _HALF_DAY) % _DAY - _HALF_DAY
    if dated is not None:
        ahead = (dated - outer).days * _DAY + seconds - outer_seconds
    quarters = round(ahead / _QUARTER) * _QUARTER
    if zone is None:
        return _Shown(dated or outer + timedelta(days=(outer_seconds + ahead) // _DAY), seconds, None)
    if abs(ahead - quarters) > _LAG or abs(zone + quarters) > _FARTHEST:
        return _Shown(outer, outer_seconds, zone)
    return _Shown(dated or outer + timedelta(days=(outer_seconds + ahead) // _DAY), seconds, zone + quarters)


_QUARTER = 900
_LAG = 120  # seconds by which a line's time may differ from its shipper's
_FARTHEST = 14 * 3600 + 60  # of a zone from UTC


@lru_cache(maxsize=256)
def _offset_of(zone: bytes | None) -> int | None:
    if zone is None:
        return None
    seconds = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    return -seconds if zone.startswith(b"-") else seconds


def _add(counts: LineCounts, **more: int) -> LineCounts:
    return dataclasses.replace(counts, **{name: getattr(counts, name) + value for name, value in more.items()})
