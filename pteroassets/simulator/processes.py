"""A simulation in several processes, so that the one who asks is what binds and not the one who answers.

Path of a request::

    panel's port --whichever process is free--> answer, counted by a limiter in shared memory
    node's port  --the process of that node --> answer

All processes are forked from the one that made the world. The clock, the faults and the record of requests of that one
stand for theirs. What the panel itself remembers of requests (activity, used links) is each process's own.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import threading
from collections import Counter
from multiprocessing.connection import Connection
from typing import Any, cast

from pteroassets.simulator.control import ControlClock
from pteroassets.simulator.panel.faults import Faults, RequestEntry, RequestLog
from pteroassets.simulator.panel.keys import SharedLimiter
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World

_ENDS_SECONDS = 10.0


class _Workers:
    """The other processes, and the way to ask something of each of them."""

    def __init__(self) -> None:
        self._pipes: list[Connection] = []
        self._processes: list[multiprocessing.process.BaseProcess] = []
        self._lock = threading.Lock()

    def fork(self, simulation: Simulation, sockets: dict[str, socket.socket], count: int) -> None:
        """Start *count* processes that share the panel and divide the nodes."""
        context = multiprocessing.get_context("fork")
        nodes = sorted(name for name in sockets if name.startswith("node-"))
        for number in range(count):
            here, there = context.Pipe()
            own = {name: sockets[name] for name in ("panel", *nodes[number::count])}
            process = context.Process(target=self._work, args=(simulation, own, sockets, here, there), daemon=True)
            process.start()
            there.close()
            self._pipes.append(here)
            self._processes.append(process)

    def _work(
        self,
        simulation: Simulation,
        own: dict[str, socket.socket],
        sockets: dict[str, socket.socket],
        parents: Connection,
        pipe: Connection,
    ) -> None:
        # an end of a pipe that stays open here would keep this process alive after the first one was killed
        for other in (*self._pipes, parents):
            other.close()
        for name, one in sockets.items():
            if name not in own:
                one.close()
        simulation.serve(own)
        pipe.send(True)
        while True:
            try:
                what, value = pipe.recv()
            except (EOFError, KeyboardInterrupt):
                os._exit(0)
            match what:
                case "clock":
                    cast("ControlClock", simulation.clock).put(value)
                    pipe.send(None)
                case "faults":
                    simulation.faults.apply_json(value)
                    pipe.send(None)
                case "clear":
                    simulation.requests.clear()
                    pipe.send(None)
                case _:
                    pipe.send((simulation.requests.entries if value else [], simulation.requests.counts))

    def wait(self) -> None:
        """Return when every process answers requests."""
        for pipe in self._pipes:
            pipe.recv()

    def ask(self, what: str, value: Any = None) -> list[Any]:
        """Return what each process answers."""
        with self._lock:
            for pipe in self._pipes:
                pipe.send((what, value))
            return [pipe.recv() for pipe in self._pipes]

    def end(self) -> None:
        """End the processes and wait for them."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(_ENDS_SECONDS)


class _AllFaults(Faults):
    """Faults that are changed in every process; a fault with ``times`` strikes so often in each."""

    def __init__(self, workers: _Workers) -> None:
        super().__init__()
        self._workers = workers

    def apply_json(self, wanted: dict[str, Any]) -> None:
        """Change the faults of every process."""
        self._workers.ask("faults", wanted)


class _AllRequests(RequestLog):
    """What was asked of all processes, read when it is wanted."""

    def __init__(self, workers: _Workers) -> None:
        super().__init__()
        self._workers = workers

    @property
    def entries(self) -> list[RequestEntry]:
        """All entries kept, process by process."""
        return [entry for entries, _ in self._workers.ask("requests", value=True) for entry in entries]

    @property
    def counts(self) -> dict[str, int]:
        """The number of requests by name of route."""
        return dict(sum((Counter(counts) for _, counts in self._workers.ask("requests")), Counter()))

    def __len__(self) -> int:
        return sum(self.counts.values())

    def clear(self) -> None:
        """Forget everything."""
        self._workers.ask("clear")


class SharedSimulation(Simulation):
    """A simulation that *processes* answer for, beside this one if there are several.

    Start it before any thread: a process is forked. The faults that it starts with are set before.
    """

    def __init__(self, world: World, clock: ControlClock, *, processes: int = 1, **options: Any) -> None:
        self._processes = processes
        self._workers = _Workers()
        context = multiprocessing.get_context("fork")
        if processes > 1:
            options["limiter"] = lambda limit: SharedLimiter(limit, context)
        super().__init__(world, clock, keeps_reports=processes > 1, **options)

    def start(self) -> None:
        """Open all ports and return once every server answers."""
        sockets = self.listen()
        if self._processes == 1:
            self.serve(sockets)
            return
        self._workers.fork(self, sockets, self._processes)
        self._workers.wait()
        mine = {name: one for name, one in sockets.items() if name != "panel" and not name.startswith("node-")}
        for name, one in sockets.items():
            if name not in mine:
                one.close()
        cast("ControlClock", self.clock).followers.append(lambda now: self._workers.ask("clock", now))
        self.faults, self.requests = _AllFaults(self._workers), _AllRequests(self._workers)
        if mine:
            self.serve(mine)

    def stop(self) -> None:
        """Close every server and wait for all processes to end."""
        super().stop()
        self._workers.end()
