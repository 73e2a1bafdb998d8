"""All that we use of Dagster's private API; no other module uses any.

tests/defs/test_private.py tests each part against the installed release, and says where else it is tested. Upstream:

* a new connection for each statement: https://github.com/dagster-io/dagster/issues/20325, and an option
  for the pool: https://github.com/dagster-io/dagster/issues/33935
* the default launcher does not know whether a run is alive: https://github.com/dagster-io/dagster/pull/5432 names the
  launchers that can
* results of checks cannot be read in order: https://github.com/dagster-io/dagster/pull/25504
  deprecates the only call for it
* old runs are never pruned: https://github.com/dagster-io/dagster/issues/4100
* rows and columns of models are looked up while dbt still runs (https://github.com/dagster-io/dagster/pull/21846), by a
  loop that takes a whole core: findings/dagster-dbt-row-counts-spin.sh
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib import resources
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG

if TYPE_CHECKING:
    from dagster._core.storage.event_log import SqlEventLogStorage
    from dagster_dbt import DbtCliInvocation
    from dagster_postgres import DagsterPostgresStorage

__all__ = [
    "CheckRunHealthResult",
    "WorkerStatus",
    "code_server_of",
    "event_records",
    "executes",
    "prune_tables",
    "share_connections",
    "with_rows_and_columns",
]


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


def event_records(
    instance: dg.DagsterInstance, kind: dg.DagsterEventType, *, after: int, since: float | None, limit: int
) -> Sequence[dg.EventLogRecord]:
    """Return events of a kind, of all runs, in the order in which they were written."""
    return instance.event_log_storage.get_event_records(
        dg.EventRecordsFilter(event_type=kind, after_cursor=after, after_timestamp=since), limit=limit, ascending=True
    )


def prune_tables(instance: dg.DagsterInstance, before: datetime) -> None:
    """Delete from Dagster's PostgreSQL tables what is older than *before* and of no run, and vacuum them."""
    statements = resources.files(__package__).joinpath("sql", "prune_dagster.sql").read_text()
    storage = cast("SqlEventLogStorage", instance.event_log_storage)  # in dagster.yaml, with runs beside it
    with storage.index_connection() as connection:
        for statement in statements.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement, {"before": before.replace(tzinfo=None)})


def with_rows_and_columns(
    invocation: DbtCliInvocation, stream: Iterator[Any], outputs: Iterable[dg.Output]
) -> Iterator[dg.Output]:
    """Return the *outputs* of *stream* with their number of rows, their columns and the columns' sources."""
    iterator: Any = type(stream)  # dagster-dbt's own, which it does not export
    counted = list(iterator(iter(outputs), invocation).fetch_row_counts())
    return cast("Iterator[dg.Output]", iterator(iter(counted), invocation).fetch_column_metadata())
