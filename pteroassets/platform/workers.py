"""One back-fill on several cores: each process takes groups of servers, one after the other."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from pteroassets.landing.context import Landing
from pteroassets.landing.passes import Advance, Backfill
from pteroassets.landing.servers import EVERYBODY, ServerGroup
from pteroassets.landing.sources import PASSES
from pteroassets.platform.environment import RuntimeFault
from pteroassets.warehouse.load import LoadReport

_MOST = 4  # each takes some 90 MB, and the panel's limit is the same for all of them together
# Where no process is ready: bytes of packed logs for each, from which the others are worth processes of their own.
# One takes a second or two to start, in which so many bytes are read.
_WORTH_BYTES = 2_000_000
# Groups of servers for each process, so that a large server keeps none waiting long; each reads the list of servers.
_GROUPS_EACH = 4
# In a process of the pool: where it reports its progress. A pipe and no queue, whose lock a killed process would keep;
# messages as short as these come whole.
_teller: Connection


def cores() -> int:
    """Return how many processes are worth starting here."""
    return min(len(os.sched_getaffinity(0)), _MOST)


@dataclass(frozen=True, slots=True)
class Workers:
    """Processes that take groups of a back-fill, and the two ends of the pipe by which they report."""

    pool: ProcessPoolExecutor
    told: Connection
    teller: Connection


@contextmanager
def ready_workers(count: int) -> Iterator[Workers | None]:
    """Give *count* processes that are ready at once; None where that is none, or they would not be safe.

    They are forks of this process as it is now, with all that it has imported, which takes hundredths of a second in
    place of a second or two. So it must have no other thread yet, whose locks a fork would keep for ever, and no
    connection, which both would use.
    """
    if count == 0 or sys.platform != "linux" or threading.active_count() > 1:
        yield None
        return
    with _workers(count, "fork") as workers:
        workers.pool.submit(os.getpid)  # forks all of them, and only then starts threads of its own
        yield workers


@contextmanager
def _workers(count: int, method: str) -> Iterator[Workers]:
    context = multiprocessing.get_context(method)
    told, teller = context.Pipe(duplex=False)
    with told, teller, ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(teller,)) as pool:
        yield Workers(pool, told, teller)


def backfill_on_cores(
    landing: Landing,
    name: str,
    advance: Advance,
    *,
    processes: int,
    worth_bytes: int = _WORTH_BYTES,
    ready: Workers | None = None,
) -> list[list[LoadReport]]:
    """Fetch all history of the pass *name* by groups, some for each of *processes*; return the reports of each.

    Each process takes the next group that nobody has when it is done with one, since one server may have more logs than
    all others. Those that are *ready* begin with this one. Where none is, others are started once the listings of a
    group's servers let expect *worth_bytes* to fetch for each process; else this one takes one group after the other.
    The rows are the same in any case. Whoever is killed is begun again by the next back-fill.

    Raises:
        RuntimeFault: A process was killed.
        Exception: What stopped a process; the others have ended by then.
    """
    if processes == 1:
        return [_backfill(name)(landing, advance, EVERYBODY)]
    # a fork would copy connections and the threads of the progress bar
    with _workers(processes - 1, "spawn") if ready is None else contextlib.nullcontext(ready) as workers:
        listener = threading.Thread(target=_add_up, args=(workers.told, advance), daemon=True)
        listener.start()
        groups = _Groups(landing, name, workers, processes)
        try:
            return groups.run(0 if ready is not None else worth_bytes)
        except BrokenProcessPool as error:
            raise RuntimeFault(
                "a process of the back-fill was killed, perhaps for want of memory; what it landed stays: "
                "run it again to go on"
            ) from error
        finally:
            workers.teller.send(None)
            listener.join()


class _Groups:
    """The groups of one back-fill, which this process and those of a pool take one after the other.

    Args:
        landing: What the back-fill needs.
        name: Of its pass.
        workers: The other processes.
        processes: How many there are with this one.
    """

    def __init__(self, landing: Landing, name: str, workers: Workers, processes: int) -> None:
        self._landing, self._name, self._workers = landing, name, workers
        self._count = processes * _GROUPS_EACH
        self._untaken = iter([ServerGroup(number, self._count) for number in range(self._count)])
        self._others = processes - 1
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._done: dict[int, list[LoadReport]] = {}
        self._faults: list[BaseException] = []

    def run(self, worth_bytes: int) -> list[list[LoadReport]]:
        """Fetch all groups; the other processes begin where *worth_bytes* are to be expected for each."""
        if worth_bytes == 0:
            self._begin_others()

        def here(group: ServerGroup) -> list[LoadReport]:
            def tell(so_far: int, total: int) -> None:
                self._workers.teller.send((group.number, so_far, total))
                if total * _GROUPS_EACH >= worth_bytes and not self._threads:
                    self._begin_others()

            return _backfill(self._name)(self._landing, tell, group)

        try:
            self._take(here)
        finally:
            for thread in self._threads:
                thread.join()  # so that a fault in one group does not leave another half done
        if self._faults:
            raise self._faults[0]
        return [self._done[number] for number in range(self._count)]

    def _begin_others(self) -> None:
        unopened = dataclasses.replace(self._landing, _opened=[])  # clients are of this process

        def away(group: ServerGroup) -> list[LoadReport]:
            return self._workers.pool.submit(_backfill_group, unopened, self._name, group).result()

        # a thread for each process, which waits for it
        self._threads += [threading.Thread(target=self._take, args=(away,)) for _ in range(self._others)]
        for thread in self._threads:
            thread.start()

    def _take(self, backfill: Callable[[ServerGroup], list[LoadReport]]) -> None:
        """Take groups until none is left, or one of them has failed."""
        while not self._faults:
            with self._lock:
                group = next(self._untaken, None)
            if group is None:
                return
            try:
                self._done[group.number] = backfill(group)
            except BaseException as error:  # noqa: BLE001 - raised where all are waited for
                self._faults.append(error)


def _backfill(name: str) -> Backfill:
    backfill = PASSES[name].backfill
    assert backfill is not None  # noqa: S101 - the caller has looked
    return backfill


def _begin(teller: Connection) -> None:
    global _teller  # noqa: PLW0603 - a pool has no other way to hand it to its processes
    _teller = teller
    # Ctrl-C reaches every process of the terminal: these end without a word, and loads are transactions
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the one that started it is gone: it would wait for work for ever if that one is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _backfill_group(landing: Landing, name: str, group: ServerGroup) -> list[LoadReport]:
    return _backfill(name)(landing, lambda done, total: _teller.send((group.number, done, total)), group)


def _add_up(told: Connection, advance: Advance) -> None:
    done: dict[int, tuple[int, int]] = {}
    while (one := told.recv()) is not None:
        number, *progress = one
        done[number] = (progress[0], progress[1])
        advance(sum(part for part, _ in done.values()), sum(total for _, total in done.values()))
