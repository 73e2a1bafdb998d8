"""A plain reader of the simulated logs, written for the tests alone: it shares nothing with the project's parser."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pteroassets.simulator.logs import LogFile
from pteroassets.simulator.zones import date_of

_PREFIX = re.compile(
    r"^\[(?:\d\d[A-Z][a-z]{2}\d{4} )?(\d\d):(\d\d):(\d\d)(?:\.\d{3})?\] \[[^\]]+\](?: \[[^\]]*\])?: (.*)$"
)
_LOGIN = re.compile(r"^([\w]{1,16})\[/.+:\d+\] logged in with entity id \d+ at \(")
_GONE = re.compile(r"^([\w]{1,16}) (?:lost connection: (.*)|left the game)$")


class Happening(NamedTuple):
    at: datetime
    kind: str
    player: str
    reason: str | None


def text_of(file: LogFile) -> str:
    return (file.content if file.is_live else gzip.decompress(file.content)).decode()


def messages(file: LogFile, zone: ZoneInfo) -> Iterator[tuple[datetime, str]]:
    """Yield each entry's instant and message; an hour that repeats is told by clocks that step back."""
    day = date_of(file.segment.day)
    previous: datetime | None = None
    fold = 0
    for line in text_of(file).splitlines():
        found = _PREFIX.match(line)
        if found is None:
            continue
        hour, minute, second = (int(part) for part in found.groups()[:3])
        local = datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001 - its zone comes next
        if previous is not None and local < previous - timedelta(minutes=10):
            fold = 1
        previous = local
        yield local.replace(tzinfo=zone, fold=fold), found.group(4)


def happenings(files: list[LogFile], zone: ZoneInfo) -> Iterator[Happening]:
    """Yield entries and departures of players, and the starts of the server."""
    for file in files:
        for at, message in messages(file, zone):
            if found := _LOGIN.match(message):
                yield Happening(at, "login", found.group(1), None)
            elif found := _GONE.match(message):
                yield Happening(at, "gone", found.group(1), found.group(2))
            elif message.startswith("Starting minecraft server version "):
                yield Happening(at, "start", "", None)
