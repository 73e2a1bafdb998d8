"""The sizes of a world: how much it holds, and which server plays which part in its history."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from pteroassets.simulator.chance import DAY


class WorldSize(enum.StrEnum):
    """How much a world holds."""

    DEMO = "demo"
    TRUTH = "truth"
    TINY = "tiny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The numbers behind a size."""

    old_servers: int
    new_servers: int
    users: int
    nodes: tuple[str, ...]
    allocations: dict[str, int]
    kinds: tuple[str, ...]
    roles: dict[int, str]


# name: location, zone, memory, disk
NODES: Final = {
    "fra-01": (1, "Europe/Berlin", 131072, 1048576),
    "fra-02": (1, "Europe/Berlin", 131072, 1048576),
    "nyc-01": (2, "America/New_York", 98304, 786432),
    "hel-01": (3, "UTC", 65536, 524288),
    "fra-03": (1, "Europe/Berlin", 32768, 262144),
}
LOCATIONS: Final = (("eu.fra", "Frankfurt, Germany"), ("us.nyc", "New York City, United States"), ("eu.hel", None))
MOVABLE: Final = {"fra-01": "fra-02", "fra-02": "fra-01"}
MAINTENANCE_NODE: Final = "fra-03"

KINDS: Final = (
    *("Paper", "Paper", "Vanilla Minecraft", "Forge Minecraft", "Vanilla Minecraft", "Paper"),
    *("Spigot", "Vanilla Minecraft", "Paper", "Rust", "Forge Minecraft", "Paper"),
    *("Vanilla Minecraft", "Paper", "Garrys Mod", "Paper", "Forge Minecraft", "Team Fortress 2"),
    *("Spigot", "Mumble Server", "Paper", "Bungeecord", "Vanilla Minecraft", "Rust"),
)
ROLES: Final = {
    1: "resized",
    3: "suspended for days",
    4: "egg changed",
    5: "moved",
    6: "suspended for good",
    7: "deleted",
    8: "unlimited",
    9: "resized",
    10: "restored",
    11: "owner changed",
    12: "moved",
}
PLANS: Final = {
    WorldSize.DEMO: Plan(
        old_servers=24,
        new_servers=6,
        users=40,
        nodes=("fra-01", "fra-02", "nyc-01", "hel-01"),
        allocations={"fra-01": 60, "fra-02": 60, "nyc-01": 40, "hel-01": 30},
        kinds=KINDS,
        roles=ROLES,
    ),
    WorldSize.TRUTH: Plan(
        old_servers=104,
        new_servers=8,
        users=130,
        nodes=tuple(NODES),
        allocations={"fra-01": 160, "fra-02": 120, "nyc-01": 70, "hel-01": 60, "fra-03": 20},
        kinds=KINDS,
        roles=ROLES,
    ),
    WorldSize.TINY: Plan(
        old_servers=5,
        new_servers=2,
        users=8,
        nodes=("fra-01", "nyc-01"),
        allocations={"fra-01": 14, "nyc-01": 10},
        kinds=("Paper", "Vanilla Minecraft", "Forge Minecraft", "Spigot", "Rust", "Paper", "Vanilla Minecraft"),
        roles={1: "resized", 2: "suspended for days", 3: "owner changed"},
    ),
}
NEW_ROLES: Final = ("installed", "deleted soon", "install failed", "installed", "installed late")

WORDS: Final = (
    "Survival",
    "SkyBlock",
    "Creative",
    "Modded",
    "Anarchy",
    "Hardcore",
    "Lobby",
    "Minigames",
    "RPG",
    "Factions",
)
FIRST: Final = ("Mira", "Søren", "Liam", "Priya", "Yuki", "Omar", "Chloé", "Jonas", "Nguyễn", "Zoë", "Ivan", "Amara")
LAST: Final = (
    "Lund",
    "Silva",
    "Okafor",
    "Jensen",
    "Rossi",
    "Novák",
    "Dubois",
    "Haddad",
    "Kim",
    "O'Neil",
    "Weiß",
    "Costa",
)
PERMISSIONS: Final = (
    *("websocket.connect", "control.console", "control.start", "control.stop", "control.restart"),
    *("file.read", "file.read-content", "user.read", "backup.read", "activity.read"),
)
LATER_STEP: Final = 4 * DAY
