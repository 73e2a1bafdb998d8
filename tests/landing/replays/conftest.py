"""A site of replays on loopback, and what passes over it work with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from pteroassets.clock import ManualClock
from pteroassets.landing.context import Landing
from pteroassets.settings import Settings
from pteroassets.simulator.arma3.serve import FakeReplaySites
from pteroassets.warehouse.connection import ConnectionSettings
from tests.landing.replays.games import EVENING, KEY


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(EVENING + timedelta(hours=4))


@pytest.fixture
def site(clock: ManualClock) -> Iterator[FakeReplaySites]:
    with FakeReplaySites(clock) as running:
        yield running


@pytest.fixture
def landing(
    warehouse_settings: ConnectionSettings, site: FakeReplaySites, clock: ManualClock, tmp_path: Path
) -> Landing:
    settings = Settings(_env_file=None).model_copy(
        update={
            "postgres_host": warehouse_settings.host,
            "postgres_port": warehouse_settings.port,
            "postgres_username": warehouse_settings.username,
            "postgres_password": SecretStr(warehouse_settings.password),
            "postgres_database": warehouse_settings.database,
            "pteroassets_pii_key": SecretStr(KEY),
            "pteroassets_log_store": str(tmp_path),
            "pteroassets_replay_sites": f"wog:{site.url}",
        }
    )
    return Landing(settings=settings, clock=clock)
