"""Which instant a line's stamp means: the date from the file, the zone from the server's owner.

A log shows local time of day. At the end of daylight saving an hour is shown twice, and only the order of the lines
tells which of the two is meant; see `Stamper`.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from pteroassets.sources.minecraft.events import OUT_OF_ORDER_SECONDS, LogEvent, LogStamp, Setback

#: What tells the day of a file's first line.
DateSource = Literal["file_name", "line", "crash_report", "modified_at"]


def date_of_live(modified_at: datetime, zone: ZoneInfo, day_count: int, restarts: Sequence[Setback] = ()) -> date:
    """Return the day of the first line of a growing log.

    Args:
        modified_at: When its last line was written, aware.
        zone: Of the log.
        day_count: Midnights between its first line and its last.
        restarts: Those of them that `Stamper` may take back.

    Raises:
        ValueError: *modified_at* is naive.
    """
    if modified_at.tzinfo is None:
        raise ValueError("the time of a file's last change must be aware")
    last = modified_at.astimezone(zone).date()
    for taken_back in range(len(restarts), 0, -1):
        first = last - timedelta(days=day_count - taken_back)
        if Stamper(first, zone, restarts=restarts).date_of(day_count) == last:
            return first
    return last - timedelta(days=day_count)


class Stamper:
    """Turns stamps of one file into instants.

    A stamp within the hour that is shown twice means the second one if the clock was seen to step back within that
    hour before it, in this file, or if the first one lies before *after*. The parser keeps the step in its state and
    in each event, so stamping needs no memory of its own: any stamp can be turned at any time, with the same result.
    A stamp within the hour that a spring night skips counts as if the clock had not been put forward yet.

    The parser counts a start at an earlier time of day as a new day. That is taken back where both times lie within
    the hour shown twice, and in files that are closed at midnight: there it is a clock that was set back.

    Args:
        log_date: Local day of the file's first line.
        zone: In which the log is written.
        after: The last line's instant of the file before, where it is known; aware.
        restarts: Steps back of the clock at a start that were counted as days.
        is_of_one_day: The file is closed at midnight, as the date in its name tells.
    """

    def __init__(
        self,
        log_date: date,
        zone: ZoneInfo,
        *,
        after: datetime | None = None,
        restarts: Sequence[Setback] = (),
        is_of_one_day: bool = False,
    ) -> None:
        self._log_date = log_date
        self._zone = zone
        self._after = after
        self._midnights: dict[date, tuple[datetime, datetime | None]] = {}
        self._steady: dict[int, tuple[datetime, int] | None] = {}
        self._same_day: list[int] = []  # day counts after which one day less has passed
        for restart in restarts:
            if is_of_one_day or is_shown_again(self.date_of(restart.day), restart, zone):
                self._same_day.append(restart.day)

    def date_of(self, day: int) -> date:
        """Return the local date of the lines for which the parser counts *day* midnights."""
        return self._log_date + timedelta(days=day - bisect_left(self._same_day, day))

    def moment(self, event: LogEvent) -> tuple[datetime, int] | None:
        """Return an event's instant in UTC, and the seconds by which its log's clock is ahead; None without a time.

        It is `stamp` of the event's stamp, in a third of the time: nearly all days have one offset from UTC.
        """
        if event.seconds is None:
            return None
        if event.dated is None and event.offset is None and event.seconds < _DAY_SECONDS:
            if event.day not in self._steady:
                midnight, instant = self._midnight(self.date_of(event.day))
                ahead = None if instant is None else _seconds_between(instant, midnight)
                self._steady[event.day] = None if instant is None or ahead is None else (instant, ahead)
            if (steady := self._steady[event.day]) is not None:
                return steady[0] + timedelta(seconds=event.seconds), steady[1]
        stamp = event.stamp
        assert stamp is not None  # noqa: S101 - it has seconds
        instant, local = self.stamp(stamp)
        return instant, _seconds_between(instant, local)

    def stamp(self, line: LogStamp) -> tuple[datetime, datetime]:
        """Return a line's instant in UTC, and its local time as the log shows it, naive."""
        day = line.dated if line.dated is not None else self.date_of(line.day)
        midnight, instant = self._midnights.get(day) or self._midnight(day)
        since = timedelta(seconds=line.seconds)
        local = midnight + since
        if instant is not None and line.offset is None and since < _DAY:
            return instant + since, local
        if line.offset is not None:
            return (local - timedelta(seconds=line.offset)).replace(tzinfo=UTC), local
        first, second = (local.replace(tzinfo=self._zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if second <= first:
            return first, local
        if self._after is not None and first < self._after - _TOLERANCE and self._after <= second + _TOLERANCE:
            return second, local
        step = line.setback
        is_of_day = step is not None and self.date_of(step.day) == self.date_of(line.day)
        return (second if is_of_day and step is not None and is_shown_again(day, step, self._zone) else first), local

    def _midnight(self, day: date) -> tuple[datetime, datetime | None]:
        """Return the midnight at which *day* begins, and its instant if the clock is not changed until the next one."""
        begin, end = (datetime.combine(one, time()) for one in (day, min(day, date.max - _DAY) + _DAY))
        offsets = {at.replace(tzinfo=self._zone, fold=fold).utcoffset() for at in (begin, end) for fold in (0, 1)}
        steady = begin.replace(tzinfo=self._zone).astimezone(UTC) if len(offsets) == 1 else None
        self._midnights[day] = begin, steady
        return begin, steady


def _seconds_between(instant: datetime, local: datetime) -> int:
    return round((local - instant.replace(tzinfo=None)).total_seconds())


_DAY = timedelta(days=1)
_DAY_SECONDS = 86_400
_TOLERANCE = timedelta(seconds=OUT_OF_ORDER_SECONDS)


def is_shown_again(day: date, step: Setback, zone: ZoneInfo) -> bool:
    """Return whether a step back of the clock on *day* is from within the hour shown twice to within it.

    A step larger than the hour itself is a clock that was set, not the end of daylight saving.
    """
    from_width, to_width = (
        shown_again_for(datetime.combine(day, time()) + timedelta(seconds=seconds), zone)
        for seconds in (step.from_seconds, step.to_seconds)
    )
    return timedelta(seconds=step.from_seconds - step.to_seconds) <= from_width == to_width


def shown_again_for(local: datetime, zone: ZoneInfo) -> timedelta:
    """Return how long after its first showing a local time, naive, is shown again; zero where it is not."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return max(second - first, timedelta(0))


@lru_cache(maxsize=4096)
def is_near_change(day: date, zone: ZoneInfo) -> bool:
    """Return whether an hour is shown twice on *day*, on the one before or on the one after."""
    midnights = [datetime.combine(day + timedelta(days=number), time(), tzinfo=zone) for number in (-1, 0, 1, 2)]
    offsets = [midnight.utcoffset() or timedelta(0) for midnight in midnights]
    return any(later < earlier for earlier, later in itertools.pairwise(offsets))
