"""Where each kind of server keeps its logs, and which files there are logs.

The panel names no game: what its application API tells of a server's egg decides (`place_of`). A kind of server is one
line of `PLACES`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from pteroassets.sources.minecraft.dates import date_of_file
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LogName:
    """What a log's name tells.

    Attributes:
        is_live: The server still writes to it.
        log_date: Local day of its first line; None where the name does not tell.
        sequence: Its number among those of that day.
        age: For files that move up by one at each rotation, the number: the higher, the older.
    """

    is_live: bool
    log_date: date | None = None
    sequence: int | None = None
    age: int = 0


_LIVE = frozenset({"latest.log", "server.log", "proxy.log.0", "Dedicated_Server.txt"})
_NUMBERED = re.compile(r"(?:server|proxy)\.log\.(\d{1,4})" + MAYBE_PACKED)


_ARCHIVE = re.compile(r".+\.(?:tar(?:\.\w{1,4})?|t[gx]z|tbz2?|tzst|zip|7z|rar)", re.IGNORECASE)
_PACKING = re.compile(MAYBE_PACKED + r"\Z")


def unread_archive(path: str) -> str | None:
    """Say why a packed file in a log folder is not read; None for a file that is, or is not a server's packed log.

    An archive of files counts where it lies in a folder ``logs`` or has ``log`` in its name.

    Args:
        path: With its folders.
    """
    folder, _, name = path.rpartition("/")
    inner = _PACKING.sub("", name, count=1).lower()
    if inner == name.lower() or read_name(name) is not None:
        return None
    is_archive = _ARCHIVE.fullmatch(name) is not None and not inner.endswith(".log")
    is_of_logs = folder.rpartition("/")[2] == "logs" or "log" in inner
    if read_name(inner) is None and not (is_archive and is_of_logs):
        return None  # another program's, as it would be unpacked
    if name.lower().endswith(FOREIGN_SUFFIXES):
        return "packed in a way that is not unpacked here: unpack it in its folder, or pack it with gzip"
    return "its name does not tell which log it is: unpack it in its folder, with names such as 2026-03-12-1.log.gz"


def read_name(name: str, *, live: str | None = None) -> LogName | None:
    """Return what the name of a file in a log folder tells, or None where it is no server's log.

    Args:
        name: Without folders.
        live: The one name that counts, where an operator gave it.
    """
    if live is not None:
        return LogName(is_live=True) if name == live else None
    if name.lower().endswith(FOREIGN_SUFFIXES):
        return None
    if name in _LIVE:
        return LogName(is_live=True)
    if (dated := date_of_file(name)) is not None:
        return LogName(is_live=False, log_date=dated[0], sequence=dated[1])
    if (numbered := _NUMBERED.fullmatch(name)) is not None:
        return LogName(is_live=False, age=int(numbered[1]))
    return None
