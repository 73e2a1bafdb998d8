"""Put rows into Postgres: binary COPY, upserts through a temporary table, and the ledger of loads."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from pteroassets.warehouse.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What one load of one table did; a row of ``ops.loads``, beside what is only *shown* of it in the UI."""

    table: str
    observed_at: datetime
    is_complete: bool = True
    rows_read: int
    rows_expected: int | None = None
    rows_added: int
    rows_changed: int = 0
    rows_gone: int = 0
    rows_total: int | None = None
    requests: int = 0
    seconds: float = 0.0
    rate_limit_remaining: int | None = None
    problems: Sequence[Mapping[str, str]] = ()
    shown: Mapping[str, str | int] = field(default_factory=dict)
    load_id: uuid.UUID = field(default_factory=uuid.uuid4)


def table_identifier(table: str) -> sql.Identifier:
    """Return ``schema.name`` as an identifier of two parts."""
    return sql.Identifier(*table.split("."))


def copy_rows(
    connection: Connection, table: sql.Composable, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> int:
    """COPY *rows* in binary form into *table* and return their number.

    Args:
        connection: Its open transaction decides when the rows become visible.
        table: Where they go.
        columns: Name and Postgres type of each member of a row, in order.
        rows: Plain Python values; a numpy scalar is refused by psycopg.
    """
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        table, sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    count = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def stage_rows(
    connection: Connection, name: str, like: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> int:
    """COPY *rows* into a new temporary table *name*, with the named columns of *like*, gone at commit."""
    connection.execute(
        sql.SQL("create temporary table {} on commit drop as select {} from {} with no data").format(
            sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns)), table_identifier(like)
        )
    )
    count = copy_rows(connection, sql.Identifier(name), columns, rows)
    connection.execute(sql.SQL("analyze {}").format(sql.Identifier(name)))
    return count


def lock_table_for_load(connection: Connection, table: str) -> None:
    """Lock *table* against other loads until the end of the transaction."""
    connection.execute("select pg_advisory_xact_lock(hashtext('pteroassets'), hashtext(%s))", (table,))


def record_load(connection: Connection, report: LoadReport) -> None:
    """Write *report* into the ledger, in the transaction of the load itself.

    Loads of one table come one after another, so that they are numbered in the order in which they are committed.
    Incremental models rely on it (decision 13).
    """
    lock_table_for_load(connection, report.table)
    connection.execute(
        """
        insert into ops.loads (
            load_id, table_name, observed_at, is_complete, rows_read, rows_expected, rows_added, rows_changed,
            rows_gone, rows_total, requests, seconds, rate_limit_remaining, problems
        ) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            report.load_id,
            report.table,
            report.observed_at,
            report.is_complete,
            report.rows_read,
            report.rows_expected,
            report.rows_added,
            report.rows_changed,
            report.rows_gone,
            report.rows_total,
            report.requests,
            report.seconds,
            report.rate_limit_remaining,
            Jsonb([dict(problem) for problem in report.problems]),
        ),
    )
