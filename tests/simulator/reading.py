"""A plain reader of the simulated logs, written for the tests alone: it shares nothing with the project's parser."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pteroassets.simulator.logs.files import LogFile
from pteroassets.simulator.world.zones import date_of

_TIME = r"(?P<time>\d\d:\d\d:\d\d)"
_ISO = r"(?P<date>\d{4}-\d\d-\d\d)"
_PREFIXES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\[(?:\d\d[A-Z][a-z]{{2}}\d{{4}} )?{_TIME}(?:\.\d{{3}})?\] \[[^\]]+\](?: \[[^\]]*\])?: ",
        rf"{_ISO} {_TIME},\d{{3}} [A-Z]+ +\[[^\]]+\] \S+\(\d+\): ",
        rf"\[{_ISO} {_TIME}:\d{{3}} [A-Z]+\] ",
        rf"{_ISO} \[{_TIME}\.\d{{3}}\] \[[^\]]+\]: ",
        rf"{_TIME} \[[A-Z]+\] ",
    )
)
_NAME = r"([.\w ]{1,40})"
_MESSAGES = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("login", rf"{_NAME}\[/.+:\d+\] logged in with entity id \d+ (?:at|in world\(0\) at) \("),
        ("login", rf"Player connected: {_NAME}, xuid: \d+$"),
        ("login", rf"\[{_NAME}\] <-> ServerConnector \[\w+\] has connected$"),
        ("login", rf"\[server connection\] {_NAME} -> \w+ has connected$"),
        ("gone", rf"{_NAME} (?:lost connection: (.*)|left the game)$"),
        ("gone", rf"{_NAME}\[/.+:\d+\] logged out due to (.*)$"),
        ("gone", rf"Player disconnected: {_NAME}, xuid: \d+"),
        ("gone", rf"\[{_NAME}\] disconnected with: (.*)$"),
        ("gone", rf"\[{_NAME}\] -> UpstreamBridge (?:has disconnected|- (read timed out))$"),
        ("gone", rf"\[connected player\] {_NAME} \(/.+\) has disconnected(?:: (.*))?$"),
        ("gone", rf"\[connected player\] {_NAME} \(/.+\): (?:kicked from server \w+: (.*)|read timed out)$"),
        ("start", r"(?:Starting minecraft server version |Starting Server$|Starting Minecraft: Bedrock)()"),
        ("start", r"(?:Enabled BungeeCord version |Booting up Velocity )()"),
    )
)

_HINT = re.compile(r"logged |connected|has left|left the|lost |timed out|kicked|[Ss]tarting |Enabled |Booting ")


class Happening(NamedTuple):
    at: datetime
    kind: str
    player: str
    reason: str | None


def text_of(file: LogFile) -> str:
    return (gzip.decompress(file.content) if file.is_compressed else file.content).decode()


def messages(file: LogFile, zone: ZoneInfo) -> Iterator[tuple[datetime, str]]:
    """Yield each entry's instant and message; an hour that repeats is told by clocks that step back."""
    day = date_of(file.segments[0].day)
    previous: datetime | None = None
    fold = 0
    text = text_of(file)
    prefix = next(prefix for prefix in _PREFIXES if any(prefix.match(line) for line in text.splitlines()[:3]))
    for line in text.splitlines():
        found = prefix.match(line)
        if found is None:
            continue
        parts = found.groupdict()
        shown = day
        if parts.get("date"):
            shown = date.fromisoformat(parts["date"])
        local = datetime.fromisoformat(f"{shown} {parts['time']}")
        if previous is not None and local < previous - timedelta(hours=12):
            day += timedelta(days=1)  # the file bears no dates, and midnight has passed
            local += timedelta(days=1)
        elif previous is not None and local < previous - timedelta(minutes=10):
            fold = 1
        if previous is not None and local.date() != previous.date():
            fold = 0
        previous = local
        yield local.replace(tzinfo=zone, fold=fold), line[found.end() :]


def happenings(files: list[LogFile], zone: ZoneInfo) -> Iterator[Happening]:
    """Yield entries and departures of players, and the starts of the server."""
    for file in files:
        for at, message in messages(file, zone):
            if not _HINT.search(message):
                continue
            for kind, pattern in _MESSAGES:
                if found := pattern.match(message):
                    reason = found.group(2) if pattern.groups > 1 else None
                    yield Happening(at, kind, found.group(1), reason)
                    break
