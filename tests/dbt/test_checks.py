"""What a build reports to Dagster of the tests of dbt: all of them as checks, of the assets it was asked for."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from pteroassets.defs.dbt import dbt_models
from pteroassets.landing.context import Landing
from pteroassets.platform.environment import located
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.parsed import prepare_target

pytestmark = pytest.mark.postgres

BUILT = dg.AssetKey(["marts", "fct_server_daily"])
NOT_BUILT = dg.AssetKey(["marts", "dim_servers_history"])


@pytest.fixture(scope="module")
def models() -> dg.AssetsDefinition:
    return dbt_models()


@pytest.fixture
def build(
    models: dg.AssetsDefinition, built_settings: ConnectionSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.ExecuteInProcessResult]:
    """A build of one mart of which other assets' tests read, while the sessions that it counts lack one."""
    settings = located(Settings(_env_file=None), warehouse=built_settings, home=tmp_path)  # type: ignore[call-arg]
    prepare_target(built_settings.environment(), tmp_path)
    for name, value in built_settings.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
    with connect(built_settings, autocommit=True) as connection:
        connection.execute(
            "create table taken as select * from marts.fct_player_sessions where joined_date is not null "
            "and not is_open limit 1"
        )
        connection.execute(
            "update marts.fct_player_sessions set joined_date = joined_date - 400 where session_id = "
            "(select session_id from taken)"
        )
        try:
            yield dg.materialize(
                [models],
                selection=dg.AssetSelection.assets(BUILT, ["marts", "dim_servers"]),
                resources={"landing": Landing(settings=settings)},
                raise_on_error=False,
            )
        finally:
            connection.execute(
                "update marts.fct_player_sessions as sessions set joined_date = taken.joined_date from taken "
                "where sessions.session_id = taken.session_id"
            )
            connection.execute("drop table taken")


def test_a_build_reports_each_test_as_a_check_and_a_failed_one_over_two_models_on_its_asset(
    build: dg.ExecuteInProcessResult, models: dg.AssetsDefinition, caplog: pytest.LogCaptureFixture
) -> None:
    checks = {(check.asset_key, check.check_name): check for check in build.get_asset_check_evaluations()}
    of_the_mart = {spec.name for spec in models.check_specs if spec.asset_key == BUILT}
    assert {name for key, name in checks if key == BUILT} == of_the_mart
    assert {name for (_, name), check in checks.items() if not check.passed} == {
        "sessions_of_days_equal_those_that_began"
    }
    # a test of an asset that was not asked for, which reads one that was
    assert all(key != NOT_BUILT for key, _ in checks)
    assert [event for event in build.all_events if event.event_type_value == "ASSET_OBSERVATION"] == []
    assert [record.message for record in caplog.get_records("setup") if "AssetObservation" in record.message] == []
    assert logging.getLogger("dagster").isEnabledFor(logging.WARNING)


def test_what_a_build_reads_and_is_not_there_yet_is_built_first(
    models: dg.AssetsDefinition, warehouse_settings: ConnectionSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass may begin before the first build of everything has come to what its models read."""
    settings = located(Settings(_env_file=None), warehouse=warehouse_settings, home=tmp_path)  # type: ignore[call-arg]
    prepare_target(warehouse_settings.environment(), tmp_path)
    for name, value in warehouse_settings.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))

    def built() -> list[str]:
        found = dg.materialize(
            [models],
            selection=dg.AssetSelection.assets(["marts", "dim_server_software"]).without_checks(),
            resources={"landing": Landing(settings=settings)},
        )
        return sorted(event.asset_key.path[-1] for event in found.get_asset_materialization_events() if event.asset_key)

    first = built()
    assert "int_minecraft__servers" in first
    assert "stg_minecraft__log_files" in first
    assert built() == ["dim_server_software"]
