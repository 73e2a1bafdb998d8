"""A back-fill on several cores: the rows of one process, also where a process is killed in the middle."""

from __future__ import annotations

import dataclasses
import multiprocessing
import subprocess
import sys
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

import psutil
import pytest

from pteroassets.landing.context import Landing
from pteroassets.landing.minecraft.collection import LOGS
from pteroassets.landing.minecraft.sessions import RUNS, SESSIONS
from pteroassets.landing.passes import Advance
from pteroassets.landing.servers import ServerGroup
from pteroassets.landing.sources import PASSES
from pteroassets.platform.environment import RuntimeFault
from pteroassets.platform.workers import backfill_on_cores, ready_workers
from pteroassets.warehouse.connection import connect
from pteroassets.warehouse.load import LoadReport
from tests.harness import Platform, table_rows

pytestmark = pytest.mark.postgres

TABLES = [
    *("raw_minecraft.log_files", "raw_minecraft.events"),
    *("derived_minecraft.player_sessions", "derived_minecraft.server_runs"),
]


def rows(platform: Platform) -> dict[str, list[tuple[object, ...]]]:
    with connect(platform.settings, autocommit=True) as connection:
        return {table: table_rows(connection, table, without={"fetched_at"}) for table in TABLES}


def forget(platform: Platform) -> None:
    with connect(platform.settings, autocommit=True) as connection:
        connection.execute(f"truncate {', '.join([*LOGS.content, LOGS.files, LOGS.reads, SESSIONS, RUNS])}")


def test_two_processes_one_of_them_killed_land_the_rows_of_one(platform: Platform) -> None:
    (alone,) = backfill_on_cores(platform.landing, "logs", lambda _done, _total: None, processes=1)
    expected = rows(platform)
    assert all(expected.values())
    forget(platform)

    def kill(_done: int, _total: int) -> None:
        for child in multiprocessing.active_children()[:1]:
            child.kill()

    with pytest.raises(RuntimeFault, match=r"was killed.*run it again"):
        backfill_on_cores(platform.landing, "logs", kill, processes=2, worth_bytes=0)
    groups = backfill_on_cores(platform.landing, "logs", lambda _done, _total: None, processes=2, worth_bytes=0)
    assert rows(platform) == expected
    assert [len(group) for group in groups] == [1] * 8
    assert sum(group[0].rows_read for group in groups) == alone[0].rows_read
    assert sum(bool(group[0].rows_read) for group in groups) > 1


def test_processes_are_started_only_where_there_is_much_to_fetch(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, away = [], []  # numbers of the groups
    is_begun = threading.Event()
    logs = PASSES["logs"]

    def fetch(_landing: Landing, advance: Advance, group: ServerGroup) -> list[LoadReport]:
        here.append(group.number)
        advance(0, 250 if group.number == 1 else 10)
        if group.number == 1:
            assert is_begun.wait(60)
        return []

    def submit(_pool: ProcessPoolExecutor, _call: object, *arguments: Any) -> Future[list[LoadReport]]:
        away.append(arguments[-1].number)
        is_begun.set()
        future: Future[list[LoadReport]] = Future()
        future.set_result([])
        return future

    monkeypatch.setitem(PASSES, "logs", dataclasses.replace(logs, backfill=fetch))
    monkeypatch.setattr(ProcessPoolExecutor, "submit", submit)
    seen: list[tuple[int, int]] = []
    found = backfill_on_cores(
        platform.landing, "logs", lambda *progress: seen.append(progress), processes=4, worth_bytes=1_000
    )
    assert found == [[]] * 16
    assert here[:2] == [0, 1]
    assert 2 in away
    assert sorted(here + away) == [*range(16)]
    assert seen[:2] == [(0, 10), (0, 260)]


def test_each_process_takes_the_next_group_when_it_is_done(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    here: list[int] = []
    away: list[int] = []
    is_here, are_taken = threading.Event(), threading.Event()

    def fetch(_landing: Landing, _advance: Advance, group: ServerGroup) -> list[LoadReport]:
        here.append(group.number)
        is_here.set()
        assert are_taken.wait(60)  # as a large server would hold it up
        return []

    def submit(_pool: ProcessPoolExecutor, _call: object, *arguments: Any) -> Future[list[LoadReport]]:
        assert is_here.wait(60)
        away.append(arguments[-1].number)
        if len(away) == 7:
            are_taken.set()
        future: Future[list[LoadReport]] = Future()
        future.set_result([])
        return future

    monkeypatch.setitem(PASSES, "logs", dataclasses.replace(PASSES["logs"], backfill=fetch))
    monkeypatch.setattr(ProcessPoolExecutor, "submit", submit)
    found = backfill_on_cores(platform.landing, "logs", lambda *_: None, processes=2, worth_bytes=0)
    assert found == [[]] * 8
    assert sorted(here + away) == [*range(8)]


def test_after_a_fault_no_more_groups_are_begun(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    def fail(_landing: Landing, _advance: Advance, group: ServerGroup) -> list[LoadReport]:
        begun.append(group.number)
        raise LookupError("nothing is there")

    monkeypatch.setitem(PASSES, "logs", dataclasses.replace(PASSES["logs"], backfill=fail))
    with pytest.raises(LookupError, match="nothing is there"):
        backfill_on_cores(platform.landing, "logs", lambda *_: None, processes=2)
    assert begun == [0]


_IN_A_FORK = """
import os, sys
from pteroassets.platform import workers

workers.marked = os.getpid()  # is nowhere but in this process and its forks
with workers.ready_workers(2) as ready:
    marked = "__import__('pteroassets.platform.workers').platform.workers.marked"
    marks = {ready.pool.submit(eval, marked).result() for _ in range(8)}
    assert marks == {os.getpid()}, marks
    assert ready.pool.submit(os.getpid).result() != os.getpid()
with workers.ready_workers(0) as ready:
    assert ready is None
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")
def test_ready_processes_are_forks_with_all_that_was_imported() -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", _IN_A_FORK], check=True, timeout=120)


_WAITS = """
import os, time
from pteroassets.platform.workers import ready_workers

with ready_workers(1) as ready:
    print(ready.pool.submit(os.getpid).result(), flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")
def test_a_ready_process_ends_with_the_one_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _WAITS], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    worker.wait(timeout=60)


def test_a_process_with_other_threads_is_not_forked() -> None:
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    try:
        with ready_workers(2) as ready:
            assert ready is None
    finally:
        done.set()
        other.join()
