"""The history that benchmarks measure is one that the platform could have landed and derived itself."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.made_history import fill
from pteroassets.clock import SystemClock
from pteroassets.landing.minecraft.sessions import derive_sessions
from pteroassets.warehouse.connection import Connection, ConnectionSettings
from tests.harness import table_rows

pytestmark = pytest.mark.postgres

SERVERS, DAYS = 23, 1


def counts(connection: Connection) -> dict[str, Any]:
    return {
        table: connection.execute(f"select count(*) from {table}").fetchone()
        for table in (
            "raw_pterodactyl.utilization_samples",
            "raw_minecraft.events",
            "derived_minecraft.player_sessions",
            "derived_minecraft.name_sightings",
            "raw_minecraft.log_reads",
        )
    }


def test_the_platform_derives_the_sessions_that_were_made(
    warehouse_settings: ConnectionSettings, warehouse: Connection
) -> None:
    history = fill(warehouse_settings, servers=SERVERS, days=DAYS, database=warehouse_settings.database)
    before = counts(warehouse)
    assert before["raw_pterodactyl.utilization_samples"] == (SERVERS * DAYS * 288,)

    derived = ("derived_minecraft.player_sessions", "derived_minecraft.name_sightings")
    made = {table: table_rows(warehouse, table) for table in derived}
    warehouse.execute("update raw_minecraft.log_files set sessions_built = false")
    derive_sessions(warehouse, clock=SystemClock())
    for table in derived:
        assert table_rows(warehouse, table) == made[table], table

    history.land_samples(2)
    history.land_logs()
    after = counts(warehouse)
    assert after["raw_pterodactyl.utilization_samples"] == (SERVERS * (DAYS * 288 + 2),)
    assert all(after[table] > before[table] for table in before)
