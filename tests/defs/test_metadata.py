"""What a load tells Dagster of its table: rows counted or estimated, columns with their descriptions."""

from __future__ import annotations

import dagster as dg
import pytest

from pteroassets.defs.metadata import table_metadata
from pteroassets.defs.raw import raw_tables
from pteroassets.warehouse.connection import Connection

pytestmark = pytest.mark.postgres

_OF_OPS = [
    "ops.incident_state",
    "ops.incidents",
    "ops.loads",
    "ops.replay_notices",
    "ops.server_timezones",
    "ops.stream_notices",
]
"""Tables of the platform's own that models read."""


def test_every_column_of_every_raw_table_is_described_and_no_other(warehouse: Connection) -> None:
    rows = warehouse.execute(
        "select table_schema || '.' || table_name, column_name from information_schema.columns "
        "where table_schema ~ '^(raw|derived)_' and table_name !~ %s "
        "or table_schema || '.' || table_name = any(%s)",
        # of samples and events the view is described, not what it is made of; nor is what is restored
        ("^(sample|event|restored)_", _OF_OPS),
    ).fetchall()
    described = {(name, column) for name, table in raw_tables().items() for column in table.columns}
    assert described == set(rows)
    for name in raw_tables():
        schema = table_metadata(warehouse, name)["dagster/column_schema"]
        assert all(column.description.endswith(".") for column in schema.columns), name


def test_the_rows_of_a_table_are_counted_though_postgres_estimates_others(warehouse: Connection) -> None:
    warehouse.execute(
        "insert into ops.server_timezones select gen_random_uuid(), 'UTC', 'utc' from generate_series(1, 30)"
    )
    warehouse.execute("analyze ops.server_timezones")
    warehouse.execute("delete from ops.server_timezones where ctid in (select ctid from ops.server_timezones limit 7)")
    assert table_metadata(warehouse, "ops.server_timezones")["dagster/row_count"] == 23


def test_a_large_table_has_an_estimate_that_says_so_and_from_when_it_is(warehouse: Connection) -> None:
    def told() -> dict[str, object]:
        metadata = table_metadata(warehouse, "ops.server_timezones", counted_bytes=0)
        return {name: value for name, value in metadata.items() if "row" in name}

    warehouse.execute(
        "insert into ops.server_timezones select gen_random_uuid(), 'UTC', 'utc' from generate_series(1, 30)"
    )
    assert str(told()["rows_estimated"]).startswith("unknown: too large")
    assert warehouse.execute("select now()").fetchone()
    warehouse.execute("analyze ops.server_timezones")
    warehouse.execute("select pg_stat_clear_snapshot()")
    now = warehouse.execute("select extract(epoch from now())::float").fetchone()
    figures = told()
    assert figures["rows_estimated"] == 30
    estimated_at = figures["rows_estimated_at"]
    assert isinstance(estimated_at, dg.TimestampMetadataValue)
    assert now is not None
    assert abs(estimated_at.value - now[0]) < 60
    assert "dagster/row_count" not in figures
