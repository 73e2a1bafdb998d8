"""What ``pteroassets check`` finds, and what it tells an operator to do about it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from pteroassets.cli import main
from pteroassets.clock import ManualClock, SystemClock
from pteroassets.platform.check import (
    check_names,
    check_nodes,
    check_panel,
    check_postgres,
    check_settings,
)
from pteroassets.platform.finding import Finding
from pteroassets.settings import Settings
from pteroassets.simulator.panel.faults import Fault
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.sources.pterodactyl.pacing import AnnouncedLimits
from pteroassets.warehouse.connection import ConnectionSettings

ANCHOR = datetime(2026, 10, 28, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    world = World.create(seed=11, anchor=ANCHOR, size=WorldSize.TINY, history=timedelta(days=1))
    with Simulation(world, ManualClock(ANCHOR)) as running:
        yield running


def findings(
    simulation: Simulation, *, application: str, client: str, settings: Settings | None = None
) -> dict[str, Finding]:
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
        found = [*check_panel(panel, budget), *check_nodes(panel), *check_names(panel, settings or Settings(), clock)]
    return {finding.subject: finding for finding in found}


def test_a_panel_with_good_keys_is_all_well(simulation: Simulation) -> None:
    found = findings(simulation, application=simulation.application_key, client=simulation.client_key)
    assert {finding.status for finding in found.values()} == {"ok"}
    assert "240 requests a minute" in found["rate limit of the application API"].detail
    assert "720 requests a minute" in found["rate limit of the client API"].detail
    assert any(subject.startswith("node ") for subject in found)
    assert {finding.remedy for finding in found.values()} == {""}


def test_a_key_without_permissions_is_told_which_it_lacks(simulation: Simulation) -> None:
    found = findings(simulation, application=simulation.keys["app_partial"], client=simulation.client_key)
    faults = [finding for finding in found.values() if finding.status == "fault"]
    assert faults
    assert all("may not read" in finding.detail for finding in faults)
    assert all("permission" in finding.remedy for finding in faults), "what to do stands in its own column"


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
    assert "Connection refused" in finding.detail
    assert "is the panel up" in finding.remedy


def test_a_node_that_does_not_answer_is_named_with_the_port_to_open(simulation: Simulation) -> None:
    node = simulation.truth.entities(ANCHOR)["nodes"][0]
    simulation.faults.node_down(node["id"])
    found = findings(simulation, application=simulation.application_key, client=simulation.client_key)
    simulation.faults.clear()
    assert found[f"node {node['name']}"].status == "warning"
    assert "cannot be reached" in found[f"node {node['name']}"].detail
    assert "open this port" in found[f"node {node['name']}"].remedy


def test_a_node_that_accepts_connections_and_says_nothing_does_not_answer(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pteroassets.platform.check._NODE_TIMEOUT_SECONDS", 0.2)
    node = simulation.truth.entities(ANCHOR)["nodes"][0]
    simulation.faults.add(Fault(kind="latency", route="node", node_id=node["id"], seconds=1))
    found = findings(simulation, application=simulation.application_key, client=simulation.client_key)
    simulation.faults.clear()
    assert found[f"node {node['name']}"].status == "warning"
    assert "no answer within 0.2 s" in found[f"node {node['name']}"].detail
    assert found[f"node {node['name']}"].remedy


def test_what_is_not_wings_is_no_node(simulation: Simulation) -> None:
    node = simulation.truth.entities(ANCHOR)["nodes"][0]
    simulation.faults.add(Fault(status=200, route="node", node_id=node["id"]))
    found = findings(simulation, application=simulation.application_key, client=simulation.client_key)
    simulation.faults.clear()
    assert found[f"node {node['name']}"].status == "warning"
    assert "answers 200, as Wings does not" in found[f"node {node['name']}"].detail


def test_names_in_settings_that_the_panel_does_not_know_are_faults_with_the_nearest_one(simulation: Simulation) -> None:
    entities = simulation.truth.entities(ANCHOR)
    server, node = entities["servers"][0]["uuid"], entities["nodes"][0]["name"]
    egg = entities["eggs"][0]["name"]
    settings = Settings(
        pteroassets_log_timezones={server.upper(): "UTC", node: "UTC", egg: "UTC", f"{egg}x": "UTC"},
        pteroassets_log_paths={egg.lower(): "/logs", node: "/logs"},
    )
    found = findings(
        simulation, application=simulation.application_key, client=simulation.client_key, settings=settings
    )
    faults = {subject: finding for subject, finding in found.items() if finding.status == "fault"}
    assert set(faults) == {"PTEROASSETS_LOG_TIMEZONES", "PTEROASSETS_LOG_PATHS"}
    assert f"names '{egg}x', which is not a server's uuid, egg or node" in faults["PTEROASSETS_LOG_TIMEZONES"].detail
    assert f"'{egg}'" in faults["PTEROASSETS_LOG_TIMEZONES"].remedy
    assert f"names {node!r}, which is not a server's uuid or egg" in faults["PTEROASSETS_LOG_PATHS"].detail


def test_names_are_not_called_unknown_when_the_panel_gave_only_some(simulation: Simulation) -> None:
    simulation.faults.add(Fault(status=500, route="eggs"))
    settings = Settings(pteroassets_log_timezones={"no such egg": "UTC"})
    found = findings(
        simulation, application=simulation.application_key, client=simulation.client_key, settings=settings
    )
    simulation.faults.clear()
    assert found["names in settings"].status == "warning"
    assert "PTEROASSETS_LOG_TIMEZONES" not in found


def test_a_pelican_panel_is_all_well_without_locations_and_nests() -> None:
    world = World.create(seed=11, anchor=ANCHOR, size=WorldSize.TINY, history=timedelta(days=1))
    with Simulation(world, ManualClock(ANCHOR), is_pelican=True) as pelican:
        found = findings(pelican, application=pelican.application_key, client=pelican.client_key)
    assert {finding.status for finding in found.values()} == {"ok"}
    assert found["application key: nests"].detail == "Pelican has none"


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


@pytest.mark.parametrize("prefix", ["ptla_", "papp_"])
def test_an_application_key_in_place_of_a_client_key_is_told_by_its_beginning(prefix: str) -> None:
    settings = Settings(
        pterodactyl_url="https://panel.example.com",
        pterodactyl_app_key=SecretStr("ptlc_a root admin's, which opens both"),
        pterodactyl_cli_key=SecretStr(f"{prefix}CANARY"),
        pteroassets_pii="drop",
    )
    (finding,) = check_settings(settings)
    assert (finding.subject, finding.status) == ("PTERODACTYL_CLI_KEY", "fault")
    assert "application key" in finding.detail
    assert "Account, API Credentials" in finding.remedy
    assert "CANARY" not in finding.detail + finding.remedy


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
def test_check_makes_no_database_and_calls_nothing_well_beneath_a_warning(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PTERODACTYL_URL", simulation.panel_url)
    monkeypatch.setenv("PTERODACTYL_APP_KEY", simulation.application_key)
    monkeypatch.setenv("PTERODACTYL_CLI_KEY", simulation.client_key)
    monkeypatch.setenv("PTEROASSETS_PII", "drop")
    monkeypatch.setenv("PTEROASSETS_HOME", str(tmp_path / "home"))
    well = CliRunner().invoke(main, ["check"])
    simulation.faults.node_down(simulation.truth.entities(ANCHOR)["nodes"][0]["id"])
    warned = CliRunner().invoke(main, ["check"])
    simulation.faults.clear()
    assert (well.exit_code, warned.exit_code) == (0, 0)
    assert "everything is as it should be" in well.output
    assert "as it should be" not in warned.output
    assert warned.output.rstrip().endswith("1 warning")
    assert list(tmp_path.iterdir()) == [], "a check leaves nothing behind"


@pytest.mark.usefixtures("nothing_set")
def test_check_of_a_postgres_that_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        monkeypatch.setenv("POSTGRES_HOST", "127.0.0.1")
        monkeypatch.setenv("POSTGRES_PORT", str(held.getsockname()[1]))
        result = CliRunner().invoke(main, ["check"])
    assert result.exit_code == 1
    assert "Postgres" in result.output
