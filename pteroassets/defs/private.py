"""All that we use of Dagster's private API; no other module uses any.

tests/defs/test_private.py tests each part against the installed release, and says where else it is tested. Upstream:

* a new connection for each statement: https://github.com/dagster-io/dagster/issues/20325, and an option
  for the pool: https://github.com/dagster-io/dagster/issues/33935
* the default launcher does not know whether a run is alive: https://github.com/dagster-io/dagster/pull/5432 names the
  launchers that can
* results of checks cannot be read in order: https://github.com/dagster-io/dagster/pull/25504
  deprecates the only call for it
* old runs are never pruned: https://github.com/dagster-io/dagster/issues/4100
* the daemon reads all definitions anew each minute, without an option: https://github.com/dagster-io/dagster/pull/26268
* a run whose first step of a pool meets another run's fails: findings/dagster-postgres-pool-is-made-once.sh
* rows and columns of models are looked up by the one stream of a dbt process (https://github.com/dagster-io/dagster/pull/21846),
  by a loop that takes a whole core: findings/dagster-dbt-row-counts-spin.sh
"""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG, HIDDEN_TAG_PREFIX

if TYPE_CHECKING:
    from dagster._core.storage.event_log import SqlEventLogStorage
    from dagster_dbt import DagsterDbtTranslator, DbtProject
    from dagster_postgres import DagsterPostgresStorage

__all__ = [
    "HIDDEN_TAG_PREFIX",
    "CheckRunHealthResult",
    "LaunchRunContext",
    "WorkerStatus",
    "code_server_of",
    "column_lineage",
    "event_records",
    "execute_run",
    "executes",
    "forget_details",
    "forget_results",
    "keep_instance",
    "keep_programs",
    "keep_repository",
    "keep_signals",
    "keep_workspace",
    "prune_tables",
    "report_lost_run",
    "share_connections",
    "shorten_materializations",
]

# what was planned came, and of each asset and check its own event says more than its output
_DETAILS = (
    "ASSET_CHECK_EVALUATION_PLANNED",
    "ASSET_MATERIALIZATION_PLANNED",
    "ENGINE_EVENT",
    "HANDLED_OUTPUT",
    "LOADED_INPUT",
    "RESOURCE_INIT_STARTED",
    "RESOURCE_INIT_SUCCESS",
    "STEP_INPUT",
    "STEP_OUTPUT",
)


def share_connections(storage: DagsterPostgresStorage, config: Mapping[str, Any]) -> None:
    """Give the runs, events and schedules of *storage*, made from *config*, one pool of connections."""
    from dagster_postgres.utils import (  # noqa: PLC0415 - only needed to make a storage
        create_pg_engine,
        get_token_provider_from_config,
    )

    # as many as are used at once, and one is kept; the isolation is that of their own engines
    engine = create_pg_engine(
        storage.postgres_url,
        get_token_provider_from_config(config),
        isolation_level="AUTOCOMMIT",
        pool_size=1,
        max_overflow=-1,
        pool_pre_ping=True,
    )
    parts: tuple[Any, ...] = (storage.run_storage, storage.event_log_storage, storage.schedule_storage)
    for part in parts:
        part._engine = engine  # noqa: SLF001 - no option of theirs sets it
        for name in _COLUMNS_ASKED:
            if hasattr(part, name):
                setattr(part, name, _asked_once(getattr(part, name)))
    events: Any = storage.event_log_storage
    events.initialize_concurrency_limit_to_default = _unless_made_meanwhile(events)


def _unless_made_meanwhile(storage: SqlEventLogStorage) -> Callable[[str], bool]:
    """Return how *storage* makes the limit of a pool, which is no fault where another run has just made it.

    Dagster inserts the row, and where there is one changes it in the same transaction, which PostgreSQL has ended.
    """
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - only needed to make a storage

    make = storage.initialize_concurrency_limit_to_default

    @functools.wraps(make)
    def initialize(concurrency_key: str) -> bool:
        try:
            return make(concurrency_key)
        except DBAPIError:
            if any(pool.name == concurrency_key and pool.from_default for pool in storage.get_pool_limits()):
                return True
            raise

    return initialize


_COLUMNS_ASKED = (
    "has_asset_key_col",
    "has_run_stats_index_cols",
    "has_secondary_index_table",
    "_has_instigators_table",
)
"""What reads the catalog of the database each time for whether an older release made a table."""


def _asked_once(question: Callable[..., bool]) -> Callable[..., bool]:
    """Return *question* with its first answer kept; what it is given is a connection, or nothing."""
    answers: list[bool] = []

    @functools.wraps(question)
    def answer(*given: Any) -> bool:
        if not answers:
            answers.append(question(*given))
        return answers[0]

    return answer


def keep_programs() -> None:
    """Import the webserver, the daemon and the code server, which are forked from this process.

    What is imported after a fork touches most of what was imported before, and copies its pages.
    """
    for name in ("_daemon.cli", "_grpc.server"):
        importlib.import_module(f"dagster.{name}")
    for name in ("dagster_webserver.cli", "dagster_webserver.app", "dagster_graphql.schema"):
        importlib.import_module(name)


def keep_repository(repository: dg.RepositoryDefinition) -> None:
    """Describe *repository* once; the code server that is forked from this process answers with that.

    It would make the description anew for each who asks, and so copy the pages of all definitions.
    """
    from dagster._core.remote_representation.external_data import RepositorySnap  # noqa: PLC0415 - with their server
    from dagster._grpc.server import DagsterApiServer  # noqa: PLC0415 - only what is forked needs it
    from dagster._serdes import serialize_value  # noqa: PLC0415 - the same

    server: Any = DagsterApiServer
    theirs = server._get_serialized_external_repository_data  # noqa: SLF001 - no option of theirs keeps it
    kept = serialize_value(RepositorySnap.from_def(repository, defer_snapshots=True))

    def answer(self: Any, request: Any) -> str:
        return kept if request.defer_snapshots else str(theirs(self, request))

    server._get_serialized_external_repository_data = answer  # noqa: SLF001 - the same


def keep_workspace() -> None:
    """Let what is forked from this process read the definitions once, and again only when they changed.

    The daemon would ask for all of them each minute. It and the webserver watch whether the code server began anew;
    each second would be as often as nothing else here, and all begin and end together.
    """
    controller: Any = importlib.import_module("dagster._daemon.controller")
    controller.RELOAD_WORKSPACE_INTERVAL = _WORKSPACE_SECONDS
    watcher: Any = importlib.import_module("dagster._grpc.server_watcher")
    watcher.WATCH_INTERVAL = _WATCH_SECONDS


def keep_signals() -> None:
    """Let the daemon leave signals alone, which it can only change in a process of its own.

    In a thread it would fail at its start. What Dagster does later with signals it leaves to the main thread by itself.
    """
    command: Any = importlib.import_module("dagster._daemon.cli")
    command.setup_interrupt_handlers = lambda: None


_WORKSPACE_SECONDS = 86_400
_WATCH_SECONDS = 10

_kept: list[dg.DagsterInstance] = []


def keep_instance() -> None:
    """Make Dagster's instance, once for all runs that are forked from this process, and leave it without connections.

    So a run finds imported what executes it, and known what each one would ask first.
    """
    for name in (
        "_cli.api",
        "_core.execution.plan.active",
        "_core.executor.in_process",
        "_core.storage.local_compute_log_manager",
    ):
        importlib.import_module(f"dagster.{name}")
    instance = dg.DagsterInstance.get()
    instance.get_asset_records([dg.AssetKey("none")])
    instance.get_run_record_by_id("none")
    cast("Any", instance.event_log_storage)._engine.dispose()  # noqa: SLF001 - as in share_connections
    _kept[:] = [instance]


def code_server_of(run: dg.DagsterRun) -> Mapping[str, Any] | None:
    """Return the address of the code server that *run* was given to, if it was given to one."""
    tag = run.tags.get(GRPC_INFO_TAG)
    return None if tag is None else cast("dict[str, Any]", json.loads(tag))


def executes(server: Mapping[str, Any], run_id: str, *, timeout: int) -> bool:
    """Ask the code server at the address *server* whether it executes a run."""
    from dagster._grpc.client import DagsterGrpcClient  # noqa: PLC0415 - a fifth of a second of imports
    from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult  # noqa: PLC0415 - the same
    from dagster._serdes import deserialize_value  # noqa: PLC0415 - the same

    client = DagsterGrpcClient(
        host=server["host"],
        port=server.get("port"),
        socket=server.get("socket"),
        use_ssl=server.get("use_ssl", False),
    )
    answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run_id), timeout=timeout)
    return deserialize_value(answer, CanCancelExecutionResult).can_cancel


def execute_run(run_id: str) -> None:
    """Execute a run in this process, whose signals and output it takes over, as ``dagster api execute_run`` does."""
    from dagster._cli.api import _execute_run_command_body  # noqa: PLC0415 - loads the whole of Dagster
    from dagster._utils.interrupts import capture_interrupts  # noqa: PLC0415 - the same

    with capture_interrupts(), _kept.pop() if _kept else dg.DagsterInstance.get() as instance:
        _execute_run_command_body(run_id, instance, lambda _event: None, set_exit_code_on_failure=False)
        forget_details(instance, run_id)
        shorten_materializations(instance, run_id=run_id)
        forget_results(instance, datetime.now(UTC) - _RESULTS_KEPT)


_RESULTS_KEPT = timedelta(hours=1)
_SHORTENED_DAILY = timedelta(days=2)


def forget_details(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete of a run that succeeded the events that only a retry, or a page of a run under way, would need."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.status is not dg.DagsterRunStatus.SUCCESS:
        return
    storage = cast("SqlEventLogStorage", instance.event_log_storage)
    with storage.index_connection() as connection:
        connection.exec_driver_sql(
            "delete from event_logs where run_id = %(run_id)s and dagster_event_type = any(%(kinds)s)",
            {"run_id": run_id, "kinds": list(_DETAILS)},
        )


_OF_THE_NEWEST = ("dagster/column_schema", "dagster/column_lineage")
"""What only the newest materialization of an asset is asked for, and is four fifths of one."""


def shorten_materializations(
    instance: dg.DagsterInstance, *, run_id: str | None = None, since: datetime | None = None
) -> int:
    """Take from materializations that are not the newest of their asset what only the newest is asked for.

    Of the assets that the run *run_id* made those before it, else all *since* then. Rows, seconds and all else stays,
    in the row of the event, not in the catalog's copy of the newest. Returns how many were shortened.
    """
    statement = resources.files(__package__).joinpath("sql", "superseded_materializations.sql").read_text()
    storage = cast("SqlEventLogStorage", instance.event_log_storage)
    asked = {"run_id": run_id, "since": None if since is None else since.replace(tzinfo=None)}
    with storage.index_connection() as connection:
        found = connection.exec_driver_sql(statement, asked).all()
        for event_id, text in found:
            event = json.loads(text)
            made = event["dagster_event"]["event_specific_data"]["materialization"]
            made["metadata_entries"] = [one for one in made["metadata_entries"] if one["label"] not in _OF_THE_NEWEST]
            connection.exec_driver_sql(
                "update event_logs set event = %(event)s where id = %(id)s",
                {"event": json.dumps(event), "id": event_id},
            )
        connection.exec_driver_sql(
            "delete from asset_event_tags where event_id = any(%(ids)s)", {"ids": [event_id for event_id, _ in found]}
        )
    return len(found)


def forget_results(instance: dg.DagsterInstance, before: datetime) -> None:
    """Delete the results of checks before *before* that say no more than those beside them (decision 41)."""
    statement = resources.files(__package__).joinpath("sql", "forget_results.sql").read_text()
    storage = cast("SqlEventLogStorage", instance.event_log_storage)
    with storage.index_connection() as connection:
        connection.exec_driver_sql(statement, {"before": before.replace(tzinfo=None)})


def report_lost_run(run_id: str, status: int) -> None:
    """Report that the process of a run ended with *status*, below zero for a signal, before the run had."""
    with _kept.pop() if _kept else dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, f"Its process ended unexpectedly, with status {status}.")


def event_records(
    instance: dg.DagsterInstance, kind: dg.DagsterEventType, *, after: int, since: float | None, limit: int
) -> Sequence[dg.EventLogRecord]:
    """Return events of a kind, of all runs, in the order in which they were written."""
    return instance.event_log_storage.get_event_records(
        dg.EventRecordsFilter(event_type=kind, after_cursor=after, after_timestamp=since), limit=limit, ascending=True
    )


def prune_tables(instance: dg.DagsterInstance, before: datetime) -> None:
    """Delete from Dagster's PostgreSQL tables what is older than *before* and of no run, and vacuum them."""
    # of runs that no worker of ours executed, or whose worker was killed
    forget_results(instance, datetime.now(UTC) - _RESULTS_KEPT)
    shorten_materializations(instance, since=datetime.now(UTC) - _SHORTENED_DAILY)
    times = {"before": before.replace(tzinfo=None)}
    statements = resources.files(__package__).joinpath("sql", "prune_dagster.sql").read_text()
    storage = cast("SqlEventLogStorage", instance.event_log_storage)  # in dagster.yaml, with runs beside it
    with storage.index_connection() as connection:
        for statement in statements.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement, times)


def column_lineage(
    manifest: Mapping[str, Any],
    node: Mapping[str, Any],
    columns: Mapping[str, tuple[str, bool]],
    parents: Mapping[str, Mapping[str, tuple[str, bool]]],
    *,
    translator: DagsterDbtTranslator,
    project: DbtProject,
    target: Path,
) -> Mapping[str, Sequence[dg.TableColumnDep]]:
    """Return of which columns of its *parents* each of a dbt model's *columns* is made.

    Columns have their type first; parents are named ``schema.table``. *target* holds the compiled SQL of *node*.
    """
    from dagster_dbt.core.dbt_cli_event import (  # noqa: PLC0415 - only a build needs it
        EventHistoryMetadata,
        _build_column_lineage_metadata,
    )

    def typed(its: Mapping[str, tuple[str, bool]]) -> dict[str, Any]:
        return {name: {"data_type": kind} for name, (kind, _) in its.items()}

    metadata = _build_column_lineage_metadata(
        event_history_metadata=EventHistoryMetadata(
            columns=typed(columns),
            parents={
                other["relation_name"]: typed(parents[name])
                for other in (*manifest["nodes"].values(), *manifest["sources"].values())
                if (name := f"{other['schema']}.{other.get('alias') or other.get('identifier')}") in parents
            },
        ),
        dbt_resource_props=dict(node),
        manifest=manifest,
        dagster_dbt_translator=translator,
        target_path=target,
        project=project,
    )
    lineage: dg.TableColumnLineage | None = metadata.get("dagster/column_lineage")
    return {} if lineage is None else lineage.deps_by_column
