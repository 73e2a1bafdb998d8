"""What kinds of server software write, where their files lie and how they are rotated: one row for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

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
    startup_seconds: tuple[int, int] = (6, 30)
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


HABITS: Final[dict[Software, Habits]] = {
    "vanilla": Habits(title="Vanilla", version="1.21.4", kept_a_day=7),
    "paper": Habits(title="Paper", version="1.21.4", is_bukkit=True),
    "spigot": Habits(title="Spigot", version="1.12.2", is_bukkit=True),
    "purpur": Habits(title="Purpur", version="1.21.4", is_bukkit=True),
    "folia": Habits(title="Folia", version="1.21.4", is_bukkit=True),
    "fabric": Habits(title="Fabric", version="1.21.1", kept_a_day=7),
    "forge": Habits(
        title="Forge", version="1.20.1", prefix="dated", kept_a_day=7, startup_seconds=(18, 75), has_debug_log=True
    ),
    "neoforge": Habits(
        title="NeoForge", version="1.21.1", prefix="dated", kept_a_day=7, startup_seconds=(18, 75), has_debug_log=True
    ),
    "mohist": Habits(title="Mohist", version="1.20.1", prefix="mohist", startup_seconds=(18, 75), is_bukkit=True),
    "sponge": Habits(title="Sponge", version="1.12.2", prefix="logger", kept_a_day=7),
    "bedrock": Habits(
        title="Bedrock Dedicated Server",
        version="1.21.50.07",
        prefix="bedrock",
        rotation="appended",
        folder="/",
        live_name="Dedicated_Server.txt",
        startup_seconds=(2, 6),
        has_crash_lines=False,
        gives_reasons=False,
        shows_uuids=False,
        keeps_java_accounts=False,
    ),
    "pocketmine": Habits(
        title="PocketMine-MP",
        version="1.21.50",
        prefix="pocketmine",
        rotation="appended",
        folder="/",
        live_name="server.log",
        startup_seconds=(2, 5),
        shows_uuids=False,
        keeps_java_accounts=False,
    ),
    "bungeecord": Habits(
        title="BungeeCord",
        version="1.21-R0.1-SNAPSHOT",
        prefix="bungeecord",
        rotation="sized",
        folder="/",
        live_name="proxy.log",
        startup_seconds=(2, 6),
        is_proxy=True,
        has_crash_lines=False,
        shows_uuids=False,
    ),
    "velocity": Habits(
        title="Velocity",
        version="3.4.0-SNAPSHOT",
        prefix="logger",
        startup_seconds=(2, 6),
        is_proxy=True,
        has_crash_lines=False,
        shows_uuids=False,
    ),
    "none": Habits(title="", version=""),
}
