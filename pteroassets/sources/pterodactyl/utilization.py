"""Sample what every server consumes: one `UtilizationSample` for each server and pass.

Path of the data::

    client?type=admin-all --client.list_servers---> flags --gated--------------------> sample without a request
                                                          --PanelReader: /resources--> sample

A pass costs one request for each server that can be asked, and one time-out for a dead node: one server of every node
is asked first, and the others are left out if it does not answer. All nodes are tried at once, so that several hanging
ones take no longer than one. The panel keeps an answer for 20 s, so a figure may be that old. Where an operator allows
it the nodes themselves are asked instead (`node_utilization`).
"""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from pteroassets.clock import Clock
from pteroassets.sources.outcomes import SampleOutcome
from pteroassets.sources.pterodactyl.client import (
    PanelClient,
    ServerFlags,
    ServerListing,
    current_flags,
    list_servers,
)
from pteroassets.sources.pterodactyl.errors import (
    KeyRejectedError,
    NodeUnreachableError,
    NotFoundError,
    PanelError,
    PanelTimeoutError,
    PanelUnreachableError,
    RateLimitedError,
    StateConflictError,
    scrub,
)

#: Passes begin at multiples of this, by which one is told from the next.
STEP_SECONDS = 10
# nodes tried at the same time; a hanging node holds its place for 15 s
NODES_AT_ONCE = 32
# Wings says offline; the panel says stopped if Wings says nothing; a fork's Wings has the container's own states
_NOT_RUNNING = frozenset({"offline", "stopped", "exited", "created", "dead"})
_STATES = _NOT_RUNNING | {"starting", "running", "stopping"}
# Pelican's answer, with status 200 and zeros, if the node said nothing for any reason
_NOT_ASKED = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class UtilizationSample:
    """What one server consumed at one time, or why that is unknown.

    Attributes:
        server_uuid: The server.
        pass_at: When the pass began, in whole minutes; in steps of ten seconds if the interval is no whole minutes.
        sampled_at: When the server answered or was skipped.
        interval_seconds: The longest time that the sample stands for.
        node_name: The node as the list of servers names it.
        outcome: ``ok`` or ``offline`` for an answer; else why there is none.
        state: ``current_state`` as the panel gave it.
        cpu_percent: Of one core; None unless the server runs, as are the next ones except the disk.
        memory_bytes: Without page cache.
        disk_bytes: As the node last measured it; known also while the server is offline.
        network_rx_bytes: Received since the container started.
        network_tx_bytes: Sent since the container started.
        uptime_milliseconds: Since the container started.
        is_suspect: Running with an uptime but no memory: a fault of the node's figures, not a measurement.
        reason: For an outcome other than ``ok`` and ``offline``.
    """

    server_uuid: uuid.UUID
    pass_at: datetime
    sampled_at: datetime
    interval_seconds: int
    node_name: str | None
    outcome: SampleOutcome
    state: str | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    network_rx_bytes: int | None = None
    network_tx_bytes: int | None = None
    uptime_milliseconds: int | None = None
    is_suspect: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingPass:
    """One pass over all servers.

    Attributes:
        samples: One for each listed server that is not yet given away, sorted by its uuid.
        requests: Requests of the pass.
        seconds: Duration on the clock.
        rate_limit_remaining: What is left by the panel's newest answer.
        listing_complete: Whether the list of servers was complete.
        problem: Why it was not.
        halted: The panel's fault for which servers were not asked; None if there was none.
        notes: What an operator should know of single nodes: the node's name, and a sentence.
    """

    samples: list[UtilizationSample]
    requests: int
    seconds: float
    rate_limit_remaining: int | None
    listing_complete: bool
    problem: str | None = None
    halted: str | None = None
    notes: Sequence[tuple[str, str]] = ()


@dataclass(slots=True)
class Halt:
    """Why no more servers are asked in this pass: every further request would fail in the same way."""

    outcome: SampleOutcome | None = None
    reason: str | None = None

    def set(self, outcome: SampleOutcome, reason: str) -> None:
        """Stop asking and set the outcome of all servers that are left."""
        self.reason = reason
        self.outcome = outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class PassStamp:
    """What all samples of a pass share, the clock that dates each, why the pass was stopped, and what it notes.

    Attributes:
        spread_seconds: Over which the requests to the panel are spread.
        free_requests: That go out at once even so.
        taken: Told of each sample, from many threads.
    """

    pass_at: datetime
    interval_seconds: int
    clock: Clock
    spread_seconds: float = 0.0
    free_requests: int = 0
    taken: Callable[[UtilizationSample], None] | None = None
    halt: Halt = field(default_factory=Halt)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def note(self, node_name: str, what: str) -> None:
        """Keep what an operator should know of a node; safe from many threads."""
        self.notes.append((node_name, what))

    def sample(self, server: ServerFlags, outcome: SampleOutcome, **figures: Any) -> UtilizationSample:
        """Return a sample of *server*, taken now."""
        sample = UtilizationSample(
            server_uuid=uuid.UUID(server.uuid),
            pass_at=self.pass_at,
            sampled_at=self.clock.now(),
            interval_seconds=self.interval_seconds,
            node_name=server.node_name or None,
            outcome=outcome,
            **figures,
        )
        if self.taken is not None:
            self.taken(sample)
        return sample


class UtilizationReader(Protocol):
    """Reads the figures of servers that can be asked; a reader that asks nodes would have the same shape."""

    def read(self, servers: Sequence[ServerFlags], stamp: PassStamp) -> list[UtilizationSample]:
        """Return one sample for each of *servers*, in any order; a failure becomes an outcome."""
        ...


def sample_servers(
    panel: PanelClient,
    *,
    clock: Clock,
    interval_seconds: int,
    max_workers: int = 8,
    reader: UtilizationReader | None = None,
    listing: ServerListing | None = None,
    spread_seconds: float = 0.0,
    free_requests: int = 0,
    taken: Callable[[UtilizationSample], None] | None = None,
) -> SamplingPass:
    """Sample every server of the panel once.

    Args:
        panel: Whose servers.
        clock: Gives the time of the pass and its samples.
        interval_seconds: The time to the next pass.
        max_workers: Requests at once, beside one to each node, for the default reader.
        reader: Reads the figures; by default from the panel's ``/resources``.
        listing: The servers, if they were listed just now.
        spread_seconds: Over which the requests to the panel are spread, if it is asked for each server.
        free_requests: That go out at once even so.
        taken: Told of each sample when it is taken, from many threads; what it raises ends the pass.

    Raises:
        PanelError: The list of servers could not be read, or the panel no longer accepts the key.
    """
    started = clock.now()
    requests_before = panel.requests_made
    stamp = PassStamp(
        pass_at=pass_time(started, interval_seconds),
        interval_seconds=interval_seconds,
        clock=clock,
        spread_seconds=spread_seconds,
        free_requests=free_requests,
        taken=taken,
    )
    if listing is None:
        listing = list_servers(panel)
    samples = [
        stamp.sample(server, server.outcome, reason=f"the panel lists the server as {server.outcome}")
        for server in listing.servers
        if server.outcome is not None
    ]
    if reader is None:
        reader = PanelReader(panel, max_workers=max_workers)
    samples += reader.read([server for server in listing.servers if server.outcome is None], stamp)
    return SamplingPass(
        samples=sorted(samples, key=lambda sample: sample.server_uuid),
        requests=panel.requests_made - requests_before,
        seconds=(clock.now() - started).total_seconds(),
        rate_limit_remaining=panel.rate_limit_remaining,
        listing_complete=listing.problem is None,
        problem=listing.problem,
        halted=stamp.halt.reason,
        notes=sorted(stamp.notes),
    )


def pass_time(started: datetime, interval_seconds: int) -> datetime:
    """Return the time that a pass goes by: its whole minute, or ten seconds if passes are not minutes apart."""
    step = STEP_SECONDS if interval_seconds % 60 else 60
    return started.replace(second=started.second // step * step, microsecond=0)


class Pace:
    """Lets so many *requests* go evenly over *seconds*, the first *free* ones at once; safe to use from many threads.

    Sent in a burst they would take the room of whoever else asks the panel; without *seconds* all are free.
    """

    def __init__(self, clock: Clock, *, requests: int, seconds: float, free: int) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._begin = clock.now()
        self._free = free
        self._apart = seconds / max(requests - free, 1)
        self._sent = 0

    def wait(self) -> None:
        """Return when the next request is due."""
        with self._lock:
            self._sent += 1
            due = self._begin + timedelta(seconds=max(self._sent - self._free, 0) * self._apart)
            if (seconds := (due - self._clock.now()).total_seconds()) > 0:
                self._clock.sleep(seconds)


class PanelReader:
    """Asks the panel for each server (``GET client/servers/<uuid>/resources``), several at once."""

    def __init__(self, panel: PanelClient, *, max_workers: int = 8) -> None:
        self._panel = panel
        self._max_workers = max_workers

    def read(self, servers: Sequence[ServerFlags], stamp: PassStamp) -> list[UtilizationSample]:
        """Return one sample for each of *servers*.

        Raises:
            KeyRejectedError: The panel no longer accepts the key, so no server can be asked.
        """
        by_node: dict[str, list[ServerFlags]] = defaultdict(list)
        for server in servers:
            by_node[server.node_name].append(server)
        if not by_node:
            return []
        pace = Pace(stamp.clock, requests=len(servers), seconds=stamp.spread_seconds, free=stamp.free_requests)
        nodes = [_NodePass(self._panel, _rotated(of_node, stamp), stamp, pace) for of_node in by_node.values()]
        with (
            ThreadPoolExecutor(max_workers=self._max_workers) as pool,
            ThreadPoolExecutor(max_workers=min(len(nodes), NODES_AT_ONCE)) as first,
        ):
            return [sample for found in first.map(lambda node: node.read(pool), nodes) for sample in found]


def _rotated(servers: list[ServerFlags], stamp: PassStamp) -> list[ServerFlags]:
    """Return *servers*, starting with a different one in each pass.

    A server at which its node hangs looks like a hanging node; always asked first, it would hide the others for
    ever.
    """
    turn = int(stamp.pass_at.timestamp()) // max(stamp.interval_seconds, STEP_SECONDS) % len(servers)
    return servers[turn:] + servers[:turn]


@dataclass(slots=True)
class _NodePass:
    """The servers of one node in one pass, and whether the node answers."""

    panel: PanelClient
    servers: list[ServerFlags]
    stamp: PassStamp
    pace: Pace
    no_answer: str | None = None

    def read(self, pool: ThreadPoolExecutor) -> list[UtilizationSample]:
        """Ask one server alone, which shows whether the node answers, and the others in *pool*."""
        first = self.ask(self.servers[0])
        return [first, *pool.map(self.ask, self.servers[1:])]

    def ask(self, server: ServerFlags) -> UtilizationSample:
        """Return a sample of *server*, without a request if its node is dead or the pass has stopped."""
        halt = self.stamp.halt
        if halt.outcome is not None:
            return self.stamp.sample(server, halt.outcome, reason=halt.reason)
        if self.no_answer is not None:
            return self.stamp.sample(server, "node_unreachable", reason=self.no_answer)
        self.pace.wait()
        if halt.outcome is not None or self.no_answer is not None:
            return self.ask(server)  # known meanwhile
        try:
            return self._measure(server)
        except NodeUnreachableError as error:
            self.no_answer = f"node {server.node_name} does not answer, so this server was not asked"
            return self.stamp.sample(server, "node_unreachable", reason=f"node {server.node_name}: {error}")
        except RateLimitedError as error:
            halt.set("rate_limited", str(error))
            return self.stamp.sample(server, "rate_limited", reason=str(error))
        except (PanelUnreachableError, PanelTimeoutError) as error:
            halt.set("error", str(error))
            return self.stamp.sample(server, "error", reason=str(error))
        except KeyRejectedError as error:
            halt.set("error", str(error))
            raise
        except NotFoundError as error:
            return self.stamp.sample(server, "gone", reason=str(error))
        except PanelError as error:
            return self.stamp.sample(server, "error", reason=str(error))

    def _measure(self, server: ServerFlags) -> UtilizationSample:
        try:
            return self._resources(server)
        except StateConflictError:
            # its state changed since the list was read; read the flags, do not trust the error's text
            now = current_flags(self.panel, server.uuid)
        if now.outcome is not None:
            return self.stamp.sample(now, now.outcome, reason=f"the panel lists the server as {now.outcome}")
        return self._resources(server)

    def _resources(self, server: ServerFlags) -> UtilizationSample:
        body = self.panel.client(f"servers/{server.uuid}/resources")
        attributes = body.get("attributes")
        if not isinstance(attributes, dict):
            return self.stamp.sample(server, "error", reason="the panel's answer holds no figures")
        return read_stats(server, attributes, self.stamp)


def read_stats(server: ServerFlags, attributes: Mapping[str, Any], stamp: PassStamp) -> UtilizationSample:
    """Return the sample of a ``stats`` object.

    Zeros of a server that does not run are not measurements and become None, except its disk.
    """
    resources = attributes.get("resources")
    figures = resources if isinstance(resources, dict) else {}
    said = attributes.get("current_state")
    state = None if not isinstance(said, str) else said if said in _STATES else scrub(said)
    disk_bytes = _whole(figures.get("disk_bytes"))
    if state == _NOT_ASKED:
        return stamp.sample(
            server,
            "error",
            state=state,
            reason="the node gave the panel no figures of this server (state missing): is the node up, and does it "
            "know the server?",
        )
    if state in _NOT_RUNNING:
        return stamp.sample(server, "offline", state=state, disk_bytes=disk_bytes)
    cpu, memory = figures.get("cpu_absolute"), _whole(figures.get("memory_bytes"))
    if state is None or not isinstance(cpu, int | float) or memory is None:
        return stamp.sample(
            server, "error", state=state, reason="the answer lacks the state, CPU or memory of the server"
        )
    uptime = _whole(figures.get("uptime"))
    return stamp.sample(
        server,
        "ok",
        state=state,
        cpu_percent=float(cpu),
        memory_bytes=memory,
        disk_bytes=disk_bytes,
        network_rx_bytes=_whole(figures.get("network_rx_bytes")),
        network_tx_bytes=_whole(figures.get("network_tx_bytes")),
        uptime_milliseconds=uptime,
        is_suspect=state == "running" and uptime is not None and uptime > 0 and memory == 0,
    )


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
