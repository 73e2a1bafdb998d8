"""Dagster's storage as dagster.yaml describes it, on a real Postgres."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from dagster import DagsterInstance

from pteroassets.platform.services import DagsterPlace
from pteroassets.settings import CHECKOUT
from pteroassets.warehouse.connection import ConnectionSettings
from pteroassets.warehouse.migrate import ensure_database


@pytest.fixture
def make_instance(
    warehouse_settings: ConnectionSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], DagsterInstance]:
    place = DagsterPlace(
        checkout=CHECKOUT,
        warehouse=warehouse_settings,
        database=f"dagster_{warehouse_settings.database}",
        artifacts=tmp_path,
        code_server_port=0,
    )
    for name, value in place.environment().items():
        monkeypatch.setenv(name, value)
    ensure_database(warehouse_settings, place.database)
    return lambda: DagsterInstance.from_config(str(CHECKOUT))
