"""How each kind of server software writes, where its files lie and how they are rotated (``software.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, Literal, cast

Software = Literal[
    "vanilla",
    "paper",
    "spigot",
    "purpur",
    "folia",
    "fabric",
    "forge",
    "neoforge",
    "mohist",
    "sponge",
    "bedrock",
    "pocketmine",
    "bungeecord",
    "velocity",
    "none",
]
"""How a server writes its log; ``none`` is a game that is not Minecraft."""

Prefix = Literal["short", "logger", "dated", "mohist", "bungeecord", "bedrock", "pocketmine"]
Rotation = Literal["daily", "sized", "appended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How one software writes.

    *title* is what its makers call it, *version* the game's (a proxy's: its own) as its start lines show it. *rotation*
    ``daily`` closes a file at each start and midnight (``YYYY-MM-DD-N.log.gz``, *kept_a_day* of them), ``sized`` at a
    number of bytes (``NAME.0``, ``NAME.1`` …, the oldest last), ``appended`` never. *gives_reasons*: its departure
    lines say why.
    """

    title: str
    version: str
    prefix: Prefix = "short"
    rotation: Rotation = "daily"
    folder: str = "/logs"
    live_name: str = "latest.log"
    kept_a_day: int = 1000
    startup_seconds: Sequence[int] = (6, 30)
    is_bukkit: bool = False
    is_proxy: bool = False
    has_debug_log: bool = False
    has_crash_lines: bool = True
    gives_reasons: bool = True
    shows_uuids: bool = True
    keeps_java_accounts: bool = True

    @property
    def is_common(self) -> bool:
        """Whether a world holds many servers of it, so that each may crash rarely."""
        return self.title in {"Vanilla", "Paper", "Spigot", "Forge"}


_ROWS = tomllib.loads(files(__package__).joinpath("software.toml").read_text(encoding="utf-8"))
HABITS: Final[dict[Software, Habits]] = {
    **{cast("Software", name): Habits(**row) for name, row in _ROWS.items()},
    "none": Habits(title="", version=""),
}
