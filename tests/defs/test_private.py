"""What defs/private.py uses of Dagster is as the installed release has it, and nothing else uses any.

How it behaves is held by tests/platform/test_storage.py and test_run_launcher.py, tests/defs/test_retention.py and
test_alarms.py, and tests/dbt/test_checks.py.
"""

from __future__ import annotations

import inspect
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._cli.api import _execute_run_command_body
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster._daemon import cli as daemon_cli
from dagster._daemon import controller
from dagster._grpc import server_watcher
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.server import DagsterApiServer
from dagster._serdes import deserialize_value, serialize_value
from dagster._time import get_current_timestamp
from dagster._utils.interrupts import setup_interrupt_handlers
from dagster_dbt.core.dbt_cli_event import EventHistoryMetadata, _build_column_lineage_metadata

from pteroassets.defs.private import (
    forget_details,
    keep_repository,
    keep_signals,
    keep_workspace,
    shorten_materializations,
)
from pteroassets.settings import CHECKOUT

ORIGIN = serialize_value(
    RemoteRepositoryOrigin(
        code_location_origin=GrpcServerCodeLocationOrigin(host="127.0.0.1", port=1, location_name="a_location"),
        repository_name="__repository__",
    )
)
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
    assert len(re.findall(r"https://github\.com/dagster-io/dagster/(?:issues|pull)/\d+\b", text)) == 7


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


def test_the_daemon_does_not_read_the_definitions_again_each_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[float] = []
    daemon = SimpleNamespace(
        _grpc_server_registry=None,
        _workspace_process_context=SimpleNamespace(refresh_workspace=lambda: read.append(get_current_timestamp())),
    )

    def look(seconds_ago: float) -> int:
        read.clear()
        controller.DagsterDaemonController.check_workspace_freshness(daemon, get_current_timestamp() - seconds_ago)  # type: ignore[arg-type]
        return len(read)

    monkeypatch.setattr(controller, "RELOAD_WORKSPACE_INTERVAL", 60)
    monkeypatch.setattr(server_watcher, "WATCH_INTERVAL", 1)
    assert (look(59), look(61)) == (0, 1)
    keep_workspace()
    assert (look(61), look(3_600), look(2 * 86_400)) == (0, 0, 1)


def test_the_code_server_is_not_watched_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked_in(seconds: float) -> int:
        asked: list[int] = []

        class Client(DagsterGrpcClient):
            def __init__(self) -> None:
                pass

            def get_server_id(self, timeout: int = 1) -> str:
                asked.append(timeout)
                return "the same"

        shutdown, thread = server_watcher.create_grpc_watch_thread(
            "a_location",
            Client(),
            get_location_entry=lambda _: None,
            refresh_code_location=print,
            on_disconnect=print,
            on_reconnected=print,
            on_updated=print,
            on_error=print,
        )
        thread.start()
        time.sleep(seconds)
        shutdown.set()
        thread.join()
        return len(asked)

    monkeypatch.setattr(controller, "RELOAD_WORKSPACE_INTERVAL", 60)
    monkeypatch.setattr(server_watcher, "WATCH_INTERVAL", 0.1)
    assert asked_in(0.5) > 1
    keep_workspace()
    assert asked_in(0.5) == 1


def test_the_daemon_can_be_executed_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    monkeypatch.setattr(daemon_cli, "setup_interrupt_handlers", setup_interrupt_handlers)
    monkeypatch.setattr(daemon_cli, "get_instance_for_cli", lambda **_: nullcontext())
    monkeypatch.setattr(daemon_cli, "_daemon_run_command", lambda *_: begun.append("the daemon"))

    def run_in_a_thread() -> str | None:
        with ThreadPoolExecutor(1) as threads:
            error = threads.submit(
                daemon_cli.run_command, ["--workspace", "workspace.yaml"], standalone_mode=False
            ).exception()
        return None if error is None else str(error)

    assert "signal only works in main thread" in str(run_in_a_thread())
    keep_signals()
    assert run_in_a_thread() is None
    assert begun == ["the daemon"]


def test_the_code_server_describes_the_definitions_once(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = DagsterApiServer._get_serialized_external_repository_data
    monkeypatch.setattr(DagsterApiServer, "_get_serialized_external_repository_data", theirs)
    repository = dg.Definitions(assets=[made, failing]).get_repository_def()
    described: list[str] = []

    class Server(DagsterApiServer):
        def __init__(self) -> None:
            pass

        def _get_repo_for_origin(self, remote_repo_origin: RemoteRepositoryOrigin) -> dg.RepositoryDefinition:  # noqa: ARG002 - its name is theirs
            described.append("once more")
            return repository

    def ask(*, defer_snapshots: bool) -> RepositorySnap:
        origin = SimpleNamespace(defer_snapshots=defer_snapshots, serialized_repository_python_origin=ORIGIN)
        return deserialize_value(Server()._get_serialized_external_repository_data(origin), RepositorySnap)  # type: ignore[arg-type]

    by_theirs = ask(defer_snapshots=True)
    assert len(described) == 1
    keep_repository(repository)
    assert ask(defer_snapshots=True) == by_theirs
    assert len(described) == 1
    assert ask(defer_snapshots=False).job_datas
    assert len(described) == 2


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
    assert (
        left["STEP_OUTPUT"]
        == left["ENGINE_EVENT"]
        == left["ASSET_MATERIALIZATION_PLANNED"]
        == left["ASSET_CHECK_EVALUATION_PLANNED"]
        == 0
    )
    assert left.total() < before[succeeded.run_id].total() * 0.7
    assert kinds(failed.run_id) == before[failed.run_id]
    newest = instance.get_latest_materialization_event(dg.AssetKey("made"))
    assert newest is not None


@dg.asset
def described() -> dg.MaterializeResult[None]:
    columns = dg.TableSchema(columns=[dg.TableColumn("a_column", "text", description="What is in it.")])
    lineage = dg.TableColumnLineage({"a_column": [dg.TableColumnDep(dg.AssetKey("made"), "its_column")]})
    figures: dict[str, Any] = {"rows": 7, "share": float("nan"), "said": "a \x00 and an \u00e9"}
    return dg.MaterializeResult(
        metadata={**figures, "dagster/column_schema": columns, "dagster/column_lineage": lineage}
    )


@pytest.mark.postgres
@pytest.mark.parametrize("by_run", [True, False], ids=["as a run ends", "as the daily job does"])
def test_only_the_newest_materialization_describes_its_columns(
    make_instance: Callable[[], dg.DagsterInstance],
    *,
    by_run: bool,
) -> None:
    instance = make_instance()

    def told() -> list[set[str]]:
        found = instance.fetch_materializations(dg.AssetKey("described"), limit=9).records
        return [set(one.asset_materialization.metadata) for one in found if one.asset_materialization is not None]

    def shorten(run_id: str) -> int:
        since = datetime.now(UTC) - timedelta(minutes=5)
        return (
            shorten_materializations(instance, run_id=run_id)
            if by_run
            else shorten_materializations(instance, since=since)
        )

    figures = {"rows", "share", "said"}
    columns = {"dagster/column_schema", "dagster/column_lineage"}
    runs = [dg.materialize([described], instance=instance)]
    assert shorten(runs[0].run_id) == 0
    assert told() == [figures | columns]
    before = [one.event_log_entry for one in instance.fetch_materializations(dg.AssetKey("described"), limit=1).records]
    for _ in range(2):
        runs.append(dg.materialize([described], instance=instance))
        assert shorten(runs[-1].run_id) == 1
    assert told() == [figures | columns, figures, figures]
    oldest = instance.fetch_materializations(dg.AssetKey("described"), limit=9).records[-1].event_log_entry
    assert oldest.timestamp == before[0].timestamp
    assert oldest.get_dagster_event().message == before[0].get_dagster_event().message
    kept, whole = oldest.asset_materialization, before[0].asset_materialization
    assert kept is not None
    assert whole is not None
    assert kept.tags == whole.tags
    assert kept.metadata["said"] == whole.metadata["said"]
    newest = instance.get_latest_data_version_record(dg.AssetKey("described"))
    assert newest is not None
    assert newest.run_id == runs[-1].run_id
