"""One back-fill on several cores: each process takes a group of servers."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import signal
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import Connection
from threading import Thread

from pteroassets.landing.context import Landing
from pteroassets.landing.passes import Advance, Backfill
from pteroassets.landing.servers import EVERYBODY, ServerGroup
from pteroassets.landing.sources import PASSES
from pteroassets.platform.environment import RuntimeFault
from pteroassets.warehouse.load import LoadReport

_MOST = 4  # each takes some 90 MB, and the panel's limit is the same for all of them together
# Bytes of packed logs in a group, from which the others are worth processes of their own: one takes a second or two to
# start, in which so many bytes are read.
_WORTH_BYTES = 2_000_000
# In a process of the pool: where it reports its progress. A pipe and no queue, whose lock a killed process would keep;
# messages as short as these come whole.
_teller: Connection


def cores() -> int:
    """Return how many processes are worth starting here."""
    return min(len(os.sched_getaffinity(0)), _MOST)


def backfill_on_cores(
    landing: Landing, name: str, advance: Advance, *, processes: int, worth_bytes: int = _WORTH_BYTES
) -> list[list[LoadReport]]:
    """Fetch all history of the pass *name* by groups, one for each of *processes*; return the reports of each.

    This process begins with the first group. Others are started for the rest once the listings of its servers show
    *worth_bytes* to fetch; else it takes one group after the other. The rows are the same in any case. Whoever is
    killed is begun again by the next back-fill.

    Raises:
        RuntimeFault: A process was killed.
        Exception: What stopped a process; the others have ended by then.
    """
    if processes == 1:
        return [_backfill(name)(landing, advance, EVERYBODY)]
    context = multiprocessing.get_context("spawn")  # a fork would copy connections and the threads of the progress bar
    told, teller = context.Pipe(duplex=False)
    listener = Thread(target=_add_up, args=(told, advance), daemon=True)
    listener.start()
    groups = [ServerGroup(number, processes) for number in range(processes)]
    started: dict[int, Future[list[LoadReport]]] = {}
    done: dict[int, list[LoadReport]] = {}
    try:
        with ProcessPoolExecutor(processes - 1, mp_context=context, initializer=_begin, initargs=(teller,)) as pool:

            def tell(number: int, so_far: int, total: int) -> None:
                teller.send((number, so_far, total))
                if total >= worth_bytes and not started:
                    unopened = dataclasses.replace(landing, _opened=[])  # clients are of this process
                    for group in groups[number + 1 :]:
                        started[group.number] = pool.submit(_backfill_group, unopened, name, group)

            for group in groups:
                if group.number not in started:
                    done[group.number] = _backfill(name)(landing, partial(tell, group.number), group)
            done |= _all_of(started)
            return [done[group.number] for group in groups]
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


def _backfill(name: str) -> Backfill:
    backfill = PASSES[name].backfill
    assert backfill is not None  # noqa: S101 - the caller has looked
    return backfill


def _begin(teller: Connection) -> None:
    global _teller  # noqa: PLW0603 - a pool has no other way to hand it to its processes
    _teller = teller
    # Ctrl-C reaches every process of the terminal: these end without a word, and loads are transactions
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _backfill_group(landing: Landing, name: str, group: ServerGroup) -> list[LoadReport]:
    return _backfill(name)(landing, lambda done, total: _teller.send((group.number, done, total)), group)


def _all_of(started: Mapping[int, Future[list[LoadReport]]]) -> dict[int, list[LoadReport]]:
    """Wait for all, so that a fault in one group does not leave another half done, and return what they landed."""
    for future in started.values():
        with contextlib.suppress(Exception):  # raised below
            future.result()
    return {number: future.result() for number, future in started.items()}


def _add_up(told: Connection, advance: Advance) -> None:
    done: dict[int, tuple[int, int]] = {}
    while (one := told.recv()) is not None:
        number, *progress = one
        done[number] = (progress[0], progress[1])
        advance(sum(part for part, _ in done.values()), sum(total for _, total in done.values()))
