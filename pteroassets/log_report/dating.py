"""When a server's lines were written: local stamps where the log tells the date, days counted from 0 where it does not.

Sessions are built on instants, so lines without a date or without any time get instants too: their order is right, and
`text_of` gives none of them away as a date that the log does not show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pteroassets.log_report.columns import Row
from pteroassets.log_report.finding import Candidate
from pteroassets.log_report.parsing import ParsedFile
from pteroassets.sources.minecraft.dates import Stamper, date_of_live
from pteroassets.sources.minecraft.events import LogStamp

DateSource = Literal["file_name", "line", "crash_report", "given", "modified_at"]

# years that no log shows: before the first dated file of a history, and after
_BEFORE = date(2, 1, 1)
_AFTER = date(9000, 1, 1)
_UTC = ZoneInfo("UTC")
_FIRST_OF_LOGS = 1970
_UNTIMED = datetime(1, 1, 1, tzinfo=UTC)
_STEP_BACK = 120  # seconds; lines of several threads are written a second or so out of order
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
    last: tuple[date, LogStamp, DateSource | None] | None = None  # of the undated file before
    for index, (_, parsed) in enumerate(files):
        first, end, dated = parsed.state.first, parsed.state.last, own[index]
        if first is None or end is None:
            found.append(None)
            continue
        if dated is not None:
            found.append(dated)
            continue
        if last is not None:
            day, before, source = last
        elif rules.given is not None:
            day, before, source = rules.given, first, "given"
        else:
            day = _BEFORE if any(later is not None for later in own[index:]) else _AFTER
            before, source = first, None
        # a file that begins earlier in the day than the one before it ended is of a later day
        if before.seconds - first.seconds >= _STEP_BACK:
            day += timedelta(days=1)
        found.append(FileDate(day=day, source=source))
        last = (day + timedelta(days=end.day), end, source)
    return found


def _own_date(candidate: Candidate, parsed: ParsedFile, rules: DateRules) -> FileDate | None:
    state = parsed.state
    # dated lines are stamped by their own dates, so these are the source even where the name shows one too
    if state.first_date is not None and state.first_date_source == "line":
        return FileDate(day=state.first_date, source="line")
    if candidate.log_date is not None:
        return FileDate(day=candidate.log_date, source="file_name")
    if state.first_date is not None:
        return FileDate(day=state.first_date, source="crash_report")
    if rules.by_modification and rules.given is None and not candidate.is_stream:
        modified = datetime.fromtimestamp(Path(candidate.path).stat().st_mtime, tz=UTC)
        if rules.zone is None:
            return FileDate(day=modified.astimezone().date() - timedelta(days=state.day), source="modified_at")
        return FileDate(day=date_of_live(modified, rules.zone, state.day), source="modified_at")
    return None


class Timeline:
    """The instants of one file's lines.

    Args:
        day: Of its first line; None where no line shows a time.
        zone: Of its stamps.
        place: Of the file in its history.
        after: The instant of the last line of the file before.
    """

    def __init__(self, day: FileDate | None, *, zone: ZoneInfo, place: int, after: datetime | None) -> None:
        # days that are counted lie in no zone: an hour that is shown twice is one of a certain date
        in_zone = zone if day is not None and day.source is not None else _UTC
        after = after if after is not None and scale(after) == "dated" else None
        self._stamper = Stamper(day.day, in_zone, after=after) if day is not None else None
        self._start = _UNTIMED + timedelta(days=place)
        self._first_day = day.day if day is not None and in_zone == _UTC else None

    def instants(self, events: Iterable[Row]) -> Iterator[tuple[datetime, Row]]:
        """Yield each of one file's *events* with its instant; without a time it only tells the place of the line."""
        before = self._start
        for event in events:
            if event.seconds is not None and self._first_day is not None:
                # most logs: without hours that are shown twice, a time is but a sum
                day = event.dated if event.dated is not None else self._first_day + timedelta(days=event.day)
                before = _midnight(day) + timedelta(seconds=event.seconds)
                yield before, event
            elif event.seconds is not None and self._stamper is not None:
                before = self._stamper.stamp(_stamp(event, event.seconds))[0]
                yield before, event
            else:
                # never a whole second, which is what tells it from a time that was shown
                number = event.line_number + (event.line_number - 1) // (_MICROSECONDS - 1)
                yield before + timedelta(microseconds=number), event

    def end(self, stamp: LogStamp | None) -> datetime | None:
        """Return the instant of the first or the last line."""
        return self._stamper.stamp(stamp)[0] if stamp is not None and self._stamper is not None else None


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


def _stamp(line: Row, seconds: int) -> LogStamp:
    return LogStamp(day=line.day, seconds=seconds, dated=line.dated, setback=line.setback)
