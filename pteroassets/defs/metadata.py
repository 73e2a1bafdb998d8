"""What every landing asset reports to Dagster about its load and its table."""

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg
from psycopg import sql

from pteroassets.defs.raw import raw_tables
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, table_identifier

# counting a table of this size takes a fraction of a second; the largest grow by gigabytes
_COUNTED_BYTES = 256 * 1024**2


def materializations(connection: Connection, reports: Iterable[LoadReport]) -> Iterator[dg.MaterializeResult]:
    """Yield each of *reports* as a materialization of its table's asset."""
    for report in reports:
        yield dg.MaterializeResult(asset_key=raw_tables()[report.table].key, metadata=load_metadata(connection, report))


def load_metadata(connection: Connection, report: LoadReport) -> dict[str, Any]:
    """Return the figures of *report*, and the rows and columns of its table."""
    metadata: dict[str, Any] = {
        **table_metadata(connection, report.table),
        "rows_read": report.rows_read,
        "added": report.rows_added,
        "changed": report.rows_changed,
        "gone": report.rows_gone,
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
        "observed_at": dg.TimestampMetadataValue(report.observed_at.timestamp()),
        **report.shown,
    }
    if report.rows_total is not None:
        metadata["current_records"] = report.rows_total
    if report.rate_limit_remaining is not None:
        metadata["rate_limit_remaining"] = report.rate_limit_remaining
    if report.problems:
        metadata["problems"] = dg.JsonMetadataValue([dict(problem) for problem in report.problems])
    return metadata


def table_metadata(connection: Connection, table: str, *, counted_bytes: int = _COUNTED_BYTES) -> dict[str, Any]:
    """Return the number of rows of *table*, ``schema.name``, and its columns with their descriptions.

    The number is exact up to *counted_bytes*. For a larger table it is Postgres' estimate, under another name and with
    its time, or nothing if there is none yet.
    """
    return {
        "dagster/table_name": table,
        "dagster/column_schema": _columns(connection, table),
        **row_figures(connection, table, counted_bytes=counted_bytes),
    }


# views of what was a table, and the tables that hold a row for each of theirs
_HELD_IN = {
    "raw_minecraft.events": "raw_minecraft.event_rows",
    "raw_pterodactyl.utilization_samples": "raw_pterodactyl.sample_measures",
}


def row_figures(connection: Connection, table: str, *, counted_bytes: int = _COUNTED_BYTES) -> dict[str, Any]:
    """Return the number of rows of *table*: exact up to *counted_bytes*, else Postgres' estimate."""
    held_in = _HELD_IN.get(table, table)
    # a partitioned table is as large as its partitions, and analyzed when the one that waits the longest is
    size, estimate, is_analyzed, estimated_at = connection.execute(
        """
        select sum(pg_relation_size(parts.oid)), sum(parts.reltuples) filter (where parts.reltuples > 0)::bigint,
            bool_and(parts.reltuples >= 0 or pg_relation_size(parts.oid) = 0),
            min(greatest(stats.last_analyze, stats.last_autoanalyze, stats.last_vacuum, stats.last_autovacuum))
        from pg_class as parts left join pg_stat_user_tables as stats on stats.relid = parts.oid
        where parts.relkind = 'r'
            and parts.oid in (select %(table)s::regclass union select relid from pg_partition_tree(%(table)s::regclass))
        """,
        {"table": held_in},
    ).fetchone() or (0, -1, False, None)
    if (size or 0) <= counted_bytes:
        row = connection.execute(sql.SQL("select count(*) from {}").format(table_identifier(held_in))).fetchone()
        return {"dagster/row_count": row[0] if row else 0}
    if not is_analyzed or estimated_at is None:
        return {"rows_estimated": "unknown: too large to be counted each time, and not yet analyzed by Postgres"}
    return {"rows_estimated": estimate, "rows_estimated_at": dg.TimestampMetadataValue(estimated_at.timestamp())}


def _columns(connection: Connection, table: str) -> dg.TableSchema:
    schema, _, name = table.partition(".")
    described = raw_tables()[table].columns
    rows = connection.execute(
        """
        select column_name, data_type, is_nullable = 'YES' from information_schema.columns
        where table_schema = %s and table_name = %s order by ordinal_position
        """,
        (schema, name),
    ).fetchall()
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column,
                type=kind,
                description=described.get(column),
                constraints=dg.TableColumnConstraints(nullable=nullable),
            )
            for column, kind, nullable in rows
        ]
    )
