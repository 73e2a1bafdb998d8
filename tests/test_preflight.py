"""What ``pteroassets check`` finds, and what it tells an operator to do about it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from pteroassets.cli import main
from pteroassets.clock import ManualClock, SystemClock
from pteroassets.preflight import AnnouncedLimits, Finding, check_nodes, check_panel, check_postgres, check_settings
from pteroassets.settings import Settings
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.world import World, WorldSize
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.warehouse.connection import ConnectionSettings

ANCHOR = datetime(2026, 10, 28, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    world = World.create(seed=11, anchor=ANCHOR, size=WorldSize.TINY, history=timedelta(days=1))
    with Simulation(world, ManualClock(ANCHOR)) as running:
        yield running


def findings(simulation: Simulation, *, application: str, client: str) -> dict[str, Finding]:
    clock = SystemClock()
    budget = AnnouncedLimits(clock)
    with PanelClient(
        simulation.panel_url,
        application_key=SecretStr(application),
        client_key=SecretStr(client),
        budget=budget,
        clock=clock,
        patience_seconds=0,
    ) as panel:
        found = [*check_panel(panel, budget), *check_nodes(panel)]
    return {finding.subject: finding for finding in found}


def test_a_panel_with_good_keys_is_all_well(simulation: Simulation) -> None:
    found = findings(simulation, application=simulation.application_key, client=simulation.client_key)
    assert {finding.status for finding in found.values()} == {"ok"}
    assert "240 requests a minute" in found["rate limit of the application API"].detail
    assert "720 requests a minute" in found["rate limit of the client API"].detail
    assert any(subject.startswith("node ") for subject in found)


def test_a_key_without_permissions_is_told_which_it_lacks(simulation: Simulation) -> None:
    found = findings(simulation, application=simulation.keys["app_partial"], client=simulation.client_key)
    faults = [finding for finding in found.values() if finding.status == "fault"]
    assert faults
    assert any("may not read" in finding.detail or "permission" in finding.detail for finding in faults)


def test_a_key_of_no_admin_is_recognised(simulation: Simulation) -> None:
    found = findings(simulation, application=simulation.application_key, client=simulation.keys["client_plain"])
    assert found["client key"].status == "fault"
    assert "root admin" in found["client key"].detail


def test_an_application_key_where_a_client_key_belongs_is_recognised(simulation: Simulation) -> None:
    found = findings(simulation, application=simulation.application_key, client=simulation.application_key)
    assert found["client key"].status == "fault"
    assert simulation.application_key not in found["client key"].detail


def test_a_wrong_key_is_refused_by_name_and_never_shown(simulation: Simulation) -> None:
    wrong = "ptla_" + "x" * 43
    found = findings(simulation, application=wrong, client=simulation.client_key)
    assert found["application key"].status == "fault"
    assert not any(subject.startswith("application key:") for subject in found), "one fault is told once"
    assert "rate limit of the application API" not in found, "nothing is known of it"
    assert all(wrong not in finding.detail for finding in found.values())


def test_a_panel_that_is_down_is_told_once(simulation: Simulation) -> None:
    clock = SystemClock()
    budget = AnnouncedLimits(clock)
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with PanelClient(
            f"http://127.0.0.1:{held.getsockname()[1]}",
            application_key=SecretStr(simulation.application_key),
            client_key=SecretStr(simulation.client_key),
            budget=budget,
            clock=clock,
            patience_seconds=0,
        ) as panel:
            (finding,) = check_panel(panel, budget)
    assert finding.status == "fault"
    assert finding.subject == "PTERODACTYL_URL"
    assert "is the panel up" in finding.detail


def test_a_node_that_does_not_answer_is_named_with_the_port_to_open(simulation: Simulation) -> None:
    node = simulation.truth.entities(ANCHOR)["nodes"][0]
    simulation.faults.node_down(node["id"])
    found = findings(simulation, application=simulation.application_key, client=simulation.client_key)
    simulation.faults.clear()
    assert found[f"node {node['name']}"].status == "warning"
    assert "cannot be reached" in found[f"node {node['name']}"].detail


@pytest.mark.postgres
def test_a_suitable_postgres_is_all_well(warehouse_settings: ConnectionSettings) -> None:
    assert {finding.status for finding in check_postgres(warehouse_settings)} == {"ok"}


@pytest.mark.postgres
def test_a_wrong_password_of_postgres_is_told_with_the_settings_to_look_at(
    warehouse_settings: ConnectionSettings,
) -> None:
    wrong = ConnectionSettings(
        host=warehouse_settings.host, port=warehouse_settings.port, username="postgres", password="no", database="x"
    )
    (finding,) = check_postgres(wrong)
    assert finding.status == "fault"
    assert "POSTGRES_PASSWORD" in finding.remedy


def test_missing_settings_are_all_told_at_once() -> None:
    empty = Settings.model_construct(pterodactyl_url=None, pterodactyl_app_key=None, pterodactyl_cli_key=None)
    subjects = {finding.subject for finding in check_settings(empty)}
    assert subjects == {"PTERODACTYL_URL", "PTERODACTYL_APP_KEY", "PTERODACTYL_CLI_KEY", "PTEROASSETS_PII_KEY"}


@pytest.fixture
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    monkeypatch.chdir(str(tmp_path))


@pytest.mark.usefixtures("nothing_set")
def test_up_without_settings_ends_with_what_is_missing_and_no_stack_trace() -> None:
    result = CliRunner().invoke(main, ["up"])
    assert result.exit_code == 1
    assert "PTERODACTYL_URL is not set" in result.output
    assert "Traceback" not in result.output


@pytest.mark.usefixtures("nothing_set")
def test_a_setting_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTEROASSETS_LOG_TIMEZONE", "Middle/Earth")
    result = CliRunner().invoke(main, ["check"])
    assert result.exit_code == 1
    assert "PTEROASSETS_LOG_TIMEZONE" in result.output
    assert "Middle/Earth" in result.output


@pytest.mark.usefixtures("nothing_set")
def test_check_of_a_postgres_that_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        monkeypatch.setenv("POSTGRES_HOST", "127.0.0.1")
        monkeypatch.setenv("POSTGRES_PORT", str(held.getsockname()[1]))
        result = CliRunner().invoke(main, ["check"])
    assert result.exit_code == 1
    assert "Postgres" in result.output
