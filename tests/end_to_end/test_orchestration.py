"""The platform as an operator runs it: Dagster's processes, its schedules, its checks, and a killed worker."""

from __future__ import annotations

import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pteroassets.clock import ManualClock
from pteroassets.platform.failures import FailedRuns
from pteroassets.settings import CHECKOUT
from pteroassets.simulator.panel.faults import Fault
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.aging import growth_by_guide, let_a_day_pass
from tests.end_to_end.conftest import ANCHOR, NewPlatform
from tests.end_to_end.running import Running, running_platform
from tests.harness import PII_KEY, RAW_TABLES, table_rows

RETRIES = 2  # of a crashed run, as dagster.yaml says

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(600)]


def test_one_job_lands_everything_and_builds_every_model(built: Running) -> None:
    for table in ("raw_pterodactyl.servers", "raw_minecraft.player_sessions", "marts.fct_server_daily"):
        assert built.ask(f"select count(*) from {table}")[0][0] > 0, table


def test_tests_of_dbt_and_our_own_checks_are_checks_of_the_assets(built: Running) -> None:
    found = built.checks()
    assert found['["pterodactyl", "eggs"] read_completely']
    assert found['["pterodactyl", "utilization_samples"] unknown_is_not_zero']
    assert sum("fct_server_daily" in name for name in found) > 3
    assert [name for name, passed in found.items() if not passed] == []


def test_materializations_bear_figures_columns_and_column_lineage(built: Running) -> None:
    def newest(key: str) -> str:
        return str(
            built.dagster(
                "select event from event_logs where dagster_event_type = 'ASSET_MATERIALIZATION' "
                f"and asset_key = '{key}' order by id desc limit 1"
            )[0][0]
        )

    raw = newest('["pterodactyl", "servers"]')
    for name in ("dagster/row_count", "dagster/column_schema", "requests", "rate_limit_remaining", "seconds", "gone"):
        assert f'"{name}"' in raw, name
    mart = newest('["marts", "fct_server_daily"]')
    for name in ("dagster/row_count", "dagster/column_schema", "dagster/column_lineage"):
        assert f'"{name}"' in mart, name


def test_a_build_parses_nothing_anew_and_leaves_no_files(built: Running) -> None:
    printed = "".join(path.read_text() for path in built.folder.glob("artifacts/*/compute_logs/*") if path.is_file())
    assert "Completed successfully" in printed
    assert "Unable to do partial parsing" not in printed
    # a schedule's build may be under way, and a checkout may hold what others left
    ended = [run_id[:7] for (run_id,) in built.dagster("select run_id from runs where status = 'SUCCESS'")]
    assert ended
    for run in ended:
        left = [
            *built.folder.glob(f"dbt_target/*/dbt_models-{run}-*"),
            *(CHECKOUT / "dbt_project").glob(f"target/dbt_models-{run}-*"),
        ]
        assert left == [], run


def worker_of_a_new_run(running: Running, known: set[str], *, seconds: float) -> tuple[str, int]:
    """Return the newest run of the job everything that is not *known*, and its worker's process id."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        rows = running.dagster(
            "select runs.run_id, event_logs.event from runs inner join event_logs on event_logs.run_id = runs.run_id "
            "where runs.pipeline_name = 'everything' and event_logs.event like '%in process (pid: %' "
            "order by runs.id desc limit 1"
        )
        if rows and rows[0][0] not in known:
            found = re.search(r"in process \(pid: (\d+)\)", rows[0][1])
            assert found is not None
            return str(rows[0][0]), int(found[1])
        time.sleep(0.05)
    story = running.dagster(
        "select event_logs.timestamp, event_logs.run_id, dagster_event_type, step_key from event_logs "
        "inner join runs on runs.run_id = event_logs.run_id where runs.pipeline_name = 'everything' "
        "and dagster_event_type in ('PIPELINE_ENQUEUED', 'PIPELINE_STARTING', 'ENGINE_EVENT', 'PIPELINE_START', "
        "'STEP_START', 'PIPELINE_FAILURE') order by event_logs.id desc limit 30"
    )
    lines = [" ".join(str(part) for part in row) for row in reversed(story)]
    daemon = running.supervisor.log_of("dagster-daemon").read_text().splitlines()[-30:]
    text = "\n".join([f"no new run of the job everything began within {seconds} seconds", *lines, *daemon])
    raise TimeoutError(text)


@pytest.mark.alone
def test_a_run_worker_killed_at_any_point_is_followed_by_another_that_leaves_the_same_tables(
    migrated_template: ConnectionSettings, new_platform: NewPlatform, tmp_path: Path
) -> None:
    undisturbed = new_platform(history=timedelta(days=2))
    undisturbed.interval = timedelta(minutes=5)
    undisturbed.clock.move_to(ANCHOR)

    def build_undisturbed() -> None:
        undisturbed.everything()
        undisturbed.build()

    world = World.create(
        seed=undisturbed.simulation.world.seed, anchor=ANCHOR, size=WorldSize.TINY, history=timedelta(days=2)
    )
    steps = (
        None,  # while the worker is still importing
        "panel_entities",
        "pterodactyl__utilization_samples",
        "collected_logs",
        "minecraft__events",
        "dbt_models",
    )
    # no schedule ticks: its run would take a pool from the run that is killed, and land samples of its own
    beside = ThreadPoolExecutor()
    is_built = beside.submit(build_undisturbed)  # while the services start
    with beside, running_platform(migrated_template, tmp_path, world, ManualClock(ANCHOR), fixed_at=ANCHOR) as running:
        is_built.result()  # before anything is timed
        known: set[str] = set()
        resumed = []
        killed_in = []
        running.launch("everything")
        run_id, worker = worker_of_a_new_run(running, known, seconds=90)
        for step in steps:
            known.add(run_id)
            wait_for_step(running, step, run_id)
            killed_in.append(step_of(running, run_id))
            os.kill(worker, signal.SIGKILL)
            killed_at = time.monotonic()
            if len(known) % (1 + RETRIES) == 0:
                # the daemon retried this run as often as it does: an operator starts another
                assert running.wait(run_id, seconds=30) == "FAILURE"
                running.launch("everything")
                run_id, worker = worker_of_a_new_run(running, known, seconds=90)
            else:
                run_id, worker = worker_of_a_new_run(running, known, seconds=60)
                resumed.append(time.monotonic() - killed_at)
        assert resumed, "no killed run was followed by a retry of the daemon's own"
        assert max(resumed) < 30, f"work resumed after {max(resumed):.0f} seconds"
        assert len(set(killed_in)) > 2, f"the kills fell into {killed_in} alone"
        if running.wait(run_id) != "SUCCESS":
            # the dbt of a killed worker outlives it and may have been in the way: the next run is what counts
            run_id = running.launch("everything")
            assert running.wait(run_id) == "SUCCESS"
        with (
            connect(running.warehouse, autocommit=True) as found,
            connect(undisturbed.settings, autocommit=True) as expected,
        ):
            for table in [*RAW_TABLES, *MARTS]:
                assert (table_rows(found, table) == table_rows(expected, table)) is True, table


MARTS = [
    f"marts.{name}"
    for name in (
        "dim_servers", "dim_servers_history", "dim_users", "dim_eggs", "dim_players", "fct_player_sessions",
        "fct_utilization_hourly", "fct_server_daily",
    )
]  # fmt: skip


def wait_for_step(running: Running, step: str | None, run_id: str) -> None:
    """Return when a run has begun *step*, or at once where there is none."""
    deadline = time.monotonic() + 120
    while step is not None and not running.dagster(
        "select from event_logs where dagster_event_type = 'STEP_START' "
        f"and step_key = '{step}' and run_id = '{run_id}'"
    ):
        assert time.monotonic() < deadline, f"{step} did not begin"
        time.sleep(0.02)


def step_of(running: Running, run_id: str) -> str:
    """The step that a run is in."""
    rows = running.dagster(
        f"select step_key from event_logs where dagster_event_type = 'STEP_START' and run_id = '{run_id}' "
        "order by id desc limit 1"
    )
    return str(rows[0][0]) if rows else "start-up"


def test_failed_runs_are_each_reported_once(built: Running) -> None:
    begun = datetime.now(tz=UTC)
    built.simulation.faults.add(Fault(status=401, route="application"))
    failed = [built.launch("entities") for _ in range(2)]
    assert [built.wait(run_id) for run_id in failed] == ["FAILURE", "FAILURE"]
    terminal = FailedRuns(built.port, since=begun)
    told = [line for line in terminal.news() if any(run_id in line for run_id in failed)]
    assert len(told) == 2
    assert all(re.match(r"\d\d:\d\d UTC  \w+ failed: \w+: .+  http://127", line) for line in told), told
    assert list(terminal.news()) == []
    built.simulation.faults.clear()
    log = built.supervisor.log_of("dagster-code-server")

    def reports() -> list[int]:
        text = log.read_text()
        return [text.count(f"run {run_id} of job entities failed") for run_id in failed]

    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and not all(reports()):
        time.sleep(0.5)
    assert reports() == [1, 1]


def test_an_operator_can_reload_one_day_of_logs(built: Running) -> None:
    day = built.ask("select max(log_date) from raw_minecraft.log_files where not is_live")[0][0]
    before = built.ask("select count(*) from raw_minecraft.events")
    run_id = built.launch("reload_log_day", tags={"dagster/partition": day.isoformat()})
    assert built.wait(run_id) == "SUCCESS"
    reloaded = built.ask(f"select count(*) from raw_minecraft.log_files where log_date = '{day}'")[0][0]
    assert reloaded > 0
    assert built.ask("select count(*) from raw_minecraft.events")[0][0] >= before[0][0]


def test_no_secret_stands_in_dagsters_tables_its_logs_or_what_the_processes_printed(built: Running) -> None:
    # the faults of the tests above made exceptions of HTTP errors, whose texts would show addresses and keys
    secrets = {
        **{name: text for name, text in CANARIES.items() if name not in ("email", "chat", "command")},
        "application key": built.simulation.application_key,
        "client key": built.simulation.client_key,
        "password of Postgres": built.warehouse.password,
        "key of the hashes": PII_KEY.decode(),
    }
    files = [path for path in built.folder.rglob("*") if path.is_file() and "log_store" not in path.parts]
    assert any(path.name == "dagster-daemon.log" for path in files)
    found = [
        (str(path), name) for path in files for name, secret in secrets.items() if secret.encode() in path.read_bytes()
    ]
    with connect(built.warehouse.with_database(built.dagster_database), autocommit=True) as connection:
        tables = [
            row[0]
            for row in connection.execute(
                "select table_name from information_schema.tables where table_schema = 'public'"
            )
        ]
        assert "event_logs" in tables
        for table in tables:
            for name, secret in secrets.items():
                count = connection.execute(
                    f'select count(*) from "{table}" as row where strpos(row::text, %s) > 0', (secret,)
                ).fetchone()
                if count and count[0]:
                    found.append((table, name))
    assert found == []


def test_a_schedules_tick_launches_a_run_that_adds_rows(built: Running) -> None:
    before = built.ask("select max(pass_at) from raw_pterodactyl.utilization_samples")[0][0]
    built.start_schedule("utilization_schedule")
    deadline = time.monotonic() + 180
    ticked: list[tuple[Any, ...]] = []
    while not ticked and time.monotonic() < deadline:
        ticked = built.dagster(
            "select runs.run_id from runs inner join run_tags on run_tags.run_id = runs.run_id "
            "where run_tags.key = 'dagster/schedule_name' and run_tags.value = 'utilization_schedule' "
            "order by runs.id limit 1"
        )
        time.sleep(0.5)
    built.stop_schedules()
    assert ticked, "no tick of utilization_schedule launched a run"
    assert built.wait(ticked[0][0]) == "SUCCESS"
    passes = built.ask(
        "select pass_at, count(*) from raw_pterodactyl.utilization_samples "
        f"where pass_at > '{before}' group by pass_at order by pass_at limit 1"
    )
    assert passes, "the run added no samples"
    pass_at, samples = passes[0]
    assert samples == len(built.simulation.truth.entities(pass_at)["servers"])


def test_maintenance_leaves_nothing_of_runs_that_are_old(built: Running) -> None:
    # after all others, since it takes away what they look at
    (target,) = built.folder.glob("dbt_target/*")
    failed = target / "dbt_models-0123abc-0123abc"
    failed.mkdir()
    built.wait_until_idle()
    old = {run_id for (run_id,) in built.dagster("select run_id from runs")}
    with connect(built.warehouse.with_database(built.dagster_database), autocommit=True) as connection:
        let_a_day_pass(connection, built.folder, days=40)
    run_id = built.launch("maintenance")
    assert built.wait(run_id) == "SUCCESS"
    assert old
    columns = built.dagster(
        "select table_name, column_name from information_schema.columns where table_schema = 'public' "
        "and column_name in ('run_id', 'last_run_id')"
    )
    tables = {table: column for table, column in columns}  # noqa: C416 - mypy sees rows of any length
    assert {"runs", "run_tags", "event_logs", "asset_check_executions"} <= tables.keys()
    left = {
        table: len(built.dagster(f"select from {table} where {column} = any(array{sorted(old)})"))
        for table, column in tables.items()
    }
    # the newest event and check of each asset, by which it is known what it is
    newest = {name: left.pop(name) for name in ("event_logs", "asset_check_executions", "asset_keys")}
    assert left == dict.fromkeys(left, 0)
    checks = built.dagster("select count(distinct (asset_key, check_name)) from asset_check_executions")[0][0]
    assert newest["asset_check_executions"] <= checks
    assert newest["event_logs"] <= 5 * built.dagster("select count(*) from asset_keys")[0][0]
    assert [path.name for path in (built.folder / "artifacts").rglob("*") if path.name in old] == []
    assert not failed.exists()
    # none of the jobs that make files of another name has left one
    assert [path.name for path in target.iterdir() if path.is_dir()] == []
    guide = growth_by_guide()
    assert [path.name for path in built.folder.iterdir() if path.is_dir() and path.name not in guide] == []
