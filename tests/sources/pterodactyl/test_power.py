"""Power signals to a simulated panel: what they do there, what is said of each refusal, and that each is sent once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from pteroassets.clock import ManualClock
from pteroassets.simulator.panel.faults import Fault
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.sources.pterodactyl.client import PanelClient, list_servers
from pteroassets.sources.pterodactyl.power import PowerClient
from tests.sources.pterodactyl.reading import connect

ANCHOR = datetime(2026, 10, 28, 20, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    with Simulation(World.create(7, ANCHOR + timedelta(days=3), WorldSize.TINY), ManualClock(ANCHOR)) as running:
        yield running


@pytest.fixture
def clock(simulation: Simulation) -> ManualClock:
    clock = simulation.clock
    assert isinstance(clock, ManualClock)
    clock.move_to(clock.now() + timedelta(minutes=5))
    simulation.faults.clear()
    simulation.requests.clear()
    return clock


@pytest.fixture
def panel(simulation: Simulation, clock: ManualClock) -> Iterator[PanelClient]:
    with connect(simulation, clock) as client:
        yield client


def power(simulation: Simulation, key: str | None = None, *, seconds: float = 10.0) -> PowerClient:
    return PowerClient(simulation.panel_url, SecretStr(key or simulation.client_key), seconds=seconds)


def resources(panel: PanelClient, uuid: str) -> dict[str, Any]:
    attributes: dict[str, Any] = panel.client(f"servers/{uuid}/resources")["attributes"]
    return attributes


def running_server(panel: PanelClient) -> str:
    """A server that has run for a while."""
    for server in list_servers(panel).servers:
        if server.outcome is None and resources(panel, server.uuid)["current_state"] == "running":
            return server.uuid
    raise AssertionError("no server runs")


def test_a_server_stops_and_starts_as_it_is_told(
    simulation: Simulation, panel: PanelClient, clock: ManualClock
) -> None:
    uuid = running_server(panel)
    seen = []
    with power(simulation) as client:
        for signal, waits in (("stop", (1, 6)), ("start", (1, 16)), ("restart", (1, 6, 21))):
            before = clock.now()
            assert client.send(uuid, signal).outcome == "done"  # type: ignore[arg-type]
            for seconds in waits:
                clock.move_to(before + timedelta(seconds=seconds))
                seen.append((signal, seconds, resources(panel, uuid)["current_state"]))
    assert seen == [
        ("stop", 1, "stopping"),
        ("stop", 6, "offline"),
        ("start", 1, "starting"),
        ("start", 16, "running"),
        ("restart", 1, "stopping"),
        ("restart", 6, "starting"),
        ("restart", 21, "running"),
    ]
    assert resources(panel, uuid)["resources"]["uptime"] == 16_000


@pytest.mark.parametrize(
    ("fault", "outcome", "status", "reason"),
    [
        (Fault(route="power", status=500), "failed", 500, "the panel failed (500)"),
        (Fault(route="power", status=429), "failed", 429, "rate limit is used up"),
        (Fault(route="power", status=409), "failed", 409, "in the state that the server or its node is in"),
        (Fault(route="power", status=504), "unanswered", 504, "the node gave the panel no answer"),
        (Fault(kind="latency", route="power", seconds=1.5), "unanswered", None, "did not answer within 0.5 s"),
    ],
)
def test_a_signal_that_fails_is_told_and_not_repeated(
    simulation: Simulation, panel: PanelClient, fault: Fault, outcome: str, status: int | None, reason: str
) -> None:
    uuid = running_server(panel)
    simulation.requests.clear()
    simulation.faults.add(fault)
    with power(simulation, seconds=0.5) as client:
        answer = client.send(uuid, "restart")
    assert (answer.outcome, answer.status) == (outcome, status)
    assert reason in answer.reason
    assert [entry.method for entry in simulation.requests.entries] in ([], ["POST"]), "a late answer is counted later"


def test_a_key_that_may_not_is_refused_and_never_shown(simulation: Simulation, panel: PanelClient) -> None:
    uuid = running_server(panel)
    with power(simulation, "ptlc_nobodyknowsthiskey0000") as client:
        answer = client.send(uuid, "stop")
    assert (answer.outcome, answer.status) == ("failed", 401)
    assert "PTEROASSETS_DISCORD_POWER_KEY" in answer.reason
    assert "nobodyknows" not in answer.reason
    assert resources(panel, uuid)["current_state"] == "running"


def test_a_panel_that_is_not_there_got_no_signal() -> None:
    with PowerClient("http://127.0.0.1:9", SecretStr("ptlc_key"), seconds=1) as client:
        answer = client.send("aaaaaaaa-0000-4000-8000-000000000001", "stop")
    assert (answer.outcome, answer.status) == ("failed", None)
    assert "cannot be reached" in answer.reason
