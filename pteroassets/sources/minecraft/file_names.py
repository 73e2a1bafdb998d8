"""What the name of a file says of it: whether it is a log, whether the server still writes it, and of which day it is.

The platform and the log tool both ask here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from pteroassets.sources.minecraft.packing import FOREIGN_SUFFIXES, MAYBE_PACKED

Numbered = tuple[date, int]  # the day and the number in a file's name
Scheme = Literal["rotated", "server", "proxy", "bedrock"]

# as log4j names closed logs; as a common script names the output of a Bedrock server
_COUNTED = re.compile(r"(\d{4})-(\d\d)-(\d\d)-(\d+)\.log" + MAYBE_PACKED)
_STARTED = re.compile(r"(\d{4})\.(\d\d)\.(\d\d)\.(\d\d\.\d\d\.\d\d)\.log" + MAYBE_PACKED)
_AGED = re.compile(rf"(?:(server)|proxy)\.log(?:\.(\d{{1,4}}))?{MAYBE_PACKED}")
_ECHO = re.compile(rf"(?:debug(?:-\d+)?|(?:fml-server-|ForgeModLoader-server-).+)\.log{MAYBE_PACKED}")
_LOG = re.compile(rf".+\.log(?:\.\d+)?{MAYBE_PACKED}|Dedicated_Server\.txt", re.IGNORECASE)
_ARCHIVE = re.compile(r".+\.(?:tar(?:\.\w{1,4})?|t[gx]z|tbz2?|tzst|zip|7z|rar)", re.IGNORECASE)
_PACKING = re.compile(MAYBE_PACKED + r"\Z")
_REPORT = re.compile(r"crash-(\d{4})-(\d\d)-(\d\d)_(\d\d)\.(\d\d)\.(\d\d)-\w+\.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogName:
    """What a log's name tells.

    Attributes:
        scheme: The way in which the server names its logs.
        is_live: The server still writes to it.
        log_date: Local day of its first line; None where the name does not tell.
        sequence: Its number among those of that day, or the time of day at which it began, as one number.
        is_counted: The sequence is a number among those of the day.
        age: Of files that move up by one at each rotation, the number: the higher, the older.
    """

    scheme: Scheme
    is_live: bool
    log_date: date | None = None
    sequence: int | None = None
    is_counted: bool = True
    age: int | None = None

    @property
    def named(self) -> Numbered | None:
        """The day and the number among the files of that day, where it has both."""
        if self.log_date is None or self.sequence is None or not self.is_counted:
            return None
        return self.log_date, self.sequence


_LIVE = {
    "latest.log": LogName(scheme="rotated", is_live=True),
    "server.log": LogName(scheme="server", is_live=True, age=0),
    "proxy.log.0": LogName(scheme="proxy", is_live=True, age=0),
    "Dedicated_Server.txt": LogName(scheme="bedrock", is_live=True),
}


def read_name(path: str, *, live: str | None = None) -> LogName | None:
    """Return what the name of a file tells, or None where it is none that servers give their logs.

    Args:
        path: Folders before the name say nothing.
        live: The one name that counts, where an operator gave it.
    """
    name = path.rpartition("/")[2]
    if live is not None:
        return LogName(scheme="rotated", is_live=True) if name == live else None
    if name in _LIVE:
        return _LIVE[name]
    if (aged := _AGED.fullmatch(name)) is not None:
        return LogName(scheme="server" if aged[1] else "proxy", is_live=False, age=int(aged[2] or 0))
    counted = _COUNTED.fullmatch(name)
    dated = counted or _STARTED.fullmatch(name)
    if dated is None:
        return None
    year, month, day, sequence = (int(part.replace(".", "")) for part in dated.groups())
    try:
        log_date = date(year, month, day)
    except ValueError:
        return None  # no such day: somebody's own file, not one that log4j named
    return LogName(
        scheme="rotated", is_live=False, log_date=log_date, sequence=sequence, is_counted=counted is not None
    )


def is_log(path: str) -> bool:
    """Tell whether a file is a log by its name, of a server or not, packed or not."""
    return _LOG.fullmatch(path.rpartition("/")[2]) is not None


def is_echo(path: str) -> bool:
    """Tell whether a file says the same events as the log beside it."""
    return _ECHO.fullmatch(path.rpartition("/")[2]) is not None


def is_archive_name(path: str) -> bool:
    """Tell whether a file is an archive of files by its name."""
    return _ARCHIVE.fullmatch(path.rpartition("/")[2]) is not None


def is_foreign_name(path: str) -> bool:
    """Tell whether a file is packed, by its name, in a way that nothing here unpacks."""
    return path.lower().endswith(FOREIGN_SUFFIXES)


def collected_name(path: str, *, live: str | None = None) -> LogName | None:
    """Return the same as `read_name`, but None for a file that the platform leaves where it is.

    That is one that nothing here unpacks, and a copy of the one that grows, whose lines would count twice.
    """
    name = read_name(path, live=live)
    if name is None or (live is None and is_foreign_name(path)):
        return None
    return None if name.age == 0 and not name.is_live else name


def unread_archive(path: str) -> str | None:
    """Say why a packed file in a log folder is not read; None for a file that is, or is not a server's packed log.

    An archive of files counts where it lies in a folder ``logs`` or has ``log`` in its name.

    Args:
        path: With its folders.
    """
    folder, _, name = path.rpartition("/")
    inner = _PACKING.sub("", name, count=1).lower()
    if inner == name.lower() or collected_name(name) is not None:
        return None
    is_archive = is_archive_name(name) and not inner.endswith(".log")
    is_of_logs = folder.rpartition("/")[2] == "logs" or "log" in inner
    if collected_name(inner) is None and not (is_archive and is_of_logs):
        return None  # another program's, as it would be unpacked
    if is_foreign_name(name):
        return "packed in a way that is not unpacked here: unpack it in its folder, or pack it with gzip"
    return "its name does not tell which log it is: unpack it in its folder, with names such as 2026-03-12-1.log.gz"


def moment_of_report(path: str) -> datetime | None:
    """Return the local time, naive, in the name of a crash report ``crash-YYYY-MM-DD_HH.MM.SS-server.txt``."""
    match = _REPORT.fullmatch(path.rpartition("/")[2])
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - no zone is shown
    except ValueError:
        return None
