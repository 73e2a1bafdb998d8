"""Parse a log in blocks of bytes: the parser sees every line, but Python handles only the few of interest.

Path of the data::

    block --whole lines--> clean --scan--> counts, candidates --messages.read_message--> LogEvent

All passes over a block are single calls into numpy, ``re`` or ``bytes``. A parser can be left and taken up again at a
line's end: its `ParserState` is all it knows, and the cuts between blocks never show in what it returns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from typing import Any

from pteroassets.sources.minecraft.blocks import (
    BLOCK_BYTES,
    DAY,
    GOING_ON,
    HALF_DAY,
    MOST_WAITING,
    Days,
    change_of_layout,
    cleaned,
    cut,
    cut_up,
    ends_of,
    first_dated_of,
    first_shipped,
    last_lines,
    place_of,
    segments_of,
    shown,
    surely_ends,
    text_behind,
    waiting_bytes,
)
from pteroassets.sources.minecraft.events import Detail, LineCounts, LogEvent, ParserState, Setback, Writer
from pteroassets.sources.minecraft.formats import (
    ALL_FORMATS,
    LogFormat,
    dialect_by,
    dialect_of,
    dialect_shown,
    find_format,
    format_at,
    rank_of_software,
)
from pteroassets.sources.minecraft.intake import find_client
from pteroassets.sources.minecraft.messages import CHAT_THREAD, Dialect, Reading, is_foreign, read_message, readings_of
from pteroassets.sources.minecraft.places import moment_of_report
from pteroassets.sources.minecraft.reasons import plain_reason
from pteroassets.sources.minecraft.scan import (
    IGNORED,
    SAYS_NOTHING,
    Candidate,
    Scan,
    Scanner,
    clock_of,
    scan,
    scanner_of,
)
from pteroassets.sources.minecraft.shippers import find_shipped, possible_beginnings, unwrap
from pteroassets.sources.minecraft.text import (
    BOM,
    LONGEST_LINE,
    UTF_16_BOM,
    Lines,
    clean,
    shorten_lines,
    strip_escapes,
    strip_mark,
)

_LOADING = 600  # seconds from the first line of a run, a loader's, to its start line


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
        starts = partial(self._starts, whole)  # seldom asked for
        # where bytes were dropped, the place in the file would be wrong if a line waited
        waiting = self._waiting(whole, starts) if not dropped else 0
        if waiting:
            whole, line = whole[:-waiting], whole[-waiting:]
            self._keep(line)
        self._keep(block[end:])
        if len(whole) <= 2 * BLOCK_BYTES:
            return self._read(whole, size=len(whole) - 1 + dropped) if len(whole) > 1 else []
        parts = cut_up(whole, lambda lines: self._waiting(lines, starts))
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
        head = whole[: whole.rfind(b"\n", 0, MOST_WAITING) + 1]
        data = clean(b"\n" + strip_mark(head[1:])) if head else b"\n"
        found = find_format(data)
        if found is None:
            data = clean(b"\n" + strip_mark(whole[1:]))
            found = find_format(data)
        if found is None or find_shipped(data, 0, found[1] + 1) is not None:
            head = data[: data.rfind(b"\n", 0, MOST_WAITING) + 1] or data
            found = find_format(unwrap(head).data)
        return scanner_of(found[0]).starts if found is not None else None

    def _waiting(self, whole: bytes, starts: Callable[[], re.Pattern[bytes] | None]) -> int:
        """Return the length of the last lines of *whole* whose text may go on in lines to come, else 0."""
        start = whole.find(b"\n", max(0, len(whole) - MOST_WAITING))
        if start >= 0 and surely_ends(whole, start):
            return 0
        fits = scanner_of(self._format).prefix if self._format is not None else None
        if not self._state.is_shipped and find_shipped(whole, start, but=fits) is None:
            return waiting_bytes(whole, starts)
        last = unwrap(whole[start:])
        if self._state.is_shipped or self._format is None:
            waiting = waiting_bytes(last.data, starts)
            lines = last.data.count(b"\n", len(last.data) - waiting)
        else:  # a shipper's lines may begin here, and the first of them may come in parts
            lines = whole.count(b"\n", len(whole) - waiting_bytes(whole, starts))
        lines = max(last.open_lines, lines)
        place = len(whole) - 1
        for _ in range(lines):
            place = whole.rfind(b"\n", 0, place)
        return len(whole) - 1 - place

    def _read(self, block: bytes, *, size: int | None = None) -> list[LogEvent]:
        """Read a line feed and whole lines, which take *size* bytes in the file: by default as many as are given."""
        self._state = self._state.copy()  # whoever has the one of before keeps it as it was
        consumed = self._state.bytes_consumed
        size = len(block) - 1 if size is None else size
        raw = block if consumed else b"\n" + strip_mark(block[1:]) if block[1:2] in _MARKS else block
        data, lines = cleaned(unwrap(raw).data if self._state.is_shipped else raw)
        place = 0
        if self._format is None:
            place = self._find_layout(data, raw)
            if place > 0 and self._format is not None:
                data, lines = data[place:], lines.behind(place)
        events = self._read_layouts(data, lines) if self._format is not None else []
        shipped = self._shipped_from
        if shipped is not None:
            self._shipped_from = None
            self._know(is_shipped=True)
            behind, lines = cleaned(unwrap(last_lines(raw, shipped)).data)
            if self._format is None and (place := self._find_layout(behind, behind)) > 0:
                behind, lines = behind[place:], lines.behind(place)
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
            raw = strip_escapes(raw if found is None else raw[: place_of(raw, lines) + 1])
            shipped = first_shipped(raw, lines)
            if shipped is not None:
                found = None
                self._shipped_from = data.count(b"\n") - 1 - shipped
                place = place_of(data, shipped)
        before = data.count(b"\n", 0, place)
        self._know(counts=self._state.counts.plus(lines=before, continuations=before))
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
            part = data if step >= len(data) - start == len(data) else cut(data, start, step, self._waits(scanner))
            part_lines = lines if part is data else Lines(part)
            found = scan(part, part_lines, scanner)
            places = (start + place for place in possible_beginnings(part_lines, found.others))
            change = change_of_layout(data, places, is_shipped=self._state.is_shipped)
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
        return lambda lines: waiting_bytes(lines, lambda: scanner.starts)

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
        clock_of_lines = found.clock if found.clock is not None else clock_of(data, scanner)
        days = Days(segments_of(clock_of_lines, len(data), state))
        events, ignored = self._events(data, found.candidates, days, scanner)
        first, last, clock = ends_of(data, days.all(), scanner, state.first)
        self._know(
            clock=clock if clock is not None else state.clock,
            first=first if first is not None else state.first,
            last=last if last is not None else state.last,
        )
        if state.first_dated is None and scanner.has_date and last is not None:
            self._know(first_dated=first_dated_of(data, days.all(), scanner))
        ignored += found.ignored
        if state.is_of == "unknown":
            self._know(is_of=_writer(data, events, state.lines))
        self._know(
            counts=state.counts.plus(
                lines=found.lines,
                continuations=found.lines - found.entries,
                understood=len(events),
                ignored=ignored,
                unknown=found.entries - len(events) - ignored,
            ),
        )
        return events

    def _events(
        self, data: bytes, candidates: list[Candidate], days: Days, scanner: Scanner
    ) -> tuple[list[LogEvent], int]:
        """Return the events, one for each line understood, and how many candidates are to be ignored after all.

        A start at an earlier time of day begins a new day, which is added to *days*.
        """
        events: list[LogEvent] = []
        new = tuple.__new__
        accounted: set[int] = set()
        note_unknown = self._note_unknown
        ignored = 0
        state = self._state
        before = state.lines
        keep_text = self._keep_text
        dialects = self._format.dialects if self._format is not None else ()
        software: str | None = None
        spoken: Dialect | None = None
        dialect = dialects[-1]
        known = readings_of(dialect, False, keep_text)
        may_be_folia = state.software in (None, _VANILLA)
        is_named_anew = True
        (_, day, setback), until, seen = days.here, days.until, state.setback_seen
        for number, start, seconds, thread, logger, shows, message in candidates:
            if is_named_anew:
                is_named_anew, software = False, state.software
                spoken = dialect_by(dialects, software) if software is not None else None
                if spoken is not None:
                    dialect, known = spoken, readings_of(spoken, False, keep_text)
            if spoken is None:
                one = dialect_shown(dialects, message) if thread is None else dialect_of(dialects, thread, logger)
                if one is not dialect:
                    dialect, known = one, readings_of(one, False, keep_text)
            if logger is None and (thread is None or not thread.startswith(CHAT_THREAD)):
                reading = known[message]
            else:
                reading = read_message(message, dialect, thread, logger, keep_text=keep_text)
            if reading is None:
                # chat that is none, a mod's own logger: refused on purpose, unlike a line that we cannot read
                is_chat = thread is not None and thread.startswith(CHAT_THREAD)
                if is_chat or (logger is not None and is_foreign(logger)) or SAYS_NOTHING[message]:
                    ignored += 1
                    accounted.add(start)
                continue
            if note_unknown is not None:
                accounted.add(start)
            kind, player, player_uuid, detail, is_sponge, is_claim = reading
            if start >= until:
                _, day, setback = days.at(start)
                until = days.until
            if is_claim and not self._is_of_start(message, reading, dialect, day, seconds):
                ignored += 1
                accounted.add(start)
                continue
            if is_notable := kind in _NOTABLE or is_sponge or software is None:
                goes_on = False
                is_telling = is_sponge or (software is None and dialect.default_software is not None)
                if kind in _MAY_GO_ON:
                    goes_on = message.endswith(GOING_ON)
                    is_telling |= goes_on
                elif kind in _TELLING:
                    is_telling = True
                elif kind in _ENTRIES and state.names_until != _STARTED:
                    self._know(names_until=_STARTED)
                if is_telling:
                    going_on = text_behind(data, data.index(b"\n", start + 1), scanner) if goes_on else None
                    detail = self._look_at(reading, dialect, going_on, has_logger=logger is not None)
                    is_named_anew = state.software != software
                    may_be_folia = state.software in (None, _VANILLA)
            if may_be_folia and thread is not None and thread.startswith(_FOLIAS):
                # which gives its threads such names, and may not have said so
                self._know(software="Folia")
                is_named_anew, may_be_folia = True, False
                detail = {**(detail or {}), "software": "Folia"}
            dated = offset = None
            time = seconds
            if seconds is None:
                self._know(has_times=False)
            elif shows is not None:
                dated, time, offset = (shows, seconds, None) if isinstance(shows, date) else shown(shows, scanner)
            if setback is not None and kind != "server_software":
                if kind == "server_start" and dated is None and self._is_next_day(seconds, day, setback):
                    self._know(restarts=(*state.restarts, setback))
                    days.add(start)
                    day += 1
                if setback is not seen:
                    seen = setback
                    self._know(setback_seen=setback)
            parts = (before + number, day, time, kind, dated, setback, player, player_uuid, detail, offset)
            events.append(new(LogEvent, parts))  # in half of the time that its own __new__ takes
            if is_notable and kind == "server_crash":
                self._note_report(events[-1])
            elif is_notable and kind == "server_start":
                self._know(names_until=day * DAY + (seconds or 0) + _STARTING_SECONDS)
        if note_unknown is not None:
            for line in scanner.starts.finditer(data):
                begin = line.end()
                if line.start() not in accounted and IGNORED.match(data, begin) is None:
                    note_unknown(data[begin : data.index(b"\n", begin)])
        return events, ignored

    def _is_of_start(self, message: bytes, reading: Reading, dialect: Dialect, day: int, seconds: int | None) -> bool:
        """Return whether a line that can name any program is one of a start: plugins say the like to everybody.

        Where the log shows no start, the answer to ``/version`` is believed, which names the game's version or a
        program of the dialect, unless another line has named one.
        """
        until = self._state.names_until
        if until is not None and day * DAY + (seconds or 0) <= until:
            return True
        is_named = until is not None and self._state.software not in (None, _VANILLA)
        is_known = (reading.detail or {}).get("software") in dialect.software
        return not is_named and (is_known or _NAMES_VERSION.search(message) is not None)

    def _is_next_day(self, seconds: int | None, day: int, setback: Setback) -> bool:
        """Return whether a start line comes right after the clock stepped back: then it is of a later day.

        Lines of a loader may come before it, but no event.
        """
        is_new = setback != self._state.setback_seen and setback.day == day
        return is_new and seconds is not None and abs(seconds - setback.to_seconds) <= _LOADING

    def _know(self, **values: Any) -> None:
        state, change = self._state, object.__setattr__
        for name, value in values.items():  # of a copy that `_read` has made: a new one each time takes far longer
            change(state, name, value)

    def _look_at(self, reading: Reading, dialect: Dialect, going_on: str | None, *, has_logger: bool) -> Detail | None:
        """Take from a reading what is known of the whole log from then on, and return its detail with what follows."""
        state = self._state
        known = state.software
        if reading.kind == "server_stop" and known is not None:
            if state.names_until is not None:
                self._know(names_until=None)
            return reading.detail
        detail = dict(reading.detail or {})
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
                is_vanilla = state.game_version is not None and not has_logger
                named = state.software or (_VANILLA if is_vanilla else None)
                if named is not None:
                    detail["software"] = named
                self._know(software=named, software_is="running", names_until=_STARTED)
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
        was_before = event.seconds is not None and seconds - event.seconds > HALF_DAY
        self._know(report_date=named.date(), report_day=event.day - was_before)


_MARKS = frozenset({BOM[:1], UTF_16_BOM[:1]})  # what a mark of the order of bytes begins with
_VANILLA = "Vanilla"  # never names itself: a server without another name is this one
_THROWN = re.compile(r"(?:\A|^Caused by: )((?:[\w$]+\.)+[\w$]+)(?=:|$)", re.MULTILINE)
_TELLING = frozenset({"server_software", "server_start", "server_ready", "server_stop"})  # of the whole log
_ENTRIES = frozenset({"player_login", "player_spawn", "player_join", "player_switch", "fake_login"})
_STARTING_SECONDS = 1800  # the largest packs of mods take a quarter of an hour
_STARTED = -1  # the server is ready, or somebody has entered
_NAMES_VERSION = re.compile(rb"\(MC: |\(Implementing API|for Minecraft \d")
_FOLIAS = (b"Region Scheduler Thread #", b"Region shutdown thread")
_MAY_GO_ON = frozenset({"server_crash", "player_lost_connection", "login_refused"})  # in the next line
_NOTABLE = _TELLING | _ENTRIES | _MAY_GO_ON  # kinds of events that may tell more than what the line says
_FIRST_STEP = 1 << 8  # bytes behind a change of the layout that are looked at
_GROWTH = 4


def _writer(data: bytes, events: Iterable[LogEvent], lines_before: int) -> Writer:
    """Return what wrote the lines in *data*, where one of them tells; the first one that does decides."""
    of_server = next((event.line_number for event in events if event.kind != "server_software"), None)
    if of_server is not None:
        data = data[: place_of(data, of_server - lines_before - 1) + 1]
    if find_client(data):
        return "client"
    return "server" if of_server is not None else "unknown"
