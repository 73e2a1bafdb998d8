"""Changes of sessions, players and the network by further seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from pteroassets.warehouse.connection import ConnectionSettings
from tests.dbt.test_changes import compare_after_changes

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("seed", range(2, 6))
def test_a_build_by_what_changed_equals_a_full_one(
    built_settings: ConnectionSettings, dbt_target: Path, seed: int
) -> None:
    compare_after_changes(built_settings, dbt_target, seed=seed)
