"""The platform as the end-to-end tests start it, for a benchmark to look at; runs in either checkout's own process.

Takes a JSON object with ``passes`` and ``idle_seconds``, prints one with what they cost. The simulated panel is this
process, whose time does not count.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

import pteroassets
from pteroassets.clock import SystemClock
from pteroassets.warehouse.connection import connect
from pteroassets.warehouse.migrate import upgrade
from tests.end_to_end.running import Running, running_platform


def _embedded_postgres() -> Any:
    """Return the class of the embedded Postgres, which stands elsewhere in the older checkout.

    This checkout's own files are asked: what it does not have, an installed one beside it would give.
    """
    package = Path(str(pteroassets.__file__)).parent
    is_older = (package / "warehouse" / "embedded.py").exists()
    name = "pteroassets.warehouse.embedded" if is_older else "pteroassets.platform.postgres.embedded"
    return importlib.import_module(name).EmbeddedPostgres


def _is_of_panel(process: psutil.Process) -> bool:
    """Return whether multiprocessing started it beside us, for the simulated panel."""
    try:
        return any("resource_tracker" in part for part in process.cmdline())
    except psutil.NoSuchProcess:
        return False  # its time counts for whoever waited for it


class Platform:
    """What its processes and those of Postgres cost, and what Dagster's database holds."""

    def __init__(self, running: Running) -> None:
        self.running = running
        # by its name in the older checkout
        self.storage: Any = getattr(running, "storage" if hasattr(running, "storage") else "dagster")
        with connect(running.warehouse) as connection:
            ((backend,),) = connection.execute("select pg_backend_pid()")
            self._postmaster = psutil.Process(backend).parent()

    def _processes(self) -> list[psutil.Process]:
        own = [one for one in psutil.Process(os.getpid()).children(recursive=True) if not _is_of_panel(one)]
        postgres = [self._postmaster, *self._postmaster.children(recursive=True)] if self._postmaster else []
        return [*{process.pid: process for process in [*own, *postgres]}.values()]

    def cpu(self) -> float:
        """Return the CPU seconds until now, those of processes that ended included."""
        total = 0.0
        for process in self._processes():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system + times.children_user + times.children_system
        return total

    def memory(self) -> dict[str, float]:
        """Return the megabytes (PSS) of each kind of process, and of all."""
        found: dict[str, float] = {}
        for process in self._processes():
            try:
                text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
                name = " ".join(process.cmdline())
            except (OSError, psutil.NoSuchProcess):
                continue
            kinds = ("postgres", "dagster-daemon", "dagster_webserver", "code_server", "api grpc", "clean_up")
            kind = next((kind for kind in kinds if kind in name), name[-40:])
            size = re.search(r"^Pss: +(\d+) kB", text, flags=re.MULTILINE)
            found[kind] = found.get(kind, 0) + (int(size[1]) / 1024 if size else 0)
        return {**found, "all": sum(found.values())}

    def dagster_bytes(self) -> float:
        """Return the size of Dagster's tables."""
        self.storage("select pg_stat_force_next_flush()")
        ((size,),) = self.storage(
            "select sum(pg_total_relation_size(oid)) from pg_class "
            "where relkind = 'r' and relnamespace = 'public'::regnamespace"
        )
        return float(size)

    def kept_bytes(self) -> float:
        """Return the size of Dagster's tables an hour later: what is deleted by then and its space are taken out."""
        rule = Path(str(pteroassets.__file__)).parent / "defs" / "sql" / "forget_results.sql"
        if rule.exists():  # the older checkout keeps all results
            self._change_storage(rule.read_text().replace("%(before)s", "'infinity'::timestamp"))
        self._change_storage("vacuum full")
        return self.dagster_bytes()

    def _change_storage(self, text: str) -> None:
        """Execute what returns no rows, which either checkout's way of asking expects."""
        ((database,),) = self.storage("select current_database()")
        with connect(self.running.warehouse.with_database(database), autocommit=True) as connection:
            connection.execute(text)

    def results_bytes(self) -> float:
        """Return what the newest result of each check takes, by the average of a row with its indexes."""
        ((size,),) = self.storage(
            """
            select (select count(distinct (asset_key, check_name)) from asset_check_executions) * (
                pg_total_relation_size('asset_check_executions')::float / (select count(*) from asset_check_executions)
                + pg_indexes_size('event_logs')::float / (select count(*) from event_logs)
                + (
                    select avg(pg_column_size(events.*)) from event_logs as events
                    where dagster_event_type = 'ASSET_CHECK_EVALUATION'
                )
            )
            """
        )
        return float(size)

    def rows(self) -> int:
        """Return the rows of events, checks and tags in Dagster's database."""
        tables = ("event_logs", "asset_check_executions", "asset_event_tags", "runs", "run_tags", "job_ticks")
        return sum(self.storage(f"select count(*) from {table}")[0][0] for table in tables)

    def _end_of(self, run_id: str) -> str:
        """Return how a run ended, asked of the database: the webserver's answers would count as its cost."""
        while True:
            ((status,),) = self.storage(f"select status from runs where run_id = '{run_id}'")
            if status in ("SUCCESS", "FAILURE", "CANCELED"):
                return str(status)
            time.sleep(0.3)

    def run(self, job: str) -> dict[str, float]:
        """Run *job* once; return what it cost, from its launch until its worker is gone."""
        self.running.wait_until_idle()
        cpu, size, rows, wall = self.cpu(), self.dagster_bytes(), self.rows(), time.monotonic()
        run_id = self.running.launch(job)
        status = self._end_of(run_id)
        if status != "SUCCESS":
            raise RuntimeError(f"run {run_id} of {job} ended with {status}")
        wall = time.monotonic() - wall
        time.sleep(1)
        return {
            "cpu": self.cpu() - cpu,
            "wall": wall,
            "bytes": self.dagster_bytes() - size,
            "rows": self.rows() - rows,
        }


def costs(passes: dict[str, int], idle_seconds: float, servers: str) -> dict[str, Any]:
    """Return what *passes* of each job cost, one by one, and what the platform costs while none runs."""
    anchor = datetime.now(tz=UTC).replace(second=0, microsecond=0)
    simulated = importlib.import_module(running_platform.__module__).World
    size = vars(importlib.import_module(simulated.__module__))["WorldSize"](servers)
    world = simulated.create(seed=5, anchor=anchor, size=size, history=timedelta(days=2))
    with (
        tempfile.TemporaryDirectory(prefix="pteroassets-bench-") as folder,
        _embedded_postgres().temporary() as server,
    ):
        template = server.with_database("template_of_bench")
        with connect(server.with_database("postgres"), autocommit=True) as admin:
            admin.execute('create database "template_of_bench"')
        upgrade(template)
        with running_platform(template, Path(folder), world, SystemClock()) as running:
            platform = Platform(running)
            found: dict[str, Any] = {"everything": [platform.run("everything")], "kept": {}}
            for job, number in passes.items():
                platform.run(job)  # the first one reads what no later one does
                before = platform.kept_bytes()
                found[job] = [platform.run(job) for _ in range(number)]
                found["kept"][job] = (platform.kept_bytes() - before) / number
            found["results"] = platform.results_bytes()
            running.wait_until_idle()
            cpu, wall = platform.cpu(), time.monotonic()
            time.sleep(idle_seconds)
            found["idle_share"] = (platform.cpu() - cpu) / (time.monotonic() - wall)
            found["memory"] = platform.memory()
    return found


if __name__ == "__main__":
    print(json.dumps(costs(**json.loads(sys.argv[1]))))
