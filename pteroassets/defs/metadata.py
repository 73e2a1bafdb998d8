"""What every landing asset tells Dagster about its load."""

from typing import Any

import dagster as dg

from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport

OWNERS = ["team:platform"]


def load_metadata(connection: Connection, report: LoadReport) -> dict[str, Any]:
    """Return the figures of *report*, the row count and the columns of its table."""
    schema, _, name = report.table.partition(".")
    metadata: dict[str, Any] = {
        "dagster/table_name": report.table,
        "dagster/row_count": _row_count(connection, schema, name, report),
        "dagster/column_schema": _columns(connection, schema, name),
        "rows_read": report.rows_read,
        "added": report.rows_added,
        "changed": report.rows_changed,
        "gone": report.rows_gone,
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
        "observed_at": dg.TimestampMetadataValue(report.observed_at.timestamp()),
    }
    if report.rate_limit_remaining is not None:
        metadata["rate_limit_remaining"] = report.rate_limit_remaining
    if report.problems:
        metadata["problems"] = dg.JsonMetadataValue([dict(problem) for problem in report.problems])
    return metadata


def _row_count(connection: Connection, schema: str, name: str, report: LoadReport) -> int:
    if report.rows_total is not None:
        return report.rows_total
    # tables of events and samples run to millions: the planner's figure is near enough and free
    row = connection.execute(
        "select greatest(reltuples, 0)::bigint from pg_class where oid = to_regclass(%s)", (f"{schema}.{name}",)
    ).fetchone()
    return int(row[0]) if row else 0


def _columns(connection: Connection, schema: str, name: str) -> dg.TableSchema:
    rows = connection.execute(
        """
        select column_name, data_type, is_nullable = 'YES' from information_schema.columns
        where table_schema = %s and table_name = %s order by ordinal_position
        """,
        (schema, name),
    ).fetchall()
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name=column, type=kind, constraints=dg.TableColumnConstraints(nullable=nullable))
            for column, kind, nullable in rows
        ]
    )
