"""Where each kind of server keeps its logs.

The panel names no game: what its application API tells of a server's egg decides (`place_of`). A kind of server is one
line of `PLACES`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pteroassets.sources.minecraft.formats import BUNGEECORD_FAMILY


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
