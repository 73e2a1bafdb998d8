"""One back-fill on several cores: each process takes a group of servers."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from threading import Thread

from pteroassets.landing.context import Landing
from pteroassets.landing.passes import Advance
from pteroassets.landing.servers import EVERYBODY, ServerGroup
from pteroassets.landing.sources import PASSES
from pteroassets.platform.environment import RuntimeFault
from pteroassets.warehouse.load import LoadReport

_MOST = 4  # each takes some 90 MB, and the panel's limit is the same for all of them together
# In a process of the pool: where it reports its progress. A pipe and no queue, whose lock a killed process would keep;
# messages as short as these come whole.
_teller: Connection


def cores() -> int:
    """Return how many processes are worth starting here."""
    return min(len(os.sched_getaffinity(0)), _MOST)


def backfill_on_cores(landing: Landing, name: str, advance: Advance, *, processes: int) -> list[list[LoadReport]]:
    """Fetch all history of the pass *name* with *processes* processes; return the reports of each.

    The rows are the same whatever the number is. Whoever is killed is begun again by the next back-fill.

    Raises:
        RuntimeFault: A process was killed.
        Exception: What stopped a process; the others have ended by then.
    """
    backfill = PASSES[name].backfill
    assert backfill is not None  # noqa: S101 - the caller has looked
    if processes == 1:
        return [backfill(landing, advance, EVERYBODY)]
    context = multiprocessing.get_context("spawn")  # a fork would copy connections and the threads of the progress bar
    told, teller = context.Pipe(duplex=False)
    listener = Thread(target=_add_up, args=(told, advance), daemon=True)
    listener.start()
    try:
        with ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(teller,)) as pool:
            groups = [ServerGroup(number, processes) for number in range(processes)]
            return _all_of([pool.submit(_backfill_group, landing, name, group) for group in groups])
    except BrokenProcessPool as error:
        raise RuntimeFault(
            "a process of the back-fill was killed, perhaps for want of memory; what it landed stays: "
            "run it again to go on"
        ) from error
    finally:
        teller.send(None)
        listener.join()
        teller.close()
        told.close()


def _begin(teller: Connection) -> None:
    global _teller  # noqa: PLW0603 - a pool has no other way to hand it to its processes
    _teller = teller
    # Ctrl-C reaches every process of the terminal: these end without a word, and loads are transactions
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _backfill_group(landing: Landing, name: str, group: ServerGroup) -> list[LoadReport]:
    backfill = PASSES[name].backfill
    assert backfill is not None  # noqa: S101 - the parent has looked
    return backfill(landing, lambda done, total: _teller.send((group.number, done, total)), group)


def _all_of(futures: Sequence[Future[list[LoadReport]]]) -> list[list[LoadReport]]:
    """Wait for all, so that a fault in one group does not leave another half done, and return what they landed."""
    for future in futures:
        with contextlib.suppress(Exception):  # raised below
            future.result()
    return [future.result() for future in futures]


def _add_up(told: Connection, advance: Advance) -> None:
    done: dict[int, tuple[int, int]] = {}
    while (one := told.recv()) is not None:
        number, *progress = one
        done[number] = (progress[0], progress[1])
        advance(sum(part for part, _ in done.values()), sum(total for _, total in done.values()))
