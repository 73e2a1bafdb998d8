"""Samples go after their time, and the hours and days that were made of them stay."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pteroassets.landing.sample_archive import COLUMNS, SampleArchive
from pteroassets.warehouse.connection import Connection, ConnectionSettings
from pteroassets.warehouse.load import LoadReport, record_load
from pteroassets.warehouse.restored import RESTORED
from pteroassets.warehouse.retention import drop_samples
from tests.parsed import run_dbt
from tests.samples import insert_samples

from .conftest import dbt_environment
from .world import SERVERS, land_world

pytestmark = [pytest.mark.postgres]

NOW = datetime(2026, 10, 27, tzinfo=UTC)
TABLE = "raw_pterodactyl.utilization_samples"
ROLLED_UP = (
    "marts.fct_utilization_hourly", "intermediate.int_server_utilization_daily",
    "intermediate.int_limit_utilization_daily",
)  # fmt: skip

# the last and the first hours of each month of a year, of a server in Berlin and one in Kathmandu
A_YEAR = f"""
    insert into arriving (
        server_uuid, pass_at, sampled_at, interval_seconds, outcome, state, cpu_percent, memory_bytes, disk_bytes,
        network_rx_bytes, network_tx_bytes, uptime_milliseconds, _load_id
    )
    select
        server_uuid, pass_at, pass_at, 1800, 'ok', 'running', step, 1048576 * step, 1048576, 1000 * step, 100 * step,
        1800000 * (step + 1), '00000000-0000-4000-8000-00000000000b'
    from (values ('{SERVERS["a"]}'::uuid), ('{SERVERS["c"]}'::uuid)) as servers (server_uuid),
        generate_series(timestamptz '2025-10-01', '2026-10-01', interval '1 month') as month_at,
        generate_series(0, 39) as step,
        lateral (select month_at + (step - 20) * interval '30 minutes' as pass_at) as passes
"""


def rolled_up(connection: Connection, until: str) -> dict[str, list[Any]]:
    rows = {}
    for table in ROLLED_UP:
        column = "hour_at" if "hourly" in table else "local_date"
        rows[table] = connection.execute(
            f"select row::text from {table} as row where {column} < '{until}' order by 1"  # type: ignore[arg-type]
        ).fetchall()
    return rows


def test_a_year_that_is_dropped_loses_no_hour_and_no_day(
    warehouse_settings: ConnectionSettings, warehouse: Connection, dbt_target: Path, tmp_path: Path
) -> None:
    environment = dbt_environment(warehouse_settings)
    models = ["--select", *(f"+{table.partition('.')[2]}" for table in ROLLED_UP)]
    land_world(warehouse)
    with warehouse.transaction():
        insert_samples(warehouse, A_YEAR)
        record_load(warehouse, LoadReport(table=TABLE, observed_at=NOW, rows_read=1, rows_added=1))
        warehouse.execute(
            "update ops.loads set load_id = '00000000-0000-4000-8000-00000000000b' where load_number = "
            "(select max(load_number) from ops.loads)"
        )

    kept = list(drop_samples(warehouse, NOW, 1))
    assert {month.waits_for for month in kept} == {tuple(table.partition(".")[2] for table in ROLLED_UP)}
    assert warehouse.execute("select count(*) from ops.dropped_samples").fetchone() == (0,)

    run_dbt(["run", *models], environment, target=dbt_target)
    before = rolled_up(warehouse, "2026-10-01")
    assert len(before["marts.fct_utilization_hourly"]) == 500

    assert list(drop_samples(warehouse, NOW, None)) == []
    columns, archive = ", ".join(COLUMNS), SampleArchive(str(tmp_path))
    samples = f"select {columns} from {TABLE} where pass_at < '2026-10-01' order by pass_at, server_uuid"
    old = warehouse.execute(samples).fetchall()
    dropped = list(drop_samples(warehouse, NOW, 20, archive))
    assert [month.month for month in dropped if month.samples] == [
        date(2025 + month // 12, month % 12 + 1, 1) for month in range(8, 21)
    ]
    assert not any(month.waits_for for month in dropped)
    assert warehouse.execute(f"select min(pass_at) >= '2026-10-01' from {TABLE}").fetchone() == (True,)
    assert list(drop_samples(warehouse, NOW, 20, archive)) == []

    # what is restored is what was dropped; whatever is built or dropped afterwards, nothing is made of it
    list(archive.restore(warehouse, date(2025, 1, 1), date(2026, 12, 1)))
    assert warehouse.execute(samples.replace(TABLE, RESTORED)).fetchall() == old
    assert list(drop_samples(warehouse, NOW, 20, archive)) == []

    # a zone and a limit change, which would have all days of these servers built again
    warehouse.execute(
        f"update ops.server_timezones set timezone = 'Asia/Tokyo' where server_uuid in "
        f"('{SERVERS['a']}', '{SERVERS['c']}')"
    )
    run_dbt(["run", *models], environment, target=dbt_target)
    assert rolled_up(warehouse, "2026-10-01") == before
    tokyo = "select count(distinct terms_digest) from intermediate.int_server_utilization_daily where server_uuid = %s"
    assert warehouse.execute(tokyo, (SERVERS["a"],)).fetchone() == (2,), "what is left of samples is cut anew"

    run_dbt(["run", "--full-refresh", *models], environment, target=dbt_target)
    assert rolled_up(warehouse, "2026-10-01") == before
    assert warehouse.execute(tokyo, (SERVERS["a"],)).fetchone() == (2,)
