"""What maintenance takes away of a platform that has run each of its jobs."""

from __future__ import annotations

import pytest

from pteroassets.warehouse.connection import connect
from tests.aging import growth_by_guide, let_a_day_pass
from tests.end_to_end.running import Running

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(900)]


@pytest.mark.last
@pytest.mark.usefixtures("refused_runs")
def test_maintenance_leaves_nothing_of_runs_that_are_old(built: Running) -> None:
    (target,) = built.folder.glob("dbt_target/*")
    failed = target / "dbt_models-0123abc-0123abc"
    failed.mkdir()
    day = built.ask("select max(log_date) from raw_minecraft.log_files where not is_live")[0][0]
    assert built.wait(built.launch("reload_log_day", tags={"dagster/partition": day.isoformat()})) == "SUCCESS"
    built.wait_until_idle()
    old = {run["runId"] for run in built.runs()}
    with connect(built.warehouse.with_database(built.dagster_database), autocommit=True) as connection:
        let_a_day_pass(connection, built.folder, days=40)
    run_id = built.launch("maintenance")
    assert built.wait(run_id) == "SUCCESS"
    assert old
    columns = built.storage(
        "select table_name, column_name from information_schema.columns where table_schema = 'public' "
        "and column_name in ('run_id', 'last_run_id')"
    )
    tables = {table: column for table, column in columns}  # noqa: C416 - mypy sees rows of any length
    assert {"runs", "run_tags", "event_logs", "asset_check_executions"} <= tables.keys()
    left = {
        table: len(built.storage(f"select from {table} where {column} = any(array{sorted(old)})"))
        for table, column in tables.items()
    }
    # the newest event and check of each asset, by which it is known what it is
    newest = {name: left.pop(name) for name in ("event_logs", "asset_check_executions", "asset_keys")}
    assert left == dict.fromkeys(left, 0)
    checks = built.storage("select count(distinct (asset_key, check_name)) from asset_check_executions")[0][0]
    assert newest["asset_check_executions"] <= checks
    assert newest["event_logs"] <= 5 * built.storage("select count(*) from asset_keys")[0][0]
    assert [path.name for path in (built.folder / "artifacts").rglob("*") if path.name in old] == []
    assert not failed.exists()
    # none of the jobs that make files of another name has left one
    assert [path.name for path in target.iterdir() if path.is_dir()] == []
    guide = growth_by_guide()
    assert [path.name for path in built.folder.iterdir() if path.is_dir() and path.name not in guide] == []
