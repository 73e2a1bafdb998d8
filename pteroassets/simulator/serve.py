"""Serve a world over HTTP on loopback: one server for the panel and one for each node, all in one background thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

from pteroassets.clock import Clock
from pteroassets.simulator.panel.context import Stage
from pteroassets.simulator.panel.faults import Faults, RequestLog
from pteroassets.simulator.panel.keys import Limiter, make_keys
from pteroassets.simulator.panel.node import NodeServer
from pteroassets.simulator.panel.server import Panel
from pteroassets.simulator.ports import Door, listen
from pteroassets.simulator.simulated_world import World
from pteroassets.simulator.truth import Truth

APPLICATION_LIMIT: Final = 240
CLIENT_LIMIT: Final = 720
_START_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.02


class _Doorway(Door):
    """A server that can be taken off the network and brought back on the same port."""

    def __init__(self, app: Any, name: str) -> None:
        # answers are dated by the simulation's clock, not by this machine's
        super().__init__(app, is_dated=False)
        self.name = name
        self._port = 0

    async def shut_out(self, port: int) -> None:
        """Refuse connections from now on and drop those that are open."""
        self._port = port
        for server in self.servers:
            server.close()
        self.servers = []
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def let_in(self) -> None:
        """Accept connections again."""
        loop = asyncio.get_running_loop()
        protocol = self.config.http_protocol_class
        self.servers = [
            await loop.create_server(
                lambda: protocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state),  # type: ignore[call-arg]
                sock=listen(self._port),
            )
        ]


class SimulatedFaults(Faults):
    """Faults that also close and open the doors of nodes."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__()
        self._simulation = simulation

    def node_down(self, node_id: int, delay: float = 0.05) -> None:
        """Take a node off the network: its server refuses, and the panel says 504 after *delay* seconds."""
        super().node_down(node_id, delay)
        self._simulation.set_door(node_id, is_open=False)

    def node_up(self, node_id: int) -> None:
        """Bring a node back."""
        super().node_up(node_id)
        self._simulation.set_door(node_id, is_open=True)

    def clear(self) -> None:
        """Switch every fault off."""
        for node_id in list(self._down):
            self.node_up(node_id)
        super().clear()


class Simulation:
    """A running panel with its nodes; a context manager.

    *ports* may ask for ports by name (``panel``, ``node-1`` …); one that is taken is replaced by a free one.
    With *is_pelican* the panel is Pelican, the fork (see `pelican`). *limiter* makes what counts requests for an API.
    With *keeps_reports* a node makes its report once for each second of the clock.
    """

    def __init__(
        self,
        world: World,
        clock: Clock,
        *,
        application_limit: int = APPLICATION_LIMIT,
        client_limit: int = CLIENT_LIMIT,
        ports: Mapping[str, int] | None = None,
        is_pelican: bool = False,
        limiter: Callable[[int], Limiter] = Limiter,
        keeps_reports: bool = False,
    ) -> None:
        self.world = world
        self.clock = clock
        self.requests = RequestLog()
        self.faults: Faults = SimulatedFaults(self)
        self.truth: Truth = world.truth
        self._wanted_ports = dict(ports or {})
        self._keys = make_keys(world.seed, is_pelican=is_pelican)
        self.keys: dict[str, str] = {name: key.token for name, key in self._keys.items()}
        self.application_key = self.keys["app"]
        self.client_key = self.keys["client"]
        self.ports: dict[str, int] = {}
        self._stage = Stage(world=world, faults=self.faults, is_pelican=is_pelican, keeps_reports=keeps_reports)
        self._panel = Panel(
            self._stage,
            clock,
            self._keys,
            self.requests,
            application=limiter(application_limit),
            client=limiter(client_limit),
        )
        self._doors: dict[str, _Doorway] = {}
        self._shut: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def panel_url(self) -> str:
        """The address of the panel, without a slash at the end."""
        return self._stage.panel_url

    @property
    def log_timezones(self) -> dict[str, str]:
        """The IANA zone of each server's log, by server UUID, for every server made so far."""
        return self.world.log_timezones(self.clock.now())

    def add_app(self, name: str, app: Any) -> None:
        """Serve one more ASGI application beside the panel, under the port called *name*; before `start`."""
        self._doors[name] = _Doorway(app, name)

    def start(self) -> None:
        """Open all ports and return once every server answers."""
        self.serve(self.listen())

    def listen(self) -> dict[str, socket.socket]:
        """Open all ports without answering yet; return their sockets by name."""
        self._doors["panel"] = _Doorway(self._panel, "panel")
        for node in self.world.estate.nodes:
            app = NodeServer(self._stage, node, self.clock, self._panel.memory, self.requests)
            self._doors[f"node-{node.id}"] = _Doorway(app, f"node-{node.id}")
        sockets = {name: listen(self._wanted_ports.get(name)) for name in self._doors}
        self.ports = {name: listener.getsockname()[1] for name, listener in sockets.items()}
        self._stage.panel_url = f"http://127.0.0.1:{self.ports['panel']}"
        self._stage.node_ports = {node.id: self.ports[f"node-{node.id}"] for node in self.world.estate.nodes}
        return sockets

    def serve(self, sockets: dict[str, socket.socket]) -> None:
        """Answer on *sockets*, by name, and return once every server does."""
        doors = [self._doors[name] for name in sockets]
        self._thread = threading.Thread(target=self._run, args=(sockets,), name="simulated panel", daemon=True)
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(_START_SECONDS / _POLL_SECONDS)):
            if all(door.started for door in doors):
                return
            waited.wait(_POLL_SECONDS)
        raise RuntimeError("the simulated panel did not start")

    def _run(self, sockets: dict[str, socket.socket]) -> None:
        async def everything() -> None:
            self._loop = asyncio.get_running_loop()
            await asyncio.gather(*(self._doors[name].serve(sockets=[sockets[name]]) for name in sockets))

        asyncio.run(everything())

    def set_door(self, node_id: int, *, is_open: bool) -> None:
        """Take a node's server off the network or bring it back."""
        name = f"node-{node_id}"
        door = self._doors.get(name)
        if self._loop is None or door is None or not door.started or is_open != (name in self._shut):
            return
        if is_open:
            self._shut.discard(name)
            asyncio.run_coroutine_threadsafe(door.let_in(), self._loop).result(_START_SECONDS)
        else:
            self._shut.add(name)
            asyncio.run_coroutine_threadsafe(door.shut_out(self.ports[name]), self._loop).result(_START_SECONDS)

    def stop(self) -> None:
        """Close every server and wait for the thread to end."""
        for door in self._doors.values():
            door.should_exit = True
            door.force_exit = True
        if self._thread is not None:
            self._thread.join(_START_SECONDS)
            self._thread = None
        self._loop = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
