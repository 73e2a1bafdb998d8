"""Parse a log in blocks of bytes: the parser sees every line, but Python handles only the few of interest.

Path of the data::

    block --whole lines--> clean --_lines--> times, counts --_candidates--> messages.read_message --> LogEvent

All passes over a block are single calls into ``re`` or ``bytes``. A parser can be left and taken up again at a line's
end: its `ParserState` is all it knows, and the cuts between blocks never show in what it returns.
"""

from __future__ import annotations

import dataclasses
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any, NamedTuple

from pteroassets.sources.minecraft.events import PARSER_VERSION, LogEvent, LogStamp, Setback
from pteroassets.sources.minecraft.formats import (
    BOM,
    FORMATS,
    LogFormat,
    classify,
    clean,
    find_format,
    is_server_log,
    read_date,
)
from pteroassets.sources.minecraft.messages import ANCHORS, CANDIDATE, CHAT_THREAD, IGNORED, decode, read_message

__all__ = ["LineCounts", "LogParser", "ParserState", "classify", "is_server_log"]

_BLOCK_BYTES = 4 << 20
_DAY = 86_400
_HALF_DAY = _DAY // 2
_STEP = 120  # lines of several threads are written a second or so out of order; a clock that is set moves further
_LATE = 5  # the same at midnight, where the order of lines tells the day


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCounts:
    """How many lines were read, and what became of them; the four kinds add up to *lines*."""

    lines: int = 0
    understood: int = 0  # gave an event, or the software
    ignored: int = 0  # of a kind known to say nothing, or a look-alike refused by rule
    unknown: int = 0
    continuations: int = 0  # no prefix: belongs to the line before


@dataclass(frozen=True, slots=True, kw_only=True)
class ParserState:
    """What the parser must know to go on after the last whole line."""

    parser_version: str = PARSER_VERSION
    bytes_consumed: int = 0
    counts: LineCounts = dataclasses.field(default_factory=LineCounts)
    format_name: str | None = None
    first: LogStamp | None = None  # of the first line with a time
    last: LogStamp | None = None
    software: str | None = None
    game_version: str | None = None

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
        values |= {"software": self.software, "game_version": self.game_version}
        values["counts"] = dataclasses.asdict(self.counts)
        for name, stamp in (("first", self.first), ("last", self.last)):
            values[name] = stamp and {
                "day": stamp.day,
                "seconds": stamp.seconds,
                "dated": stamp.dated and stamp.dated.isoformat(),
                "setback": stamp.setback and list(stamp.setback),
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
            )

        return cls(
            bytes_consumed=values["bytes_consumed"],
            counts=LineCounts(**values["counts"]),
            format_name=values["format_name"],
            first=stamp(values["first"]),
            last=stamp(values["last"]),
            software=values["software"],
            game_version=values["game_version"],
        )


class _Scanner(NamedTuple):
    """The patterns of one layout."""

    starts: re.Pattern[bytes]  # all lines, with their times
    flagged: re.Pattern[bytes]  # those with a message of a kind to ignore
    candidates: re.Pattern[bytes]
    prefix: re.Pattern[bytes]
    ignored: re.Pattern[bytes]


@cache
def _scanner(format_: LogFormat) -> _Scanner:
    prefix = format_.scan_prefix
    return _Scanner(
        starts=re.compile(prefix),
        flagged=re.compile(prefix.replace(rb"(?P<time>", rb"(?:") + rb"()(?=" + IGNORED + rb")"),
        candidates=re.compile(prefix + CANDIDATE),
        prefix=re.compile(format_.prefix),
        ignored=re.compile(IGNORED),
    )


class _Segment(NamedTuple):
    """The lines from *offset* on lie on *day*, after *setback*."""

    offset: int
    day: int
    setback: Setback | None


class LogParser:
    """Turns blocks of a log, cut anywhere, into events.

    Args:
        state: Where to go on; the next block begins at its ``bytes_consumed``.
        keep_text: Keep the players' own words: chat, commands, names of items.
    """

    def __init__(self, state: ParserState | None = None, *, keep_text: bool = False) -> None:
        self._state = state if state is not None else ParserState()
        self._keep_text = keep_text
        self._rest: list[bytes] = []  # the beginning of a line whose end has not come yet
        names = {format_.name: format_ for format_ in FORMATS}
        self._format = names[self._state.format_name] if self._state.format_name is not None else None

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
        """The server program, where a line names it."""
        return self._state.software

    @property
    def game_version(self) -> str | None:
        """The version of the game that the last start line shows."""
        return self._state.game_version

    def feed(self, block: bytes) -> list[LogEvent]:
        """Return the events of the lines that *block* ends; what follows its last line feed waits for the next."""
        end = block.rfind(b"\n") + 1
        if not end:
            if block:
                self._rest.append(block)
            return []
        self._rest.append(block[:end])
        whole = b"".join(self._rest)
        self._rest = [block[end:]] if end < len(block) else []
        return [event for part in _parts(whole) for event in self._read(part, size=len(part))]

    def finish(self) -> list[LogEvent]:
        """Return the events of a last line without a line feed: the file is closed, so it will not grow."""
        line = b"".join(self._rest)
        self._rest = []
        return self._read(line + b"\n", size=len(line)) if line else []

    def _read(self, block: bytes, *, size: int) -> list[LogEvent]:
        """Read a block of whole lines that takes *size* bytes in the file."""
        state = self._state
        count = block.count(b"\n")
        if state.bytes_consumed == 0:
            block = block.removeprefix(BOM)
        data = b"\n" + clean(block)
        if self._format is None:
            self._format = find_format(data)
        if self._format is None:
            self._state = dataclasses.replace(
                state,
                bytes_consumed=state.bytes_consumed + size,
                counts=_add(state.counts, lines=count, continuations=count),
            )
            return []
        scanner = _scanner(self._format)
        # two passes for single values are faster than one for pairs, whose tuples the garbage collector would follow
        times: list[bytes] = scanner.starts.findall(data)
        flagged = len(scanner.flagged.findall(data))
        segments = self._walk(data, times, scanner) if times else []
        first, last = self._ends(data, times, segments, scanner)
        self._state = dataclasses.replace(
            state,
            bytes_consumed=state.bytes_consumed + size,
            format_name=self._format.name,
            first=first if first is not None else state.first,
            last=last if last is not None else state.last,
        )
        events, understood, ignored = self._events(data, segments, scanner, line_number=state.lines)
        self._state = dataclasses.replace(
            self._state,
            counts=_add(
                state.counts,
                lines=count,
                continuations=count - len(times),
                understood=understood,
                ignored=flagged + ignored,
                unknown=len(times) - understood - flagged - ignored,
            ),
        )
        return events

    def _walk(self, data: bytes, times: list[bytes], scanner: _Scanner) -> list[_Segment]:
        """Return where in *data* a new day begins or the clock steps back; the first segment begins at 0."""
        last = self._state.last
        start = _Segment(0, last.day, last.setback) if last is not None else _Segment(0, 0, None)
        previous = last.seconds if last is not None else _seconds(times[0])
        if previous <= _seconds(times[0]) and (start.day == 0 or previous >= _LATE) and times == sorted(times):
            return [start]
        changes: list[tuple[int, int, Setback | None]] = []  # number of the line, day and setback from there on
        day, setback = start.day, start.setback
        for number, text in enumerate(times):
            seconds = _seconds(text)
            if day > 0 and previous < _LATE and seconds >= _DAY - _LATE:
                # a thread that was late at midnight: this line alone belongs to the day before
                changes += [(number, day - 1, setback), (number + 1, day, setback)]
                continue
            if previous - seconds > _HALF_DAY:
                day += 1
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
        self, data: bytes, times: list[bytes], segments: list[_Segment], scanner: _Scanner
    ) -> tuple[LogStamp | None, LogStamp | None]:
        """Return the stamps of the first and the last line with a time."""
        if not times:
            return None, None
        first = self._state.first
        if (
            first is None
            and (line := scanner.starts.search(data))
            and (prefix := scanner.prefix.match(data, line.start() + 1))
        ):
            first = self._stamp(prefix, segments)
        last, end = None, len(data) - 1
        while last is None:
            end = data.rfind(b"\n", 0, end)
            last = scanner.prefix.match(data, end + 1)
        return first, self._stamp(last, segments)

    def _stamp(self, prefix: re.Match[bytes], segments: list[_Segment]) -> LogStamp:
        segment = _segment_at(segments, prefix.start())
        return LogStamp(
            day=segment.day, seconds=_seconds(prefix["time"]), dated=_dated(prefix), setback=segment.setback
        )

    def _events(
        self, data: bytes, segments: list[_Segment], scanner: _Scanner, *, line_number: int
    ) -> tuple[list[LogEvent], int, int]:
        """Return the events, the number of lines understood, and of those refused that no rule ignores already."""
        events: list[LogEvent] = []
        understood = ignored = counted_to = 0
        for start in _candidates(data, scanner):
            prefix = scanner.prefix.match(data, start + 1)
            if prefix is None:
                continue
            line_number += data.count(b"\n", counted_to, start + 1)
            counted_to = start + 1
            begin = prefix.end()
            thread = prefix["thread"] if "thread" in prefix.re.groupindex else None
            logger = prefix["logger"] if "logger" in prefix.re.groupindex else None
            reading = read_message(
                data[begin : data.index(b"\n", begin)], thread=thread, logger=logger, keep_text=self._keep_text
            )
            is_flagged = scanner.ignored.match(data, begin) is not None
            if reading is None:
                # chat that is none, a mod's own logger: refused on purpose, unlike a line that we cannot read
                is_refused = bool(logger) or (thread is not None and thread.startswith(CHAT_THREAD))
                ignored += is_refused and not is_flagged
                continue
            understood += 1
            ignored -= is_flagged
            if reading.kind is None:
                self._state = dataclasses.replace(self._state, software=reading.software)
                continue
            if reading.kind == "server_start" and reading.detail is not None:
                self._state = dataclasses.replace(self._state, game_version=str(reading.detail["game_version"]))
            segment = _segment_at(segments, start + 1)
            events.append(
                LogEvent(
                    line_number=line_number,
                    day=segment.day,
                    seconds=_seconds(prefix["time"]),
                    dated=_dated(prefix),
                    setback=segment.setback,
                    kind=reading.kind,
                    player=reading.player,
                    player_uuid=reading.player_uuid,
                    detail=reading.detail,
                )
            )
        return events, understood, ignored


def _candidates(data: bytes, scanner: _Scanner) -> list[int]:
    """Return the places of the line feeds before the lines that may be of interest, in order."""
    starts = {match.start() for match in scanner.candidates.finditer(data)}
    for anchor in ANCHORS:
        place = data.find(anchor)
        while place >= 0:
            starts.add(data.rfind(b"\n", 0, place))
            place = data.find(anchor, data.index(b"\n", place))
    return sorted(starts)


def _parts(whole: bytes) -> Iterator[bytes]:
    """Cut whole lines into blocks of some MiB, so that memory does not grow with what is fed."""
    start = 0
    while start < len(whole):
        end = whole.find(b"\n", start + _BLOCK_BYTES - 1) + 1 or len(whole)
        yield whole[start:end]
        start = end


def _segment_at(segments: list[_Segment], line_start: int) -> _Segment:
    if len(segments) == 1:
        return segments[0]
    return segments[bisect_right(segments, line_start - 1, key=lambda segment: segment.offset) - 1]


def _dated(prefix: re.Match[bytes]) -> date | None:
    return _date(prefix["date"]) if "date" in prefix.re.groupindex else None


@lru_cache(maxsize=64)
def _date(text: bytes) -> date | None:
    return read_date(decode(text))


def _seconds(text: bytes) -> int:
    return int(text[:2]) * 3600 + int(text[3:5]) * 60 + int(text[6:])


def _add(counts: LineCounts, **more: int) -> LineCounts:
    return dataclasses.replace(counts, **{name: getattr(counts, name) + value for name, value in more.items()})
