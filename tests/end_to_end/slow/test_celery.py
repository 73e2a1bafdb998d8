"""A back-fill shared by two Celery workers, one of them killed: the rows of one machine, within the panel's limit."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest
from pydantic import SecretStr

from pteroassets.definitions import defs
from pteroassets.defs.backfill import GROUPS
from pteroassets.defs.dbt_project import DBT_TARGET_VARIABLE
from pteroassets.landing.minecraft.collection import LOGS
from pteroassets.landing.minecraft.sessions import RUNS, SESSIONS
from pteroassets.platform.celery_worker import worker_command
from pteroassets.platform.environment import environment
from pteroassets.platform.loopback import HOST, free_port, is_open
from pteroassets.settings import CHECKOUT, Settings
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.end_to_end.conftest import NewPlatform
from tests.harness import Platform, table_rows
from tests.parsed import prepare_target

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]

TABLES = [
    *("raw_minecraft.log_files", "raw_minecraft.events"),
    *("derived_minecraft.player_sessions", "derived_minecraft.server_runs"),
]
REDELIVERY_SECONDS = 10
_PASSWORD = "a-password-of-the-tests"


def back_fill() -> Any:
    """Return the job; workers find this function by its name."""
    return _location().resolve_job_def("logs_backfill")


@cache
def _location() -> dg.Definitions:
    """Load the code location once in each process, as a worker does that finds it by its module."""
    return defs()


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Start the broker as deploy/celery describes it, with a port and a password of the test's."""
    program = shutil.which("redis-server")
    if program is None:
        reason = "no redis-server on the PATH; Debian and Ubuntu have it in the package redis-server"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    port = free_port()
    command = [program, CHECKOUT / "deploy" / "celery" / "redis.conf"]
    command += ["--bind", HOST, "--port", str(port), "--requirepass", _PASSWORD, "--dir", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not is_open(port):
            assert time.monotonic() < deadline, "Redis did not start"
            time.sleep(0.05)
        yield f"redis://:{_PASSWORD}@{HOST}:{port}/0"
    finally:
        server.terminate()
        server.wait()


@contextmanager
def worker(settings: Settings, name: str, folder: Path) -> Iterator[psutil.Process]:
    """Start a worker as `pteroassets worker` does; all of it is gone at the end."""
    command, variables = worker_command(settings, name=name, processes=1)
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **variables}, stdout=log, stderr=log)
    started = psutil.Process(process.pid)
    try:
        yield started
    finally:
        kill(started)
        process.wait()


def kill(process: psutil.Process) -> None:
    """Kill a worker with its children, as a machine that is switched off does."""
    if process.is_running():
        for one in [process, *process.children(recursive=True)]:
            one.kill()


def kill_in_the_middle(process: psutil.Process, log: Path) -> int:
    """Kill a worker once it has begun its second task; return how many it had begun."""
    while (begun := log.read_text().count("] received")) < 2:
        assert process.is_running(), log.read_text()
        time.sleep(0.05)
    kill(process)
    return begun


def rows(platform: Platform) -> dict[str, list[tuple[object, ...]]]:
    with connect(platform.settings, autocommit=True) as connection:
        return {table: table_rows(connection, table, without={"fetched_at"}) for table in TABLES}


def test_two_workers_one_of_them_killed_land_the_rows_of_one_machine(
    new_platform: NewPlatform,
    make_instance: Callable[[], dg.DagsterInstance],
    warehouse_settings: ConnectionSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    platform = new_platform()
    platform.clock.move_to(platform.simulation.world.anchor)
    platform.entities()
    platform.logs()
    expected = rows(platform)
    assert all(expected.values())
    with connect(platform.settings, autocommit=True) as connection:
        connection.execute(f"truncate {', '.join([*LOGS.content, LOGS.files, LOGS.reads, SESSIONS, RUNS])}")
    before = len(platform.simulation.requests.entries)

    with ExitStack() as stack:
        settings = platform.landing.settings.model_copy(
            update={
                "pteroassets_home": tmp_path / "home",
                "pteroassets_dagster_database": f"dagster_{warehouse_settings.database}",
                "pteroassets_celery_broker": SecretStr(stack.enter_context(redis(tmp_path))),
                "pteroassets_celery_redelivery_seconds": REDELIVERY_SECONDS,
            }
        )
        instance = stack.enter_context(make_instance())
        variables = environment(settings, tmp_path / "home")
        prepare_target(variables, Path(variables[DBT_TARGET_VARIABLE]))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        first = stack.enter_context(worker(settings, "one", tmp_path))
        stack.enter_context(worker(settings, "two", tmp_path))
        with ThreadPoolExecutor() as beside:
            is_killed = beside.submit(kill_in_the_middle, first, tmp_path / "one.log")
            result = dg.execute_job(dg.reconstructable(back_fill), instance=instance, raise_on_error=True)
            assert is_killed.result() < GROUPS
        assert result.success
        with connect(
            warehouse_settings.with_database(settings.pteroassets_dagster_database), autocommit=True
        ) as connection:
            begun = "substring(event from '(one|two)@')"
            workers = connection.execute(
                f"select count(distinct {begun}) from event_logs where event like '%Celery worker%'"
            ).fetchone()
            assert workers == (2,)
            for table in ("runs", "event_logs", "snapshots"):
                text = f"select count(*) from {table} as rows where rows::text like %s"
                assert connection.execute(text, (f"%{_PASSWORD}%",)).fetchone() == (0,), table
    assert rows(platform) == expected
    statuses = {entry.status for entry in platform.simulation.requests.entries[before:]}
    assert 429 not in statuses
