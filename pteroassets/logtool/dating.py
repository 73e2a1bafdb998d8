"""When a server's lines were written: local stamps where the log tells the date, days counted from 0 where it does not.

Sessions are built on instants, so lines without a date or without any time get instants too: their order is right, and
`text_of` gives none of them away as a date that the log does not show.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pteroassets.logtool.finding import Candidate
from pteroassets.logtool.parsing import ParsedFile
from pteroassets.sources.minecraft import dates
from pteroassets.sources.minecraft.dates import Stamper, date_of_live, is_shown_again
from pteroassets.sources.minecraft.events import OUT_OF_ORDER_SECONDS, LogEvent, LogStamp, Setback

DateSource = Literal[dates.DateSource, "given"]

# years that no log shows: before the first dated file of a history, and after
_BEFORE = date(2, 1, 1)
_AFTER = date(9000, 1, 1)
_UTC = ZoneInfo("UTC")
_FIRST_OF_LOGS = 1970
_UNTIMED = datetime(1, 1, 1, tzinfo=UTC)
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DateRules:
    """Where to take the date of a log from that does not show it.

    Attributes:
        zone: In which the logs are written; None where it is not known.
        given: Local day of the first line of the first file that shows none.
        by_modification: Count from the day of a file's last change.
    """

    zone: ZoneInfo | None = None
    given: date | None = None
    by_modification: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDate:
    """The day of a file's first line: a date, or one of the days that are counted from 0."""

    day: date
    source: DateSource | None  # None: counted

    @property
    def known(self) -> date | None:
        """The date, where there is one."""
        return self.day if self.source is not None else None


def dates_of(files: Sequence[tuple[Candidate, ParsedFile]], rules: DateRules) -> list[FileDate | None]:
    """Return the day of each file of one history, in its order; None for files that show no time at all."""
    found: list[FileDate | None] = []
    own = [_own_date(candidate, parsed, rules) for candidate, parsed in files]
    last: tuple[FileDate, Stamper, LogStamp] | None = None  # of the undated file before, and its last line
    for index, (_, parsed) in enumerate(files):
        first, end, dated = parsed.state.first, parsed.state.last, own[index]
        if first is None or end is None:
            found.append(None)
            continue
        if dated is not None:
            found.append(dated)
            continue
        if last is not None:
            day = _day_after(*last, first, rules)
        elif rules.given is not None:
            day = FileDate(day=rules.given, source="given")
        else:
            is_before = any(later is not None for later in own[index:])
            day = FileDate(day=_BEFORE if is_before else _AFTER, source=None)
        found.append(day)
        last = (day, _stamper(day, parsed, rules.zone), end)
    return found


def _day_after(before: FileDate, stamper: Stamper, last: LogStamp, first: LogStamp, rules: DateRules) -> FileDate:
    """Return the day of a file whose first line follows *last*: earlier in the day means a later one."""
    day = stamper.date_of(last.day)
    step = Setback(last.day, last.seconds, first.seconds)
    is_earlier = last.seconds - first.seconds >= OUT_OF_ORDER_SECONDS
    if is_earlier and not is_shown_again(day, step, _zone_of(before, rules.zone)):
        day += timedelta(days=1)
    return dataclasses.replace(before, day=day)


def _zone_of(day: FileDate, zone: ZoneInfo | None) -> ZoneInfo:
    # days that are counted lie in no zone: an hour that is shown twice is one of a certain date
    return zone if zone is not None and day.source is not None else _UTC


def _stamper(day: FileDate, parsed: ParsedFile, zone: ZoneInfo | None, *, after: datetime | None = None) -> Stamper:
    return Stamper(
        day.day,
        _zone_of(day, zone),
        after=after,
        restarts=parsed.state.restarts,
        is_of_one_day=day.source == "file_name",
    )


def _own_date(candidate: Candidate, parsed: ParsedFile, rules: DateRules) -> FileDate | None:
    state = parsed.state
    # dated lines are stamped by their own dates, so these are the source even where the name shows one too
    if state.first_date is not None and state.first_date_source == "line":
        return FileDate(day=state.first_date, source="line")
    if candidate.log_date is not None:
        return FileDate(day=candidate.log_date, source="file_name")
    if state.first_date is not None:
        return FileDate(day=state.first_date, source="crash_report")
    if rules.by_modification and rules.given is None and (parsed.modified_at or not candidate.is_stream):
        modified = parsed.modified_at or datetime.fromtimestamp(Path(candidate.path).stat().st_mtime, tz=UTC)
        if rules.zone is None:
            return FileDate(day=modified.astimezone().date() - timedelta(days=state.day), source="modified_at")
        return FileDate(day=date_of_live(modified, rules.zone, state.day, state.restarts), source="modified_at")
    return None


class Timeline:
    """The instants of one file's lines.

    Args:
        day: Of its first line; None where no line shows a time.
        parsed: The file.
        zone: Of its stamps, where it is known.
        place: Of the file in its history.
        after: The instant of the last line of the file before.
    """

    def __init__(
        self, day: FileDate | None, parsed: ParsedFile, *, zone: ZoneInfo | None, place: int, after: datetime | None
    ) -> None:
        after = after if after is not None and scale(after) == "dated" else None
        self._stamper = _stamper(day, parsed, zone, after=after) if day is not None else None
        self._start = _UNTIMED + timedelta(days=place)
        # most logs: without hours that are shown twice, a time is but a sum
        self._is_sum = day is not None and _zone_of(day, zone) == _UTC
        # without a zone all times are told as the logs show them
        self._heeds_offsets = zone is not None

    def instants(self, events: Iterable[LogEvent]) -> Iterator[tuple[datetime, LogEvent]]:
        """Yield each of one file's *events* with its instant; without a time it only tells the place of the line."""
        before = self._start
        for event in events:
            if event.seconds is not None and self._stamper is not None:
                if self._is_sum and (event.offset is None or not self._heeds_offsets):
                    day = event.dated if event.dated is not None else self._stamper.date_of(event.day)
                    before = _midnight(day) + timedelta(seconds=event.seconds)
                elif (stamp := event.stamp) is not None:
                    before = self._stamper.stamp(stamp)[0]
                yield before, event
            else:
                # never a whole second, which is what tells it from a time that was shown
                number = event.line_number + (event.line_number - 1) // (_MICROSECONDS - 1)
                yield before + timedelta(microseconds=number), event

    def end(self, stamp: LogStamp | None) -> datetime | None:
        """Return the instant of the first or the last line."""
        if stamp is None or self._stamper is None:
            return None
        shown = stamp if self._heeds_offsets else dataclasses.replace(stamp, offset=None)
        return self._stamper.stamp(shown)[0]


Scale = Literal["dated", "counted_before", "counted_after", "untimed"]


def scale(instant: datetime) -> Scale:
    """Tell what an instant is counted from: two of the same scale, unless untimed, can be subtracted."""
    if instant.microsecond:
        return "untimed"
    if instant.year >= _AFTER.year:
        return "counted_after"
    return "counted_before" if instant.year < _FIRST_OF_LOGS else "dated"


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return how long it was from *start* to *end*, where the log tells it."""
    if start is None or end is None or scale(start) == "untimed" or scale(start) != scale(end):
        return None
    return (end - start).total_seconds()


def text_of(instant: datetime | None, zone: ZoneInfo) -> str | None:
    """Return a time as the log shows it: a local stamp, a day counter with a time of day, or None."""
    if instant is None:
        return None
    match scale(instant):
        case "dated":
            return instant.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")
        case "counted_before":
            return _counted(instant, _BEFORE)
        case "counted_after":
            return _counted(instant, _AFTER)
        case "untimed":
            return None


def _counted(instant: datetime, start: date) -> str:
    return f"day {(instant.date() - start).days} {instant:%H:%M:%S}"


@lru_cache(maxsize=1024)
def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
