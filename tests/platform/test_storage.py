"""Dagster's storage as dagster.yaml describes it, on a real Postgres: how many connections it makes, and loses."""

from __future__ import annotations

import gc
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from dagster import AssetKey, DagsterInstance, DagsterRun
from sqlalchemy import Engine, event

from pteroassets.defs import private
from pteroassets.settings import CHECKOUT
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect

RUN = DagsterRun(job_name="a_job", run_id=str(uuid.uuid4()))


@pytest.fixture
def admin(warehouse_settings: ConnectionSettings) -> Iterator[Connection]:
    with connect(warehouse_settings.with_database("postgres"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def backends(admin: Connection, warehouse_settings: ConnectionSettings) -> Callable[[], list[int]]:
    """The processes of Postgres that serve Dagster's database now."""
    database = f"dagster_{warehouse_settings.database}"

    def ask() -> list[int]:
        return [pid for (pid,) in admin.execute("select pid from pg_stat_activity where datname = %s", [database])]

    return ask


def messages(instance: DagsterInstance) -> list[str | None]:
    return [entry.get_dagster_event().message for entry in instance.all_logs(RUN.run_id)]


def test_events_runs_and_schedules_share_a_connection_that_is_kept(
    make_instance: Callable[[], DagsterInstance], backends: Callable[[], list[int]]
) -> None:
    instance = make_instance()
    served_by = []
    for number in range(3):
        instance.report_engine_event(f"event {number}", RUN)
        served_by.append(backends())
        instance.get_runs()
        served_by.append(backends())
        instance.all_instigator_state()
        served_by.append(backends())
    assert len(served_by[0]) == 1
    assert served_by == [served_by[0]] * 9
    assert messages(instance) == ["event 0", "event 1", "event 2"]


def test_a_connection_that_the_server_closed_is_replaced(
    make_instance: Callable[[], DagsterInstance], backends: Callable[[], list[int]], admin: Connection
) -> None:
    instance = make_instance()
    instance.report_engine_event("before", RUN)
    [closed] = backends()
    admin.execute("select pg_terminate_backend(%s, 10000)", [closed])
    instance.report_engine_event("after", RUN)
    assert messages(instance) == ["before", "after"]
    assert closed not in backends()


def test_threads_leave_one_connection_and_an_instance_none(
    make_instance: Callable[[], DagsterInstance], backends: Callable[[], list[int]]
) -> None:
    def use(instance: DagsterInstance) -> None:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda number: instance.report_engine_event(f"event {number}", RUN), range(64)))
        assert become(1)
        assert len(messages(instance)) == 64

    def become(number: int) -> bool:
        # a process of Postgres ends a moment after its connection was closed, a busy machine's later
        until = time.monotonic() + 60
        while len(backends()) != number and time.monotonic() < until:
            time.sleep(0.05)
        return len(backends()) == number

    use(make_instance())
    gc.collect()
    assert become(0)


def test_the_columns_of_a_table_are_asked_for_once(make_instance: Callable[[], DagsterInstance]) -> None:
    instance = make_instance()
    asked: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        found = []
        for _ in range(2):
            asked.clear()
            instance.get_asset_records([AssetKey("an_asset")])
            instance.get_run_record_by_id(RUN.run_id)
            instance.all_instigator_state()
            instance.get_instigator_state("an origin", "a selector")
            assert instance.schedule_storage is not None
            assert instance.schedule_storage.supports_batch_queries
            found.append([statement for statement in asked if "pg_catalog" in statement])
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    assert found[0]
    assert found[1] == []


def test_what_is_kept_for_the_runs_that_are_forked_holds_no_connection(
    make_instance: Callable[[], DagsterInstance],
    backends: Callable[[], list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(DagsterInstance, "get", lambda: DagsterInstance.from_config(str(CHECKOUT)))
    make_instance()
    private.keep_instance()
    until = time.monotonic() + 60
    while backends() and time.monotonic() < until:
        time.sleep(0.05)
    assert backends() == []
    (kept,) = private._kept
    private._kept.clear()
    with kept as instance:
        instance.report_engine_event("from a run", RUN)
        assert messages(instance) == ["from a run"]


def test_a_pool_that_another_run_has_just_made_is_no_fault(make_instance: Callable[[], DagsterInstance]) -> None:
    instance = make_instance()
    for _ in range(2):
        assert instance.event_log_storage.initialize_concurrency_limit_to_default("logs")
    assert [(pool.name, pool.limit, pool.from_default) for pool in instance.event_log_storage.get_pool_limits()] == [
        ("logs", 1, True)
    ]
