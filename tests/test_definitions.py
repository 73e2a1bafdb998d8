"""The code location as a whole: what loads, what is described, what runs by itself."""

from __future__ import annotations

import dagster as dg
import pytest

from pteroassets.definitions import defs
from pteroassets.defs.automation import preset, schedules


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return defs()


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions) -> dg.AssetGraph:
    return definitions.resolve_asset_graph()


def test_the_code_location_loads_without_any_setting(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_every_dbt_source_has_a_loader(graph: dg.AssetGraph) -> None:
    # Dagster invents a stub for a source that nobody loads
    stub = "dagster/auto_created_stub_asset"
    assert [key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).metadata.get(stub)] == []


def test_every_asset_says_what_it_is_to_whom_it_belongs_and_how_old_it_may_get(graph: dg.AssetGraph) -> None:
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.description, key
        assert node.group_name != "default", key
        assert node.owners, key
        assert node.kinds, key
        assert node.freshness_policy is not None, key


def test_raw_tables_lead_to_marts(graph: dg.AssetGraph) -> None:
    mart = dg.AssetKey(["marts", "fct_server_daily"])
    upstream = dg.AssetSelection.assets(mart).upstream().resolve(graph)
    for raw in (["pterodactyl", "servers"], ["pterodactyl", "utilization_samples"], ["minecraft", "player_sessions"]):
        assert dg.AssetKey(raw) in upstream


def test_the_five_minute_path_rebuilds_only_what_samples_feed(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("utilization")
    keys = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert "pterodactyl/utilization_samples" in keys
    assert "marts/fct_utilization_hourly" in keys
    assert "marts/dim_users" not in keys
    assert not any(key.startswith("minecraft/") for key in keys)


def test_schedules_and_sensors_run_without_being_switched_on(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    assert {schedule.name for schedule in repository.schedule_defs} == {
        "entities_schedule",
        "utilization_schedule",
        "logs_schedule",
        "source_freshness_schedule",
        "maintenance_schedule",
    }
    assert all(schedule.default_status is dg.DefaultScheduleStatus.RUNNING for schedule in repository.schedule_defs)
    assert all(sensor.default_status is dg.DefaultSensorStatus.RUNNING for sensor in repository.sensor_defs)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fresh", {"entities": "0 * * * *", "utilization": "*/5 * * * *", "logs": "*/15 * * * *"}),
        ("stiv", {"entities": "0 6,12,18 * * *", "utilization": "*/30 * * * *", "logs": "0 7 * * *"}),
    ],
)
def test_a_preset_sets_the_times(name: str, expected: dict[str, str]) -> None:
    chosen = preset(name, "Europe/Berlin")  # type: ignore[arg-type]
    found = {schedule.name: schedule for schedule in schedules(chosen)}
    assert {kind: found[f"{kind}_schedule"].cron_schedule for kind in expected} == expected
    assert found["logs_schedule"].execution_timezone == ("UTC" if name == "fresh" else "Europe/Berlin")


@pytest.mark.parametrize(("name", "seconds"), [("fresh", 300), ("stiv", 1800)])
def test_a_sample_stands_for_the_time_between_two_passes(
    name: str, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTEROASSETS_SCHEDULES", name)
    resources = defs().resources
    assert resources is not None
    assert resources["panel"].sampling_seconds == seconds


def test_an_operator_can_choose_the_day_of_logs_to_reload(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("reload_log_day")
    assert job.partitions_def is not None
    assert job.partitions_def.has_partition_key("2026-03-01")


def test_secrets_are_known_to_the_ui_by_their_variables_name_alone(definitions: dg.Definitions) -> None:
    resources = definitions.resources or {}
    assert resources["panel"].client_key == dg.EnvVar("PTERODACTYL_CLI_KEY")
    assert resources["panel"].application_key == dg.EnvVar("PTERODACTYL_APP_KEY")
    assert resources["warehouse"].password == dg.EnvVar("POSTGRES_PASSWORD")
