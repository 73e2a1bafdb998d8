"""Where each kind of server keeps its logs, and what their names say.

The panel names no game: what its application API tells of a server's egg decides (`place_of`). A kind of server is one
line of `PLACES`. What a file's name tells (`read_name`) the platform and the log tool both ask here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Final, Literal

from pteroassets.sources.minecraft.formats import BUNGEECORD_FAMILY
from pteroassets.sources.minecraft.packing import FOREIGN_SUFFIXES, MAYBE_PACKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Egg:
    """What the panel tells of the kind of a server; empty where it tells nothing.

    Attributes:
        name: Of the egg.
        nest: Name of its nest.
        image: Of the server's container.
        startup: The command as the egg gives it, values not filled in.
        done: What the panel takes for the end of the start.
        files: Names of the configuration files that the egg writes.
    """

    name: str
    nest: str = ""
    image: str = ""
    startup: str = ""
    done: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPlace:
    """Where servers of one kind keep their logs.

    Attributes:
        software: For people.
        folder: From the server's root.
        words: A pattern that tells the kind; searched in the egg's name first, then in what else is known of it.
    """

    software: str
    folder: str
    words: re.Pattern[str]


def _place(software: str, folder: str, words: str) -> LogPlace:
    return LogPlace(software=software, folder=folder, words=re.compile(words, re.IGNORECASE))


DEFAULT_FOLDER: Final = "/logs"
# The first that matches counts: forks of a proxy before the proxy, and Java last, since its names are many and plain.
PLACES: Final = (
    _place("Waterfall", DEFAULT_FOLDER, "|".join(sorted(BUNGEECORD_FAMILY - {"BungeeCord", "Waterdog"}))),
    _place("Velocity", DEFAULT_FOLDER, r"velocity"),
    _place("BungeeCord", "/", r"bungee"),
    _place("WaterdogPE", DEFAULT_FOLDER, r"waterdog"),
    _place("Nukkit", DEFAULT_FOLDER, r"nukkit"),
    _place("PocketMine-MP", "/", r"pocket ?mine|\bpmmp\b"),
    _place("Bedrock Dedicated Server", "/", r"bedrock"),
    _place("Geyser", DEFAULT_FOLDER, r"geyser"),
    _place(
        "Java server",
        DEFAULT_FOLDER,
        r"minecraft|craftbukkit|bukkit|spigot|paper|purpur|folia|pufferfish|forge|fabric|quilt|sponge|mohist|arclight|magma"
        r"|catserver|glowstone|limbo|vanillacord|curseforge|modrinth|feed ?the ?beast|\bftb\b|technic|for help, type"
        r"|server\.properties",
    ),
)
_JAVA: Final = PLACES[-1]
# a mod that is named after Minecraft, or with one of the plain words above, is no server of it
_OTHER_GAMES: Final = re.compile(
    r"\b(?:garry'?s|rust|valheim|terraria|source engine|counter-?strike|mumble|teamspeak\d?)\b", re.IGNORECASE
)


def place_of(egg: Egg) -> LogPlace | None:
    """Return where servers of *egg* keep their logs, or None where it is another game's."""
    if _OTHER_GAMES.search(egg.nest) or _OTHER_GAMES.search(egg.name):
        return None
    known = " ".join((egg.image, egg.startup, egg.done, *egg.files))
    for text in (egg.name, known):
        for place in PLACES:
            if place.words.search(text):
                return place
    return _JAVA if "minecraft" in egg.nest.lower() else None


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


@lru_cache(maxsize=1 << 14)  # a year of a server's logs has names that the other servers' have too
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
    """Return whether a file is a log by its name, of a server or not, packed or not."""
    return _LOG.fullmatch(path.rpartition("/")[2]) is not None


def is_echo(path: str) -> bool:
    """Return whether a file says the same events as the log beside it."""
    return _ECHO.fullmatch(path.rpartition("/")[2]) is not None


def is_archive_name(path: str) -> bool:
    """Return whether a file is an archive of files by its name."""
    return _ARCHIVE.fullmatch(path.rpartition("/")[2]) is not None


def is_foreign_name(path: str) -> bool:
    """Return whether a file is packed, by its name, in a way that nothing here unpacks."""
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
