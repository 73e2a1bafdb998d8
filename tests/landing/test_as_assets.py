"""The passes as Dagster runs them: what the UI shows of each table is what stands in it."""

from __future__ import annotations

import dagster as dg
import pytest

from pteroassets.defs.minecraft import collected_logs, derived_sessions, events
from pteroassets.defs.pterodactyl import panel_entities, utilization_samples
from pteroassets.defs.raw import raw_tables
from pteroassets.sources.pterodactyl.application import ENTITIES
from pteroassets.warehouse.connection import connect
from tests.harness import Platform

pytestmark = pytest.mark.postgres


def test_each_raw_asset_shows_the_rows_and_described_columns_of_its_table(platform: Platform) -> None:
    settings = platform.settings
    result = dg.materialize(
        [panel_entities, utilization_samples, collected_logs, events, derived_sessions],
        resources={"landing": platform.landing},
    )
    assert result.success
    shown = {
        event.asset_key.to_user_string(): event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }
    tables = {name: metadata["dagster/table_name"].value for name, metadata in shown.items()}
    assert set(tables.values()) == raw_tables().keys() - {"ops.loads"}
    assert tables["ops/server_timezones"] == "ops.server_timezones"
    with connect(settings, autocommit=True) as connection:
        for name, metadata in shown.items():
            count = connection.execute(f"select count(*) from {tables[name]}").fetchone()
            assert count is not None
            assert metadata["dagster/row_count"].value == count[0], name
            columns = metadata["dagster/column_schema"].value.columns  # type: ignore[union-attr] # a table's schema
            assert all(column.description for column in columns), name
        assert shown["ops/server_timezones"]["dagster/row_count"].value > 0
        current = connection.execute("select count(*) from raw_pterodactyl.servers where valid_to is null").fetchone()
    assert current is not None
    assert shown["pterodactyl/servers"]["current_records"].value == current[0]
    assert {f"pterodactyl/{entity}" for entity in ENTITIES} < shown.keys()
