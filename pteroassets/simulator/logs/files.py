"""The log files of a server: lines with their times, cut into files and rotated as a real server does it.

Most servers end a file at each start and at the first line after local midnight: ``latest.log`` shows what was written
until the instant asked for; closed files are ``YYYY-MM-DD-N.log.gz``. Some keep seven closed files a date: the eighth
rotation deletes N=1 and moves the others down. BungeeCord goes on in ``proxy.log.0`` until it is full, and moves all
files up by one then; PocketMine-MP and the Bedrock Dedicated Server append to one file for ever.
"""

from __future__ import annotations

import gzip
from array import array
from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import groupby
from typing import Final

from pteroassets.simulator.logs.lines import Line
from pteroassets.simulator.logs.other_lines import every_line_of
from pteroassets.simulator.world.chance import DAY
from pteroassets.simulator.world.life import Run
from pteroassets.simulator.world.software import HABITS, Prefix, Software
from pteroassets.simulator.world.zones import Zone, date_of

FULL_BYTES: Final = 256 * 1024
"""At how many bytes a ``proxy.log.0`` is full: 16 MiB in a real one, less here so that weeks fill some."""

_NUMBERED_KEPT: Final = 8
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(slots=True, kw_only=True)
class Segment:
    """A piece of a file: what one run, or one day of one, wrote.

    The second and the end of each entry make any earlier state a slice. *file_number* counts the files of the server;
    *offset* is how many bytes of the file come before.
    """

    number: int
    file_number: int
    offset: int
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
    """A log file as it stands at one instant; *modified_at* in seconds since the epoch.

    *segments* are its pieces in order; *is_live* tells whether it still grows, *is_compressed* whether it is a gzip
    archive.
    """

    name: str
    segments: tuple[Segment, ...]
    at: int
    modified_at: int
    is_live: bool
    is_compressed: bool = False
    folder: str = "/logs"

    @property
    def segment(self) -> Segment:
        """The last piece."""
        return self.segments[-1]

    @cached_property
    def content(self) -> bytes:
        """The bytes of the file."""
        if self.is_compressed:
            return _compressed(self.segment)
        whole = b"".join(segment.content for segment in self.segments[:-1])
        return whole + self.segment.content[: self.segment.written(self.at)]

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self.content) if self.is_compressed else self.segment.offset + self.segment.written(self.at)


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
    """The log files of one server over time; *runs* gives its runs until an instant."""

    def __init__(self, runs: Callable[[int], list[Run]], *, seed: int, zone: Zone, flood_at: int) -> None:
        self._runs = runs
        self._seed = seed
        self._zone = zone
        self._flood_at = flood_at
        self._segments: list[Segment] = []
        self._rendered = 0

    def segments(self, until: int) -> list[Segment]:
        """Return every piece that was begun at or before *until*, oldest first."""
        runs = self._runs(until)
        for run in runs[self._rendered :]:
            lines = every_line_of(run, seed=self._seed, zone=self._zone, flood_at=self._flood_at)
            self._segments += _render(run, self._zone, lines, self._segments[-1] if self._segments else None)
        self._rendered = max(self._rendered, len(runs))
        return self._segments[: bisect_right([segment.first_at for segment in self._segments], until)]

    def files(self, at: int, *, with_deleted: bool = False) -> list[LogFile]:
        """Return the log files at *at*: the closed ones oldest first, then the one that grows.

        With *with_deleted* also those that the rotation deleted, as somebody has them who read them in time.
        """
        segments = self.segments(at)
        if not segments:
            return []
        habits = HABITS[segments[-1].software]
        if habits.rotation == "daily":
            return _daily(segments, at, kept=len(segments) if with_deleted else habits.kept_a_day)
        groups = [tuple(group) for _, group in groupby(segments, key=lambda segment: segment.file_number)]
        if habits.rotation == "sized" and not with_deleted:
            groups = groups[-_NUMBERED_KEPT:]
        return [
            LogFile(
                name=f"{habits.live_name}.{age}" if habits.rotation == "sized" else habits.live_name,
                segments=group,
                at=at,
                modified_at=group[-1].last_at(at),
                is_live=age == 0,
                folder=habits.folder,
            )
            for age, group in zip(range(len(groups) - 1, -1, -1), groups, strict=True)
        ]


def _daily(segments: list[Segment], at: int, *, kept: int) -> list[LogFile]:
    *closed, live = segments
    by_day: dict[int, list[tuple[Segment, int]]] = defaultdict(list)
    for segment, following in zip(closed, segments[1:], strict=True):
        by_day[segment.day].append((segment, following.first_at))
    files = [
        LogFile(
            name=f"{date_of(day)}-{number}.log.gz",
            segments=(segment,),
            at=at,
            modified_at=closed_at,
            is_live=False,
            is_compressed=True,
        )
        for day, group in by_day.items()
        for number, (segment, closed_at) in enumerate(group[-kept:], start=1)
    ]
    files.append(LogFile(name="latest.log", segments=(live,), at=at, modified_at=live.last_at(at), is_live=True))
    return files


class _Pen:
    """Writes the entries of one run into pieces of files; *last* is the piece before, if any."""

    def __init__(self, software: Software, last: Segment | None) -> None:
        self._software = software
        self._last = last
        self._number = 0 if last is None else last.number + 1
        self._parts: list[bytes] = []
        self.made: list[Segment] = []
        self.file_bytes = 0 if last is None else last.offset + len(last.content)

    def begin(self, day: int, at: int, *, opens_file: bool) -> None:
        """Begin a piece, of a new file or of the one before."""
        self.close()
        last = self.made[-1] if self.made else self._last
        if opens_file or last is None:
            file_number, self.file_bytes = (0 if last is None else last.file_number + 1), 0
        else:
            file_number = last.file_number
        self.made.append(
            Segment(
                number=self._number + len(self.made),
                file_number=file_number,
                offset=self.file_bytes,
                software=self._software,
                day=day,
                first_at=at,
                content=b"",
                seconds=array("q"),
                ends=array("q"),
            )
        )

    def write(self, at: int, entry: bytes) -> None:
        """Append *entry* to the piece that was begun."""
        segment = self.made[-1]
        self._parts.append(entry)
        self.file_bytes += len(entry)
        segment.seconds.append(at)
        segment.ends.append(self.file_bytes - segment.offset)

    def close(self) -> None:
        """End the piece that was begun."""
        if self.made:
            self.made[-1].content = b"".join(self._parts)
            self._parts = []


def _render(run: Run, zone: Zone, lines: list[Line], last: Segment | None) -> list[Segment]:
    """Return the pieces of files that the *lines* of *run* come to."""
    rotation = run.habits.rotation
    prefix = _PREFIXES[run.habits.prefix]
    pen = _Pen(run.software, last)
    day = -1
    millis, previous, today, clock = 0, -1, 0, ""
    for at, thread, logger, text in lines:
        if at == previous:
            millis = min(millis + 31, 999)
        else:
            today, seconds = divmod(at + zone.offset(at), DAY)
            clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
            millis, previous = 7 + at % 400, at
        # what no thread wrote was printed before there was a log to write to
        entry = f"{prefix(today, clock, millis, thread, logger) if thread else ''}{text}\n".encode()
        if day < 0:
            pen.begin(today, at, opens_file=rotation == "daily")
            day = today
        if (rotation == "daily" and today > day) or (
            rotation == "sized" and pen.file_bytes and pen.file_bytes + len(entry) > FULL_BYTES
        ):
            pen.begin(today, at, opens_file=True)
            day = today
        pen.write(at, entry)
    pen.close()
    return pen.made


def _short(_day: int, clock: str, _millis: int, thread: str, _name: str) -> str:
    return f"[{clock}] [{thread}]: "


def _logger(_day: int, clock: str, _millis: int, thread: str, logger: str) -> str:
    return f"[{clock}] [{thread}] [{logger.rstrip('/')}]: " if logger else f"[{clock}] [{thread}]: "


@cache
def _worded(day: int) -> str:
    date = date_of(day)
    return f"{date.day:02}{_MONTHS[date.month - 1]}{date.year}"


@cache
def _iso(day: int) -> str:
    return date_of(day).isoformat()


def _dated(day: int, clock: str, millis: int, thread: str, logger: str) -> str:
    return f"[{_worded(day)} {clock}.{millis:03}] [{thread}] [{logger}]: "


def _mohist(day: int, clock: str, millis: int, thread: str, logger: str) -> str:
    name, _, level = thread.rpartition("/")
    *folders, place = (logger.rstrip("/") or "org.bukkit.craftbukkit.CraftServer").split(".")
    short = ".".join([*(folder[0] for folder in folders), place])
    return f"{_iso(day)} {clock},{millis:03} {level:5} [{name}] {short}.m_{len(place)}352_(656): "


def _bungeecord(_day: int, clock: str, _millis: int, level: str, _name: str) -> str:
    return f"{clock} [{level}] "


def _bedrock(day: int, clock: str, millis: int, level: str, _name: str) -> str:
    return f"[{_iso(day)} {clock}:{millis:03} {level}] "


def _pocketmine(day: int, clock: str, millis: int, thread: str, _name: str) -> str:
    return f"{_iso(day)} [{clock}.{millis:03}] [{thread}]: "


_PREFIXES: Final[dict[Prefix, Callable[[int, str, int, str, str], str]]] = {
    "short": _short,
    "logger": _logger,
    "dated": _dated,
    "mohist": _mohist,
    "bungeecord": _bungeecord,
    "bedrock": _bedrock,
    "pocketmine": _pocketmine,
}
