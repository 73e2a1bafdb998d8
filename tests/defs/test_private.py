"""What defs/private.py uses of Dagster is as the installed release has it, and nothing else uses any.

How it behaves is held by tests/platform/test_storage.py and test_run_launcher.py, tests/defs/test_retention.py and
test_alarms.py, and tests/dbt/test_checks.py.
"""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import dagster as dg
import dagster_dbt
from dagster._core.utils import imap
from dagster_dbt.core.dbt_event_iterator import DbtEventIterator

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


def test_the_stream_of_a_build_is_of_a_class_that_can_be_made_of_some_of_its_events() -> None:
    assert not hasattr(dagster_dbt, "DbtEventIterator")  # once it is exported, it can be used by its name
    assert list(inspect.signature(DbtEventIterator).parameters) == ["events", "dbt_cli_invocation"]
    assert inspect.signature(dagster_dbt.DbtCliInvocation.stream).return_annotation.startswith("DbtEventIterator[")
    assert {"fetch_row_counts", "fetch_column_metadata"} <= set(dir(DbtEventIterator))


def test_looking_up_rows_and_columns_while_dbt_runs_would_take_a_core() -> None:
    def slow() -> Iterator[int]:
        time.sleep(1)
        yield 1

    before = time.process_time()
    with ThreadPoolExecutor() as threads:
        assert list(imap(threads, slow(), lambda number: number)) == [1]
    assert time.process_time() - before > 0.1  # a sleeping wait takes a thousandth
