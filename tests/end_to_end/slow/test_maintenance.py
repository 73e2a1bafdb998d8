"""What maintenance takes away of a platform that has run each of its jobs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pteroassets.clock import SystemClock
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.aging import growth_by_guide, let_a_day_pass
from tests.end_to_end.running import Running, running_platform

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(900)]


@pytest.fixture
def used(migrated_template: ConnectionSettings, tmp_path: Path) -> Iterator[Running]:
    """A platform of this test's own, since maintenance takes away what others look at, with runs of several jobs."""
    anchor = datetime.now(tz=UTC).replace(second=0, microsecond=0)
    world = World.create(seed=5, anchor=anchor, size=WorldSize.TINY, history=timedelta(days=2))
    with running_platform(migrated_template, tmp_path, world, SystemClock()) as running:
        assert running.wait(running.launch("everything")) == "SUCCESS"
        running.refused_runs(1)
        day = running.ask("select max(log_date) from raw_minecraft.log_files where not is_live")[0][0]
        assert running.wait(running.launch("reload_log_day", tags={"dagster/partition": day.isoformat()})) == "SUCCESS"
        yield running


def test_maintenance_leaves_nothing_of_runs_that_are_old(used: Running) -> None:
    (target,) = used.folder.glob("dbt_target/*")
    failed = target / "dbt_models-0123abc-0123abc"
    failed.mkdir()
    used.wait_until_idle()
    old = {run["runId"] for run in used.runs()}
    with connect(used.warehouse.with_database(used.dagster_database), autocommit=True) as connection:
        let_a_day_pass(connection, used.folder, days=40)
    run_id = used.launch("maintenance")
    assert used.wait(run_id) == "SUCCESS"
    assert old
    columns = used.storage(
        "select table_name, column_name from information_schema.columns where table_schema = 'public' "
        "and column_name in ('run_id', 'last_run_id')"
    )
    tables = {table: column for table, column in columns}  # noqa: C416 - mypy sees rows of any length
    assert {"runs", "run_tags", "event_logs", "asset_check_executions"} <= tables.keys()
    left = {
        table: len(used.storage(f"select from {table} where {column} = any(array{sorted(old)})"))
        for table, column in tables.items()
    }
    # the newest event and check of each asset, by which it is known what it is
    newest = {name: left.pop(name) for name in ("event_logs", "asset_check_executions", "asset_keys")}
    assert left == dict.fromkeys(left, 0)
    checks = used.storage("select count(distinct (asset_key, check_name)) from asset_check_executions")[0][0]
    assert newest["asset_check_executions"] <= checks
    assert newest["event_logs"] <= 5 * used.storage("select count(*) from asset_keys")[0][0]
    assert [path.name for path in (used.folder / "artifacts").rglob("*") if path.name in old] == []
    assert not failed.exists()
    # none of the jobs that make files of another name has left one
    assert [path.name for path in target.iterdir() if path.is_dir()] == []
    guide = growth_by_guide()
    assert [path.name for path in used.folder.iterdir() if path.is_dir() and path.name not in guide] == []
