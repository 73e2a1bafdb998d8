"""A week of runs and ticks, of which each day is pruned: every store of Dagster stays as large as it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pteroassets.clock import ManualClock
from pteroassets.defs import maintenance, private
from pteroassets.defs.retention import prune_assets_of_no_code, prune_builds, prune_files, prune_runs
from pteroassets.landing.context import Landing
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.aging import growth_by_guide, let_a_day_pass, rows_of

pytestmark = pytest.mark.postgres

DAYS = 7
KEEP = timedelta(days=2)


def run_a_path(instance: dg.DagsterInstance, version: int) -> None:
    """Run what a path runs: an asset that says something, with a check; each *version* of it is another job."""

    @dg.asset(description=f"version {version}", check_specs=[dg.AssetCheckSpec("is_right", asset="a_table")])
    def a_table() -> dg.MaterializeResult:
        print("said by the run")
        return dg.MaterializeResult(metadata={"rows": 1}, check_results=[dg.AssetCheckResult(passed=True)])

    assert dg.materialize([a_table], instance=instance, tags={"a": "tag"}).success


def leave_what_the_daemon_leaves(instance: dg.DagsterInstance, number: int) -> None:
    """Report what belongs to no run, and write what a sensor logs in a tick."""
    instance.report_runless_asset_event(dg.AssetObservation("a_table", metadata={"number": number}))
    log = Path(instance.storage_directory()).parent / "__repository__" / "a_sensor" / f"{number}.err"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("said by the tick")


def test_a_week_of_runs_leaves_no_more_than_what_is_kept(
    make_instance: Callable[[], dg.DagsterInstance], warehouse_settings: ConnectionSettings, tmp_path: Path
) -> None:
    instance = make_instance()
    dagster_database = warehouse_settings.with_database(f"dagster_{warehouse_settings.database}")
    with connect(dagster_database, autocommit=True) as tables:
        sizes = []
        for day in range(DAYS):
            for tick in range(3):
                run_a_path(instance, day)
                leave_what_the_daemon_leaves(instance, day * 3 + tick)
            let_a_day_pass(tables, tmp_path)
            before = datetime.now(UTC) - KEEP
            prune_runs(instance, before)
            prune_files(instance, before)
            files = {"files": sum(path.is_file() for path in tmp_path.rglob("*"))}
            sizes.append(rows_of(tables) | files)
        assert sizes[1]["runs"] > 0
        assert sizes[1]["asset_check_executions"] > 0
        assert sizes[1]["files"] > 0
        assert {name: rows for name, rows in sizes[-1].items() if rows > sizes[3][name]} == {}
        guide = growth_by_guide()
        assert {name: guide.get(name) for name in rows_of(tables)} == dict.fromkeys(rows_of(tables), "not")
        # what the page of an asset shows is there, however old it is
        for _ in range(9):
            let_a_day_pass(tables, tmp_path)
        prune_runs(instance, datetime.now(UTC) - KEEP)
        left = rows_of(tables)
        assert (left["runs"], left["run_tags"], left["snapshots"]) == (0, 0, 0)
        assert left["asset_check_executions"] == 1
        assert left["event_logs"] <= 4


def test_of_a_days_results_of_a_check_stay_the_newest_and_those_around_a_failure(
    make_instance: Callable[[], dg.DagsterInstance],
    warehouse_settings: ConnectionSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def check(*, passes: bool) -> None:
        @dg.asset(check_specs=[dg.AssetCheckSpec("is_right", asset="a_table")])
        def a_table() -> dg.MaterializeResult:
            return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=passes)])

        assert dg.materialize([a_table], instance=instance).success

    def results() -> list[str]:
        rows = tables.execute(
            "select execution_status from asset_check_executions "
            "inner join event_logs on event_logs.id = evaluation_event_storage_id order by asset_check_executions.id"
        )
        return [status for (status,) in rows]

    instance = make_instance()
    passed, failed = "SUCCEEDED", "FAILED"
    with connect(warehouse_settings.with_database(f"dagster_{warehouse_settings.database}"), autocommit=True) as tables:
        for passes in (True, True, True, False, True, True, True):
            check(passes=passes)
        # of one day, whenever it is run
        tables.execute("update asset_check_executions set create_timestamp = date_trunc('day', create_timestamp)")
        begun = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        private.forget_results(instance, begun)
        assert results() == [passed, passed, passed, failed, passed, passed, passed]
        let_a_day_pass(tables, tmp_path, days=2)
        for passes in (True, True):
            check(passes=passes)
        # of an earlier day the last stays, of this one all of the last hour; a worker sees to it when its run has ended
        monkeypatch.setattr("dagster._cli.api._execute_run_command_body", lambda *_, **__: None)
        monkeypatch.setattr(private, "_kept", [instance])
        private.execute_run("a run")
        assert results() == [passed, passed, failed, passed, passed, passed, passed]
        private.forget_results(make_instance(), datetime.now(UTC) + timedelta(hours=1))
        assert results() == [passed, passed, failed, passed, passed, passed]
        assert rows_of(tables)["runs"] == 9


def test_an_asset_that_left_the_code_leaves_the_catalog_once_it_is_old(
    make_instance: Callable[[], dg.DagsterInstance],
) -> None:
    @dg.asset
    def of_old_code() -> None: ...

    @dg.asset
    def of_todays_code() -> None: ...

    instance = make_instance()
    dg.materialize([of_old_code, of_todays_code], instance=instance)
    known = [dg.AssetKey("of_todays_code")]
    later = datetime.now(UTC) + timedelta(seconds=5)
    assert prune_assets_of_no_code(instance, known, later - KEEP) == 0
    assert prune_assets_of_no_code(instance, known, later) == 1
    assert prune_assets_of_no_code(instance, known, later) == 0
    assert [key.to_user_string() for key in instance.all_asset_keys()] == ["of_todays_code"]


def test_of_failed_builds_the_newest_stay_and_those_under_way(tmp_path: Path) -> None:
    names = ["dbt_models-0123abc-a000000", "dbt_models-0123abc-a000001", "a000002", "a000003", "a000004"]
    for age, name in enumerate(names):
        (tmp_path / name / "run").mkdir(parents=True)
        then = datetime.now(UTC).timestamp() - age * 3600
        os.utime(tmp_path / name, (then, then))
    for name in ("compiled", "run", "a000005.json"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (1, 1))

    def left() -> list[str]:
        return [name for name in names if (tmp_path / name).exists()]

    assert prune_builds(tmp_path, keep=3, calm=timedelta(minutes=1)) == 2
    assert left() == names[:3]
    assert prune_builds(tmp_path, keep=0, calm=timedelta(minutes=90)) == 1
    assert left() == names[:2]
    assert {"compiled", "run", "a000005.json"} <= {path.name for path in tmp_path.iterdir()}


def test_a_run_by_hand_keeps_what_the_setting_says(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[datetime] = []

    class StoppedError(Exception):
        pass

    def prune_runs(_instance: dg.DagsterInstance, before: datetime) -> None:
        asked.append(before)
        raise StoppedError

    monkeypatch.setattr(maintenance, "prune_runs", prune_runs)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    landing = Landing(settings=Settings(pteroassets_run_retention_days=365), clock=ManualClock(now))  # type: ignore[call-arg]
    for config in (maintenance.PruneConfig(), maintenance.PruneConfig(keep_days=7)):
        with pytest.raises(StoppedError), dg.build_op_context() as context:
            maintenance.prune(context, config, landing)
    assert asked == [now - timedelta(days=365), now - timedelta(days=7)]
