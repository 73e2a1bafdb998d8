"""The log files of a server: lines with their times, cut into files and rotated as a real server does it.

A file ends at each start of the server and at the first line after local midnight. ``latest.log`` shows what was
written until the instant asked for; closed files are ``YYYY-MM-DD-N.log.gz``. Vanilla and Forge keep seven closed
files a date: the eighth rotation deletes N=1 and moves the others down.
"""

from __future__ import annotations

import gzip
from array import array
from bisect import bisect_right
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from pteroassets.simulator.catalog import Software
from pteroassets.simulator.chance import DAY
from pteroassets.simulator.life import Life, Run
from pteroassets.simulator.lines import lines_of
from pteroassets.simulator.zones import Zone, date_of

_KEPT_A_DAY: Final = {"vanilla": 7, "forge": 7, "paper": 1000, "spigot": 1000}
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(slots=True, kw_only=True)
class Segment:
    """The whole text of one file, with the second and the end of each entry, so that any earlier state is a slice."""

    number: int
    software: Software
    day: int
    first_at: int
    content: bytes
    seconds: array[int]
    ends: array[int]

    def written(self, at: int) -> int:
        """Return how many bytes stood in the file at *at*."""
        count = bisect_right(self.seconds, at)
        return self.ends[count - 1] if count else 0

    def last_at(self, at: int) -> int:
        """Return the second of the last entry at *at*."""
        count = bisect_right(self.seconds, at)
        return self.seconds[count - 1] if count else self.first_at


@dataclass(frozen=True, kw_only=True)
class LogFile:
    """A file of ``/logs`` as it stands at one instant; *modified_at* in seconds since the epoch."""

    name: str
    segment: Segment
    at: int
    modified_at: int
    is_live: bool

    @cached_property
    def content(self) -> bytes:
        """The bytes of the file."""
        if self.is_live:
            return self.segment.content[: self.segment.written(self.at)]
        return _compressed(self.segment)

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self.segment.written(self.at) if self.is_live else len(self.content)


_GZIPPED: OrderedDict[int, tuple[Segment, bytes]] = OrderedDict()
_GZIPPED_KEPT: Final = 4096


def _compressed(segment: Segment) -> bytes:
    # keyed by identity, which stands as long as the kept reference does
    known = _GZIPPED.get(id(segment))
    if known is None:
        known = (segment, gzip.compress(segment.content, compresslevel=6, mtime=0))
        _GZIPPED[id(segment)] = known
        while len(_GZIPPED) > _GZIPPED_KEPT:
            _GZIPPED.popitem(last=False)
    return known[1]


class ServerLogs:
    """The log files of one server over time."""

    def __init__(self, life: Life, *, seed: int, zone: Zone, flood_at: int) -> None:
        self._life = life
        self._seed = seed
        self._zone = zone
        self._flood_at = flood_at
        self._segments: list[Segment] = []
        self._rendered = 0

    def segments(self, until: int) -> list[Segment]:
        """Return every file that was begun at or before *until*, oldest first."""
        runs = self._life.runs(until)
        for run in runs[self._rendered :]:
            self._segments += self._render(run)
        self._rendered = max(self._rendered, len(runs))
        return self._segments[: bisect_right([segment.first_at for segment in self._segments], until)]

    def files(self, at: int) -> list[LogFile]:
        """Return the files in ``/logs`` at *at*: the closed ones oldest first, then ``latest.log``."""
        segments = self.segments(at)
        if not segments:
            return []
        *closed, live = segments
        by_day: dict[int, list[tuple[Segment, int]]] = defaultdict(list)
        for segment, following in zip(closed, segments[1:], strict=True):
            by_day[segment.day].append((segment, following.first_at))
        files = []
        for day, group in by_day.items():
            kept = group[-_KEPT_A_DAY[live.software] :]
            files += [
                LogFile(
                    name=f"{date_of(day)}-{number}.log.gz", segment=segment, at=at, modified_at=closed_at, is_live=False
                )
                for number, (segment, closed_at) in enumerate(kept, start=1)
            ]
        files.append(LogFile(name="latest.log", segment=live, at=at, modified_at=live.last_at(at), is_live=True))
        return files

    def _render(self, run: Run) -> list[Segment]:
        zone = self._zone
        segments: list[Segment] = []
        parts: list[bytes] = []
        day = -1
        millis, previous = 0, -1
        dates: dict[int, str] = {}
        for at, thread, logger, text in lines_of(run, seed=self._seed, zone=zone, flood_at=self._flood_at):
            local = at + zone.offset(at)
            today, clock = divmod(local, DAY)
            if today > day:
                if segments:
                    segments[-1].content = b"".join(parts)
                parts = []
                day = today
                segments.append(
                    Segment(
                        number=len(self._segments) + len(segments),
                        software=run.software,
                        day=day,
                        first_at=at,
                        content=b"",
                        seconds=array("q"),
                        ends=array("q"),
                    )
                )
            stamp = f"{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}"
            if run.software == "forge":
                millis = min(millis + 31, 999) if at == previous else 7 + at % 400
                previous = at
                shown = dates.get(today)
                if shown is None:
                    date = date_of(today)
                    shown = dates[today] = f"{date.day:02}{_MONTHS[date.month - 1]}{date.year}"
                entry = f"[{shown} {stamp}.{millis:03}] [{thread}] [{logger}]: {text}\n".encode()
            else:
                entry = f"[{stamp}] [{thread}]: {text}\n".encode()
            parts.append(entry)
            segment = segments[-1]
            segment.seconds.append(at)
            segment.ends.append((segment.ends[-1] if segment.ends else 0) + len(entry))
        if segments:
            segments[-1].content = b"".join(parts)
        return segments
