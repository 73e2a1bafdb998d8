"""The sizes of a world: how much it holds, and which server plays which part in its history."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from pteroassets.simulator.world.chance import DAY, HOUR


class WorldSize(enum.StrEnum):
    """How much a world holds."""

    DEMO = "demo"
    TRUTH = "truth"
    TINY = "tiny"
    SAMPLER = "sampler"
    """One server of each software, and two small networks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A proxy and the servers behind it, by index; *members* by the name the proxy has for them.

    Everybody arrives on the first member and goes on from there.
    """

    proxy: int
    members: tuple[tuple[str, int], ...]


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
    networks: tuple[Network, ...] = ()
    tight_node: str | None = None
    """A node with less memory than its servers may use together."""
    broken_nest: int | None = None
    """A nest whose eggs the panel cannot list any more, since `BROKEN_FOR` before the anchor."""


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

# "Spigot" and "Geyser" are servers of Paper's egg: with another jar, and with a bridge for phones and consoles
KINDS: Final = (
    *("Paper", "Paper", "Vanilla Minecraft", "Forge Minecraft", "Vanilla Minecraft", "Paper"),
    *("Spigot", "Vanilla Minecraft", "Purpur", "Rust", "NeoForge", "Geyser"),
    *("Fabric", "Paper", "Garrys Mod", "Paper", "Mohist", "PocketmineMP"),
    *("Sponge (SpongeVanilla)", "Mumble Server", "Bungeecord", "Vanilla Bedrock", "Paper", "Purpur"),
    *("Velocity", "Paper", "Folia", "Team Fortress 2", "Paper", "Vanilla Minecraft"),
    *("Spigot", "Fabric", "Forge Minecraft", "Rust", "Paper", "Counter-Strike: Global Offensive"),
)
SAMPLES: Final = (
    *("Paper", "Vanilla Minecraft", "Forge Minecraft", "Spigot", "Purpur", "Folia", "Fabric", "NeoForge", "Mohist"),
    *("Sponge (SpongeVanilla)", "Geyser", "Vanilla Bedrock", "PocketmineMP"),
    *("Bungeecord", "Paper", "Purpur", "Velocity", "Paper", "Fabric"),
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
    # what somebody who looks after servers wants to be told of
    2: "short of memory",
    13: "asleep",
    15: "damaged log",
    16: "crash loop",
}
BROKEN_FOR: Final = 2 * DAY
LOOPING_FOR: Final = 30 * HOUR
DAMAGED_BEFORE: Final = 9 * DAY


def _networks(servers: int) -> tuple[Network, ...]:
    """Return the networks among so many servers of `KINDS`."""
    return tuple(
        Network(proxy=first + proxy, members=(("lobby", first + lobby), ("survival", first + survival)))
        for first in range(0, servers, len(KINDS))
        for proxy, lobby, survival in ((20, 22, 23), (24, 25, 26))
        if first + survival < servers
    )


PLANS: Final = {
    WorldSize.DEMO: Plan(
        old_servers=27,
        new_servers=5,
        users=40,
        nodes=("fra-01", "fra-02", "nyc-01", "hel-01"),
        allocations={"fra-01": 60, "fra-02": 60, "nyc-01": 40, "hel-01": 30},
        kinds=KINDS,
        roles=ROLES,
        networks=_networks(27),
        tight_node="hel-01",
        broken_nest=3,
    ),
    WorldSize.TRUTH: Plan(
        old_servers=104,
        new_servers=8,
        users=130,
        nodes=tuple(NODES),
        allocations={"fra-01": 160, "fra-02": 120, "nyc-01": 70, "hel-01": 60, "fra-03": 20},
        kinds=KINDS,
        roles=ROLES,
        networks=_networks(104),
        broken_nest=3,
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
    WorldSize.SAMPLER: Plan(
        old_servers=len(SAMPLES),
        new_servers=0,
        users=12,
        nodes=("fra-01", "nyc-01"),
        allocations={"fra-01": 40, "nyc-01": 30},
        kinds=SAMPLES,
        roles={},
        networks=(
            Network(proxy=13, members=(("lobby", 14), ("survival", 15))),
            Network(proxy=16, members=(("lobby", 17), ("modded", 18))),
        ),
    ),
}
NEW_ROLES: Final = ("installed", "deleted soon", "install failed", "installed", "installed late")

_PLUGINS: Final = ("Survival", "SkyBlock", "Creative", "Anarchy", "Minigames", "RPG", "Factions", "Prison", "Towny")
_MODS: Final = ("Modpack", "Tech and Magic", "Expert Pack", "Create and Trains", "Kitchen Sink")
_PHONES: Final = ("Pocket Survival", "Phones and Consoles", "Block Party", "Kids' Realm")
_PROXY: Final = ("Network", "Gateway", "Entrance", "Crossroads")
WORDS: Final = {
    "Vanilla Minecraft": ("Survival", "Hardcore", "Creative", "Friends' World"),
    "Sponge (SpongeVanilla)": ("Survival", "Towny", "RPG"),
    "Forge Minecraft": _MODS,
    "NeoForge": _MODS,
    "Fabric": _MODS,
    "Mohist": _MODS,
    "Geyser": ("Crossplay Survival", "Crossplay Creative", "Crossplay Minigames"),
    "Vanilla Bedrock": _PHONES,
    "PocketmineMP": _PHONES,
    "Bungeecord": _PROXY,
    "Velocity": _PROXY,
    "Rust": ("Rust Weekly Wipe", "Rust Solo Duo", "Rust Monthly"),
    "Garrys Mod": ("DarkRP", "Prop Hunt", "Trouble in Terrorist Town"),
    "Team Fortress 2": ("Payload", "Dustbowl All Day", "Capture the Flag"),
    "Counter-Strike: Global Offensive": ("Retakes", "Surf", "Deathmatch"),
    "Mumble Server": ("Voice", "Clan Voice", "Raid Voice"),
}
"""What people call servers of a kind; any other kind is a Minecraft server with plugins."""


def names_for(kind: str) -> tuple[str, ...]:
    """Return what servers of *kind* are called."""
    return WORDS.get(kind, _PLUGINS)


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
