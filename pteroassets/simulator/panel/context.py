"""What an answer is made from: the world at an instant, who asks, and where the servers of the simulation listen."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pteroassets.simulator.panel.faults import Faults
from pteroassets.simulator.panel.keys import ApiKey
from pteroassets.simulator.panel.power import Power
from pteroassets.simulator.simulated_world import World
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.simulator.world.chance import utc
from pteroassets.simulator.world.entities import Allocation, Server, ServerState, User, exists
from pteroassets.simulator.world.upkeep import backup_limit

ServerRow = tuple[Server, ServerState]


@dataclass(slots=True, kw_only=True)
class Stage:
    """The parts of a simulation that all its answers share."""

    world: World
    faults: Faults
    is_pelican: bool = False
    panel_url: str = ""
    node_ports: dict[int, int] = field(default_factory=dict)
    keeps_reports: bool = False
    """Whether a node keeps what it reports of all its servers for as long as the clock stands still."""
    power: Power = field(default_factory=Power)

    def node_url(self, node_id: int) -> str:
        """Return the address of a node's own server."""
        return f"http://127.0.0.1:{self.node_ports[node_id]}"


@dataclass(kw_only=True)
class View:
    """The world at *now* (seconds since the epoch), as *key* may see it."""

    stage: Stage
    now: int
    key: ApiKey

    @property
    def world(self) -> World:
        """The world."""
        return self.stage.world

    @cached_property
    def living(self) -> list[ServerRow]:
        """Every server that exists, with its state."""
        return self.world.estate.living(self.now)

    @cached_property
    def living_by_id(self) -> dict[int, ServerRow]:
        """The same by id."""
        return {server.id: (server, state) for server, state in self.living}

    @cached_property
    def users(self) -> list[User]:
        """Every user that exists."""
        return [user for user in self.world.estate.users if exists(user, self.now)]

    @cached_property
    def allocations(self) -> list[Allocation]:
        """Every allocation that exists."""
        return [row for row in self.world.estate.allocations if exists(row, self.now)]

    @cached_property
    def assigned(self) -> dict[int, int]:
        """Server id by id of the allocations in use."""
        return {number: server.id for server, state in self.living for number in state.allocation_ids}

    @cached_property
    def user(self) -> User:
        """Who asks."""
        return self.world.estate.user_by_id[self.key.user_id]


def fields(row: object, *names: str) -> dict[str, Any]:
    """Return fields of *row* that the panel shows under their own names."""
    return {name: getattr(row, name) for name in names}


def iso(second: int) -> str:
    """Return *second* as the panel writes most times."""
    return utc(second).isoformat()


def iso_micro(second: int) -> str:
    """Return *second* as the panel writes the times of variables."""
    return utc(second).strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def limits(server: Server, state: ServerState) -> dict[str, Any]:
    """Return the limits of a server, as both APIs show them."""
    return {
        "memory": state.memory,
        "swap": server.swap,
        "disk": state.disk,
        "io": 500,
        "cpu": state.cpu,
        "threads": "0,2-3" if server.index % 9 == 4 else None,  # noqa: PLR2004 - one in nine
        "oom_disabled": server.index % 3 == 0,
    }


def feature_limits(server: Server) -> dict[str, Any]:
    """Return the limits of what a server's owner may make."""
    return {"databases": server.index % 4, "allocations": 2 + server.index % 2, "backups": backup_limit(server)}


def variable_values(server: Server, state: ServerState) -> dict[str, str]:
    """Return the value of each variable of a server: some are secrets, and bear the mark of one."""
    values = {}
    for number, variable in enumerate(state.egg.variables):
        is_secret = number == 0 or not variable.is_viewable or "PASS" in variable.env
        values[variable.env] = f"{CANARIES['variable']}-{server.id}" if is_secret else variable.default
    return values
