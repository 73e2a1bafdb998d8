"""What stands in a panel: places, people and servers, each with the time it came and went.

All times are whole seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from pteroassets.simulator.world.catalog import EGG_BY_ID, Egg
from pteroassets.simulator.world.chance import WEEK
from pteroassets.simulator.world.software import Software

Status = Literal["installing", "install_failed", "reinstall_failed", "suspended", "restoring_backup"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place where nodes stand."""

    id: int
    short: str
    long: str | None
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine that runs servers; its clock shows *zone*, and so do the logs of its servers."""

    id: int
    uuid: str
    name: str
    location_id: int
    zone: str
    memory: int
    disk: int
    description: str | None
    created_at: int
    token_id: str
    token: str
    maintenance: tuple[tuple[int, int | None], ...] = ()

    def is_in_maintenance(self, at: int) -> bool:
        """Return whether the node is in maintenance at *at*."""
        return any(begin <= at and (end is None or at < end) for begin, end in self.maintenance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """An address and port of a node."""

    id: int
    node_id: int
    ip: str
    alias: str | None
    port: int
    notes: str | None
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account of the panel."""

    id: int
    uuid: str
    external_id: str | None
    username: str
    email: str
    first_name: str
    last_name: str
    is_admin: bool
    has_2fa: bool
    created_at: int
    updated_at: int
    deleted_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subuser:
    """A user who may do some things on a server of another."""

    id: int
    user_id: int
    server_id: int
    permissions: tuple[str, ...]
    created_at: int
    deleted_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerDatabase:
    """A database that belongs to a server."""

    id: int
    server_id: int
    name: str
    username: str
    password: str
    created_at: int
    deleted_at: int | None = None


def exists(thing: Allocation | User | Subuser | ServerDatabase | Location | Node, at: int) -> bool:
    """Return whether *thing* is there at *at*."""
    gone = getattr(thing, "deleted_at", None)
    return thing.created_at <= at and (gone is None or at < gone)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerState:
    """All that can change about a server, as it stands from *since* on."""

    since: int
    name: str
    memory: int
    disk: int
    cpu: int
    egg_id: int
    owner_id: int
    node_id: int
    allocation_ids: tuple[int, ...]
    status: Status | None = None
    is_transferring: bool = False
    is_deleted: bool = False

    @property
    def egg(self) -> Egg:
        """The egg the server is made from."""
        return EGG_BY_ID[self.egg_id]

    @property
    def is_gated(self) -> bool:
        """Whether the server cannot run in this state."""
        return self.is_transferring or self.is_deleted or self.status not in {None, "reinstall_failed"}


Change = Callable[[ServerState], ServerState]


def changed(**values: object) -> Change:
    """Return the change that sets *values*."""
    return lambda state: replace(state, **values)  # type: ignore[arg-type]  # names are fields of the state


class Server:
    """A server and its life; states beyond what is known are asked of *more*, week after week.

    *more* returns the changes of one week (0 begins at *horizon*) given the state at its beginning.
    """

    #: How often any server was altered by hand: what was computed from servers before that no longer holds.
    alterations: ClassVar[int] = 0

    def __init__(
        self,
        *,
        index: int,
        uuid: str,
        external_id: str | None,
        description: str,
        swap: int,
        zone: str,
        is_spigot: bool,
        has_geyser: bool,
        is_offline_mode: bool,
        role: str,
        first: ServerState,
        changes: list[tuple[int, Change]],
        horizon: int,
        more: Callable[[Server, ServerState, int, int], list[tuple[int, Change]]],
    ) -> None:
        self.index = index
        self.id = index + 1
        self.uuid = uuid
        self.identifier = uuid[:8]
        self.external_id = external_id
        self.description = description
        self.swap = swap
        self.zone = zone
        self.is_spigot = is_spigot
        self.has_geyser = has_geyser
        self.is_offline_mode = is_offline_mode
        self.role = role
        self.created_at = first.since
        self._states = [first]
        self._horizon = horizon
        self._week = 0
        self._more = more
        self._apply(changes)

    def _apply(self, changes: list[tuple[int, Change]]) -> None:
        for at, change in sorted(changes, key=lambda pair: pair[0]):
            self._states.append(replace(change(self._states[-1]), since=at))

    def alter(self, at: int, **values: object) -> None:
        """Change the server at *at* as an administrator would: a state, a limit, an owner; nothing later may stand."""
        if self.states(at)[-1] is not self._states[-1]:
            raise ValueError("something that happens to the server later stands already")
        self._apply([(at, changed(**values))])
        Server.alterations += 1

    def states(self, until: int) -> list[ServerState]:
        """Return every state that begins at or before *until*, oldest first."""
        while self._horizon + self._week * WEEK <= until:
            begin = self._horizon + self._week * WEEK
            self._week += 1
            last = self._states[-1]
            if not last.is_deleted and last.since < begin:
                self._apply(self._more(self, last, self._week - 1, begin))
        return [state for state in self._states if state.since <= until]

    def state(self, at: int) -> ServerState | None:
        """Return the state at *at*; None before the server was made and after it was deleted."""
        if at < self.created_at:
            return None
        if self._horizon + self._week * WEEK <= at:
            self.states(at)
        for state in reversed(self._states):
            if state.since <= at:
                return None if state.is_deleted else state
        return None

    def deleted_at(self, at: int) -> int | None:
        """Return when the server was deleted, if that was at or before *at*."""
        for state in self.states(at):
            if state.is_deleted:
                return state.since
        return None

    def next_gate(self, after: int, until: int) -> int | None:
        """Return when the server next becomes unable to run in (*after*, *until*]."""
        for state in self.states(until):
            if state.since > after and state.is_gated:
                return state.since
        return None

    def runnable_from(self, at: int, until: int) -> int | None:
        """Return the first second at or after *at* at which the server can run; None where there is none known.

        A server that is stopped for good has none; one that is gated has the end of its gate.
        """
        states = self.states(max(at, until))
        for number, state in enumerate(states):
            end = states[number + 1].since if number + 1 < len(states) else None
            if not state.is_gated and (end is None or end > at):
                return max(at, state.since)
        return None

    def software(self, at: int) -> Software:
        """Return how the server writes its log at *at*."""
        state = self.state(at) or self._states[0]
        software = state.egg.software
        return "spigot" if software == "paper" and self.is_spigot else software
