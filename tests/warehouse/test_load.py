"""The ledger: its numbers ascend as loads are committed, and a load is found by its entry."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from pteroassets.landing.pterodactyl.utilization import TABLE, land_samples
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.load import LoadReport, record_load
from pteroassets.warehouse.samples import SAMPLE_COLUMNS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.postgres


def report(table: str, *, rows: int) -> LoadReport:
    return LoadReport(table=table, observed_at=NOON, rows_read=rows, rows_added=rows)


def recorded(warehouse: Connection, table: str) -> list[int]:
    """How many rows each load of *table* read, in the order of the loads' numbers."""
    return [
        rows
        for (rows,) in warehouse.execute(
            "select rows_read from ops.loads where table_name = %s order by load_number", (table,)
        )
    ]


def test_loads_of_a_table_are_numbered_in_the_order_in_which_they_are_committed(
    warehouse: Connection, warehouse_settings: ConnectionSettings
) -> None:
    def record(table: str, rows: int) -> None:
        with connect(warehouse_settings) as connection:
            record_load(connection, report(table, rows=rows))

    with ThreadPoolExecutor() as beside, connect(warehouse_settings) as first:
        record_load(first, report("a_table", rows=1))
        second = beside.submit(record, "a_table", 2)
        with pytest.raises(TimeoutError):
            second.result(timeout=0.5)
        record("another_table", 3)  # is not held up
        assert recorded(warehouse, "a_table") == []
        first.commit()
        second.result(timeout=30)
    assert recorded(warehouse, "a_table") == [1, 2]


def test_a_load_that_was_undone_leaves_the_numbers_of_others_in_order(warehouse_settings: ConnectionSettings) -> None:
    with connect(warehouse_settings) as connection:
        for rows in (1, 2, 3):
            record_load(connection, report("a_table", rows=rows))
            if rows == 2:
                connection.rollback()
            else:
                connection.commit()
        assert recorded(connection, "a_table") == [1, 3]


def test_the_rows_of_a_load_have_its_key_and_its_time(warehouse: Connection) -> None:
    values = dict.fromkeys(SAMPLE_COLUMNS)
    values |= {"pass_at": NOON, "sampled_at": NOON, "interval_seconds": 300, "is_suspect": False}
    for servers in (["error", "ok"], ["ok", "ok"]):  # the second one changes what the first one could not measure
        land_samples(
            warehouse,
            [
                list({**values, "server_uuid": uuid.UUID(int=number), "outcome": outcome}.values())
                for number, outcome in enumerate(servers)
            ],
            observed_at=NOON,
        )
    found = warehouse.execute(
        f"select samples.server_uuid, loads.load_number - min(loads.load_number) over () "
        f"from {TABLE} as samples inner join ops.loads on loads.load_id = samples._load_id "
        "and loads._loaded_at = samples._loaded_at and loads.table_name = %s order by 1",
        (TABLE,),
    ).fetchall()
    assert found == [(uuid.UUID(int=0), 1), (uuid.UUID(int=1), 0)]
