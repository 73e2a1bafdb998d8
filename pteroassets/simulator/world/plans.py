"""The sizes of a world (``plans.toml``): how much it holds, and which server plays which part in its history."""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final

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
class Machine:
    """What a node is: the number of its location, and what it has."""

    location: int
    zone: str
    memory: int
    disk: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The numbers behind a size."""

    old_servers: int
    new_servers: int
    users: int
    allocations: Mapping[str, int]
    """How many each of its nodes has."""
    kinds: tuple[str, ...]
    roles: Mapping[int, str]
    machines: Mapping[str, Machine] = field(default_factory=lambda: NODES)
    """What its nodes are, by name; may hold others too."""
    networks: tuple[Network, ...] = ()
    tight_node: str | None = None
    """A node with less memory than its servers may use together."""
    broken_nest: int | None = None
    """A nest whose eggs the panel cannot list any more, since `BROKEN_FOR` before the anchor."""
    has_leaving_owner: bool = False
    """Whether one user owns what is deleted and nothing else."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of its nodes."""
        return tuple(self.allocations)


_DATA = tomllib.loads(files(__package__).joinpath("plans.toml").read_text(encoding="utf-8"))
NODES: Final[dict[str, Machine]] = {name: Machine(**node) for name, node in _DATA["nodes"].items()}
LOCATIONS: Final = tuple((place["short"], place.get("long")) for place in _DATA["locations"])
MOVABLE: Final[Mapping[str, str]] = _DATA["movable"]
MAINTENANCE_NODE: Final[str] = _DATA["maintenance_node"]
NEW_ROLES: Final[list[str]] = _DATA["new_roles"]
PEOPLE: Final[dict[str, list[str]]] = _DATA["people"]
BROKEN_FOR: Final = 2 * DAY
LOOPING_FOR: Final = 30 * HOUR
DAMAGED_BEFORE: Final = 9 * DAY
LATER_STEP: Final = 4 * DAY


def _networks(servers: int, kinds: int) -> tuple[Network, ...]:
    """Return the networks among so many servers of the many kinds."""
    return tuple(
        Network(proxy=first + proxy, members=(("lobby", first + lobby), ("survival", first + survival)))
        for first in range(0, servers, kinds)
        for proxy, lobby, survival in ((20, 22, 23), (24, 25, 26))
        if first + survival < servers
    )


def _plan(size: Mapping[str, Any]) -> Plan:
    kinds = tuple(_DATA["kinds"][size["kinds"]])
    networks = size.get("networks", [])
    return Plan(
        **{
            **size,
            "kinds": kinds,
            "roles": {int(number): role for number, role in _DATA["roles"].get(size.get("roles"), {}).items()},
            "networks": _networks(size["old_servers"], len(kinds))
            if networks == "by kind"
            else tuple(Network(proxy=each["proxy"], members=tuple(each["members"].items())) for each in networks),
        }
    )


def wide_plan(servers: int, nodes: int) -> Plan:
    """Return the plan of a world for measuring: so many *servers* spread over so many *nodes*.

    They run games that are no Minecraft: none has a log, and each runs day and night, which makes them quickly. Each
    fiftieth is suspended.
    """
    names = [f"wide-{number:03}" for number in range(1, nodes + 1)]
    machine = Machine(location=1, zone="UTC", memory=1024 * 1024, disk=16 * 1024 * 1024)
    return Plan(
        old_servers=servers,
        new_servers=0,
        users=max(servers // 10, 8),
        allocations=dict.fromkeys(names, 2 * (servers // nodes + 1)),
        machines=dict.fromkeys(names, machine),
        kinds=("Rust", "Team Fortress 2", "Garrys Mod"),
        roles=dict.fromkeys(range(7, servers, 50), "suspended for good"),
    )


PLANS: Final = {WorldSize(name): _plan(size) for name, size in _DATA["sizes"].items()}
_TITLES: Final[dict[str, list[str]]] = {kind: title["words"] for title in _DATA["titles"] for kind in title["kinds"]}
_PLUGINS: Final[list[str]] = _DATA["titles"][-1]["words"]


def names_for(kind: str) -> list[str]:
    """Return what servers of *kind* are called."""
    return _TITLES.get(kind, _PLUGINS)
