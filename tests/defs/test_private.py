"""What defs/private.py uses of Dagster is as the installed release has it, and nothing else uses any.

How it behaves is held by tests/platform/test_storage.py and test_run_launcher.py, tests/defs/test_retention.py and
test_alarms.py, and tests/dbt/test_checks.py.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pytest
from dagster._cli.api import _execute_run_command_body
from dagster_dbt.core.dbt_cli_event import EventHistoryMetadata, _build_column_lineage_metadata

from pteroassets.defs.private import forget_details
from pteroassets.settings import CHECKOUT

PACKAGE = CHECKOUT / "pteroassets"
PRIVATE = re.compile(
    r"\bdagster\w*\._|\bdagster_(?:dbt|postgres)\.(?:core|utils|auth)\b|\.(?:event_log|run|schedule)_storage\b"
    r"|\b(?:event_logs|asset_event_tags|asset_check_executions|bulk_actions|backfill_tags|run_tags|job_ticks)\b"
)


def test_one_module_alone_uses_what_dagster_does_not_promise() -> None:
    used = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if PRIVATE.search(path.read_text())}
    assert used == {"defs/private.py"}


def test_each_part_says_where_it_is_asked_for() -> None:
    text = (PACKAGE / "defs" / "private.py").read_text()
    assert len(re.findall(r"https://github\.com/dagster-io/dagster/(?:issues|pull)/\d+\b", text)) == 6


def test_dagsters_default_launcher_still_cannot_tell_whether_a_run_is_alive() -> None:
    assert not dg.DefaultRunLauncher().supports_check_run_worker_health


def test_what_is_called_of_dagster_takes_what_it_is_given() -> None:
    assert list(inspect.signature(_execute_run_command_body).parameters) == [
        "run_id", "instance", "write_stream_fn", "set_exit_code_on_failure",
    ]  # fmt: skip
    assert list(inspect.signature(_build_column_lineage_metadata).parameters) == [
        "event_history_metadata", "dbt_resource_props", "manifest", "dagster_dbt_translator", "target_path", "project",
    ]  # fmt: skip
    assert EventHistoryMetadata._fields == ("columns", "parents")


@dg.asset(check_specs=[dg.AssetCheckSpec("is_well", asset="made")])
def made() -> Iterator[Any]:
    yield dg.MaterializeResult(metadata={"rows": 7})
    yield dg.AssetCheckResult(passed=True)


@dg.asset(deps=[made])
def failing() -> None:
    raise RuntimeError("as it should")


@pytest.mark.postgres
def test_a_run_that_succeeded_keeps_what_came_and_one_that_failed_all_of_it(
    make_instance: Callable[[], dg.DagsterInstance],
) -> None:
    def kinds(run_id: str) -> Counter[str]:
        events = (entry.dagster_event for entry in instance.all_logs(run_id))
        return Counter(event.event_type_value for event in events if event is not None)

    instance = make_instance()
    succeeded = dg.materialize([made], instance=instance)
    failed = dg.materialize([made, failing], instance=instance, raise_on_error=False)
    before = {result.run_id: kinds(result.run_id) for result in (succeeded, failed)}
    for result in (succeeded, failed):
        forget_details(instance, result.run_id)
    assert before[succeeded.run_id]["STEP_OUTPUT"] == 2
    left = kinds(succeeded.run_id)
    assert left["ASSET_MATERIALIZATION"] == left["ASSET_CHECK_EVALUATION"] == left["PIPELINE_SUCCESS"] == 1
    assert left["STEP_OUTPUT"] == left["ASSET_MATERIALIZATION_PLANNED"] == left["ASSET_CHECK_EVALUATION_PLANNED"] == 0
    assert left.total() < before[succeeded.run_id].total() * 0.7
    assert kinds(failed.run_id) == before[failed.run_id]
    newest = instance.get_latest_materialization_event(dg.AssetKey("made"))
    assert newest is not None
