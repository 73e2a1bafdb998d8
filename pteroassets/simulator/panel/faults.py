"""Faults that a test or an operator asks of a simulation, and the record of the requests that it answered."""

from __future__ import annotations

import re
import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

FaultKind = Literal["status", "node_status", "truncate", "break_off", "total_moves", "latency", "clock"]
Body = Literal["json", "html", "truncated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong.

    *route* is the name of a route (``resources``, ``eggs``, ``servers``, ``contents``, ``node_download`` …), or
    ``application``, ``client`` or ``node`` for all of one kind, or else a regular expression searched in the path.

    Kinds:
        status: answer *status* with a *body* in place of the real answer; 429 carries *retry_after*.
        node_status: the node answers the panel *status*, of which the panel makes its own answer for that route.
        truncate: the real answer (JSON or bytes), cut in half, its length adjusted.
        break_off: the real answer, but the connection ends half-way.
        total_moves: page 1 of a list misses its newest row, later pages do not.
        latency: the real answer *seconds* late (seconds of this machine, not of the injected clock).
        clock: the real answer, dated *seconds* ahead.
    """

    kind: FaultKind = "status"
    route: str = ".*"
    status: int = 500
    body: Body = "json"
    times: int | None = None
    retry_after: int = 30
    seconds: float = 0.0
    nest_id: int | None = None
    node_id: int | None = None
    server_uuid: str | None = None
    path_ends: str | None = None


class Route(NamedTuple):
    """What a request asks for, as far as faults can tell requests apart."""

    name: str
    group: Literal["application", "client", "node", "none"]
    path: str
    nest_id: int | None = None
    node_id: int | None = None
    server_uuid: str | None = None
    file: str | None = None


class Faults:
    """The faults that are on; safe to change from any thread while requests are answered."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._faults: list[tuple[Fault, list[int]]] = []
        self._down: dict[int, float] = {}
        self._growing: dict[str, int] = {}
        self._hidden: set[tuple[str, str]] = set()
        self.missing_path_status: int = 500
        """What a node says of a missing path: 500 (its newer versions) or 404."""

    def add(self, fault: Fault) -> None:
        """Switch *fault* on; with ``times`` it ends by itself after so many answers."""
        with self._lock:
            self._faults.append((fault, [0]))

    def latency(self, seconds: float, route: str = ".*", times: int | None = None) -> None:
        """Let answers of *route* come *seconds* late."""
        self.add(Fault(kind="latency", seconds=seconds, route=route, times=times))

    def node_down(self, node_id: int, delay: float = 0.05) -> None:
        """Take a node off the network: its server refuses, and the panel says 504 after *delay* seconds."""
        with self._lock:
            self._down[node_id] = delay

    def node_up(self, node_id: int) -> None:
        """Bring a node back."""
        with self._lock:
            self._down.pop(node_id, None)

    def log_growth(self, server_uuid: str) -> None:
        """Let ``latest.log`` of a server hold a minute more at each read than at the one before."""
        with self._lock:
            self._growing.setdefault(server_uuid, 0)

    def hide_file(self, server_uuid: str, name: str) -> None:
        """Let a file of ``/logs`` be gone, as if somebody had deleted it."""
        with self._lock:
            self._hidden.add((server_uuid, name))

    def clear(self) -> None:
        """Switch every fault off."""
        with self._lock:
            self._faults.clear()
            self._down.clear()
            self._growing.clear()
            self._hidden.clear()
            self.missing_path_status = 500

    # ------------------------------------------------------------------ asked by the servers

    def take(self, route: Route, *kinds: FaultKind) -> Fault | None:
        """Return the first fault of *kinds* that strikes *route*, and count it."""
        with self._lock:
            for fault, used in self._faults:
                if fault.kind in kinds and _strikes(fault, route) and (fault.times is None or used[0] < fault.times):
                    used[0] += 1
                    return fault
        return None

    def delay_of_down(self, node_id: int) -> float | None:
        """Return after how many seconds the panel gives up on a node that is down; None where it is up."""
        with self._lock:
            return self._down.get(node_id)

    def growth(self, server_uuid: str, *, reads: bool) -> int:
        """Return how many seconds ahead ``latest.log`` is; *reads* tells whether this is one more read of it."""
        with self._lock:
            if server_uuid not in self._growing:
                return 0
            self._growing[server_uuid] += reads
            return self._growing[server_uuid] * 60

    def is_hidden(self, server_uuid: str, name: str) -> bool:
        """Return whether a file of ``/logs`` is to be missing."""
        with self._lock:
            return (server_uuid, name) in self._hidden

    def apply_json(self, wanted: dict[str, Any]) -> None:
        """Change faults as a control message says.

        Keys: ``clear`` (true), ``add`` (list of `Fault` fields), ``node_down`` and ``node_up`` (node ids),
        ``log_growth`` (server UUIDs), ``hide_file`` (pairs of UUID and name), ``missing_path_status``.
        """
        if wanted.get("clear"):
            self.clear()
        for fields in wanted.get("add", []):
            self.add(Fault(**fields))
        for node_id in wanted.get("node_down", []):
            self.node_down(node_id)
        for node_id in wanted.get("node_up", []):
            self.node_up(node_id)
        for server_uuid in wanted.get("log_growth", []):
            self.log_growth(server_uuid)
        for server_uuid, name in wanted.get("hide_file", []):
            self.hide_file(server_uuid, name)
        self.missing_path_status = wanted.get("missing_path_status", self.missing_path_status)


_GROUPS: Final = frozenset({"application", "client", "node"})


def _strikes(fault: Fault, route: Route) -> bool:
    if fault.nest_id is not None and fault.nest_id != route.nest_id:
        return False
    if fault.node_id is not None and fault.node_id != route.node_id:
        return False
    if fault.server_uuid is not None and fault.server_uuid != route.server_uuid:
        return False
    if fault.path_ends is not None and not (route.file or route.path).endswith(fault.path_ends):
        return False
    if fault.route in _GROUPS:
        return fault.route == route.group
    return fault.route == route.name or bool(re.search(fault.route, route.path))


class RequestEntry(NamedTuple):
    """One answered request."""

    method: str
    path: str
    status: int
    user_agent: str
    route: str
    query: str


class RequestLog:
    """What was asked of a simulation, newest last; the oldest entries are dropped beyond 200,000."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[RequestEntry] = deque(maxlen=200_000)
        self._counts: Counter[str] = Counter()

    def add(self, entry: RequestEntry) -> None:
        """Append *entry*."""
        with self._lock:
            self._entries.append(entry)
            self._counts[entry.route] += 1

    @property
    def entries(self) -> list[RequestEntry]:
        """All entries kept."""
        with self._lock:
            return list(self._entries)

    @property
    def counts(self) -> dict[str, int]:
        """The number of requests by name of route."""
        with self._lock:
            return dict(self._counts)

    def __len__(self) -> int:
        with self._lock:
            return sum(self._counts.values())

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._counts.clear()
