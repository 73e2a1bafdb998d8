"""When everything is built before the platform is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from pteroassets.defs.dbt_project import DIGEST_NAME
from pteroassets.platform.serve import is_built
from pteroassets.warehouse.connection import Connection, ConnectionSettings

pytestmark = pytest.mark.postgres


def test_everything_is_built_once_and_again_after_the_models_changed(
    warehouse: Connection, warehouse_settings: ConnectionSettings, tmp_path: Path
) -> None:
    parsed, built = tmp_path / DIGEST_NAME, tmp_path / "built.txt"
    parsed.write_text("of these models")
    assert not is_built(warehouse_settings, tmp_path)
    built.write_text("of these models")
    assert not is_built(warehouse_settings, tmp_path)  # another warehouse
    warehouse.execute("create table marts.fct_server_daily ()")
    assert is_built(warehouse_settings, tmp_path)
    parsed.write_text("of other models")
    assert not is_built(warehouse_settings, tmp_path)
