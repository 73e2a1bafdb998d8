"""What processes cost: CPU seconds and memory, of whole trees of them."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from pteroassets.warehouse.connection import ConnectionSettings, connect


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU, and seconds by the clock on the wall."""

    cpu: float
    wall: float


class CpuMeter:
    """Counts the CPU seconds of this process, of *extra* ones and all that descend from them, but not from *without*.

    A process that ended counts for the one that waited for it, so nothing is lost as long as each is waited for. A
    server of Postgres is no descendant of who started it: its `postmaster_pid` belongs into *extra*. The kernel counts
    in hundredths of a second, so let what is measured take half a second or more.
    """

    def __init__(self, extra: Iterable[int] = (), *, without: Iterable[int] = ()) -> None:
        self._roots = {os.getpid(), *extra}
        self._without = {*without}

    def seconds(self) -> float:
        """Return the CPU seconds used until now, including those of children that ended."""
        total = 0.0
        left_out = {process.pid for process in processes(self._without)}
        for process in processes(self._roots):
            if process.pid in left_out:
                continue
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue  # ended since it was listed, and is counted where it was waited for
            total += times.user + times.system + times.children_user + times.children_system
        return total

    @contextmanager
    def measured(self) -> Iterator[list[Cost]]:
        """Append to the list given what the block cost."""
        costs: list[Cost] = []
        cpu, wall = self.seconds(), time.perf_counter()
        yield costs
        costs.append(Cost(self.seconds() - cpu, time.perf_counter() - wall))


def processes(roots: Iterable[int]) -> list[psutil.Process]:
    """Return the processes of *roots* and all that descend from them, each once; those that ended are left out."""
    found: dict[int, psutil.Process] = {}
    for root in roots:
        try:
            process = psutil.Process(root)
            for each in (process, *process.children(recursive=True)):
                found[each.pid] = each
        except psutil.NoSuchProcess:
            continue
    return [*found.values()]


def postmaster_pid(settings: ConnectionSettings) -> int:
    """Return the pid of the Postgres server on this machine that *settings* lead to."""
    with connect(settings) as connection:
        ((backend,),) = connection.execute("select pg_backend_pid()")
        return int(psutil.Process(backend).ppid())


def pss_bytes(roots: Iterable[int]) -> int:
    """Return the memory of *roots* and their descendants, with shared pages divided among those that share them."""
    total = 0
    for process in processes(roots):
        try:
            text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended since it was listed
        found = re.search(r"^Pss: +(\d+) kB", text, flags=re.MULTILINE)
        total += int(found[1]) * 1024 if found is not None else 0  # a process about to end has no memory left
    return total


@contextmanager
def peak_memory(roots: Iterable[int], *, every: float = 0.05) -> Iterator[list[int]]:
    """Append to the list given the greatest `pss_bytes` of *roots* during the block, looked at *every* so many seconds.

    A thread of this process looks: give the roots of other processes, lest the looking counts.
    """
    roots, seen, done = [*roots], [0], threading.Event()

    def look() -> None:
        while not done.wait(every):
            seen[0] = max(seen[0], pss_bytes(roots))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    peak: list[int] = []
    try:
        yield peak
    finally:
        done.set()
        thread.join()
    peak.append(max(seen[0], pss_bytes(roots)))
