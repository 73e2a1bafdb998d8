"""A back-fill on several cores: the rows of one process, also where a process is killed in the middle."""

from __future__ import annotations

import dataclasses
import multiprocessing
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

import pytest

from pteroassets.landing.context import Landing
from pteroassets.landing.minecraft.collection import LOGS
from pteroassets.landing.minecraft.sessions import RUNS, SESSIONS
from pteroassets.landing.passes import Advance
from pteroassets.landing.servers import ServerGroup
from pteroassets.landing.sources import PASSES
from pteroassets.platform.environment import RuntimeFault
from pteroassets.platform.workers import backfill_on_cores
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
    assert [len(group) for group in groups] == [1, 1]
    assert sum(group[0].rows_read for group in groups) == alone[0].rows_read
    assert all(group[0].rows_read for group in groups)


def test_processes_are_started_only_where_there_is_much_to_fetch(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, away = [], []  # numbers of the groups
    logs = PASSES["logs"]

    def fetch(_landing: Landing, advance: Advance, group: ServerGroup) -> list[LoadReport]:
        here.append(group.number)
        advance(0, 1_000 if group.number == 1 else 10)
        return []

    def submit(_pool: ProcessPoolExecutor, _call: object, *arguments: Any) -> Future[list[LoadReport]]:
        away.append(arguments[-1].number)
        future: Future[list[LoadReport]] = Future()
        future.set_result([])
        return future

    monkeypatch.setitem(PASSES, "logs", dataclasses.replace(logs, backfill=fetch))
    monkeypatch.setattr(ProcessPoolExecutor, "submit", submit)
    seen: list[tuple[int, int]] = []
    found = backfill_on_cores(
        platform.landing, "logs", lambda *progress: seen.append(progress), processes=4, worth_bytes=1_000
    )
    assert found == [[], [], [], []]
    assert (here, away) == ([0, 1], [2, 3])
    assert seen == [(0, 10), (0, 1_010)]
