"""Samples that are taken at the nodes themselves, where that is allowed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pteroassets.clock import ManualClock
from pteroassets.simulator.panel.context import variable_values
from pteroassets.simulator.panel.faults import Fault
from pteroassets.simulator.panel.node import NodeServer
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.sources.outcomes import UNANSWERED
from pteroassets.warehouse.connection import ConnectionSettings, connect
from pteroassets.warehouse.load import LoadReport
from tests.databases import copied
from tests.harness import Platform
from tests.landing.conftest import ANCHOR, platform_of

pytestmark = pytest.mark.postgres

Sampled = tuple[LoadReport, list[dict[str, Any]], Counter[str]]


@pytest.fixture(scope="module")
def big_simulation() -> Iterator[Simulation]:
    """A panel with servers of every state, on four nodes."""
    world = World.create(seed=11, anchor=ANCHOR, size=WorldSize.DEMO, history=timedelta(days=2))
    with Simulation(world, ManualClock(ANCHOR)) as simulation:
        yield simulation


@pytest.fixture
def sample(
    big_simulation: Simulation, migrated_template: ConnectionSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Sampled]]:
    """Take a sample of all servers into an empty warehouse; return the report, the rows and what was asked."""
    platform: Platform = platform_of(big_simulation, migrated_template, tmp_path)

    def taken(*, at_nodes: bool) -> Sampled:
        monkeypatch.setenv("PTEROASSETS_NODE_ACCESS", str(at_nodes))
        with copied(migrated_template) as platform.settings:
            before = len(big_simulation.requests)
            report = platform.utilization()
            asked = Counter(entry.route for entry in big_simulation.requests.entries[before:])
            with connect(platform.settings) as connection:
                columns = [
                    name
                    for (name,) in connection.execute(
                        "select column_name from information_schema.columns where table_schema = 'raw_pterodactyl' "
                        "and table_name = 'utilization_samples' and column_name not like '\\_%' order by 1"
                    )
                ]
                rows = connection.execute(
                    f"select {', '.join(columns)} from raw_pterodactyl.utilization_samples order by server_uuid"
                ).fetchall()
        return report, [dict(zip(columns, row, strict=True)) for row in rows], asked

    yield taken
    big_simulation.faults.clear()


def nodes_of(rows: list[dict[str, Any]]) -> Counter[str]:
    return Counter(row["node_name"] for row in rows)


def told(report: LoadReport) -> list[str]:
    return [f"{problem['scope']}: {problem['reason']}" for problem in report.problems]


def test_both_ways_give_equal_rows_for_the_same_instant(
    big_simulation: Simulation, sample: Callable[..., Sampled]
) -> None:
    node = big_simulation.world.estate.nodes[0]
    big_simulation.faults.node_down(node.id)
    _, by_panel, asked_panel = sample(at_nodes=False)
    report, by_node, asked = sample(at_nodes=True)
    assert by_node == by_panel
    assert report.is_complete
    outcomes = {row["outcome"] for row in by_node}
    assert {"ok", "offline", "suspended", "install_failed", "node_unreachable"} <= outcomes
    assert {row["outcome"] for row in by_node if row["node_name"] == node.name} & {"ok", "offline"} == set()
    assert asked_panel["resources"] > 10
    assert asked["resources"] == 1, "of a node that accepts no connection the panel is asked for one server"


def test_a_pass_asks_each_node_once_and_the_panel_for_no_server(
    big_simulation: Simulation, sample: Callable[..., Sampled]
) -> None:
    report, rows, asked = sample(at_nodes=True)
    nodes = len(nodes_of(rows))
    assert asked == {"list": 1, "nodes": 1, "configuration": nodes, "node_servers": nodes}
    assert report.requests == asked.total()
    assert told(report) == []
    living = big_simulation.world.estate.living(int(ANCHOR.timestamp()))
    assert [str(row["server_uuid"]) for row in rows] == sorted(server.uuid for server, _ in living)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(status=403, route="node_servers"), "refuses the token"),
        (Fault(status=401, route="node_servers"), "refuses the token"),
        (Fault(status=500, route="node_servers"), "did not give its servers (500)"),
        (Fault(status=403, route="configuration"), "could not be read"),
        (Fault(status=401, route="nodes"), "not read completely"),
        (Fault(kind="truncate", route="node_servers"), "gave no list of its servers"),
        (Fault(kind="break_off", route="node_servers"), "broke off"),
    ],
)
def test_where_a_node_cannot_be_asked_the_panel_is_and_the_load_says_why(
    big_simulation: Simulation, sample: Callable[..., Sampled], fault: Fault, reason: str
) -> None:
    _, by_panel, _ = sample(at_nodes=False)
    big_simulation.faults.add(fault)
    report, by_node, asked = sample(at_nodes=True)
    assert by_node == by_panel
    assert asked["node_servers"] <= len(nodes_of(by_node))
    assert len(told(report)) == len(nodes_of(by_node))
    for line in told(report):
        assert "asked for at the panel, since the node could not be asked directly" in line
        assert reason in line


def test_a_node_that_hangs_costs_one_time_out_and_its_servers_say_so(
    big_simulation: Simulation, sample: Callable[..., Sampled], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pteroassets.sources.pterodactyl.node_utilization._REPORT_SECONDS", 0.5)
    node = big_simulation.world.estate.nodes[0]
    big_simulation.faults.add(Fault(kind="latency", seconds=3, route="node_servers", node_id=node.id))
    report, rows, asked = sample(at_nodes=True)
    of_node = [row for row in rows if row["node_name"] == node.name and row["reason"] is not None]
    unreachable = [row for row in of_node if row["outcome"] == "node_unreachable"]
    assert len(unreachable) > 1
    address = f"127.0.0.1:{big_simulation.ports[f'node-{node.id}']}"
    (reason,) = {row["reason"] for row in unreachable}
    assert reason == f"node {node.name}: node {address} sent nothing in time for its servers"
    assert asked["resources"] == 0
    assert [line for line in told(report) if line.startswith(f"node {node.name}:")] == told(report)
    assert len(told(report)) == 1
    others = [row["outcome"] for row in rows if row["node_name"] != node.name]
    assert set(others) & set(UNANSWERED) == set()
    assert "ok" in others
    big_simulation.faults.clear()
    _, rows, _ = sample(at_nodes=True)  # the next pass asks the node again
    assert {row["outcome"] for row in rows} & set(UNANSWERED) == set()


def test_a_server_that_its_node_does_not_know_is_asked_for_at_the_panel(
    sample: Callable[..., Sampled], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, by_panel, _ = sample(at_nodes=False)
    lost = next(row["server_uuid"] for row in by_panel if row["outcome"] == "ok")
    told_by = {row["server_uuid"]: row for row in by_panel}
    given = NodeServer._server

    def without(self: Any, row: Any, now: int) -> dict[str, Any]:
        body = given(self, row, now)
        if row[0].uuid == str(lost):
            body["configuration"]["uuid"] = "no uuid, but CANARY"
        return body

    monkeypatch.setattr(NodeServer, "_server", without)
    report, by_node, asked = sample(at_nodes=True)
    assert by_node == by_panel
    assert asked["resources"] == 1
    node = told_by[lost]["node_name"]
    assert told(report) == [f"node {node}: 1 server asked for at the panel, since the node does not report them"]


@pytest.mark.parametrize(("seconds", "direction"), [(75, "75 s ahead of"), (-75, "75 s behind"), (45, None)])
def test_a_node_whose_clock_is_wrong_is_named(
    big_simulation: Simulation, sample: Callable[..., Sampled], seconds: int, direction: str | None
) -> None:
    node = big_simulation.world.estate.nodes[0]
    big_simulation.faults.add(Fault(kind="clock", seconds=seconds, route="node_servers", node_id=node.id))
    report, rows, _ = sample(at_nodes=True)
    assert told(report) == (
        []
        if direction is None
        else [f"node {node.name}: the clock of the node is {direction} this machine's: set both by NTP"]
    )
    assert report.is_complete
    assert {row["outcome"] for row in rows} & set(UNANSWERED) == set()


def test_neither_tokens_nor_what_servers_are_started_with_reach_a_row_a_problem_or_the_log(
    big_simulation: Simulation, sample: Callable[..., Sampled], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world = big_simulation.world
    tokens = {node.token for node in world.estate.nodes}
    values = {
        str(value)
        for server, state in world.estate.living(int(ANCHOR.timestamp()))
        for value in variable_values(server, state).values()
        if len(str(value)) > 8
    }
    assert tokens
    assert values
    first, second = world.estate.nodes[:2]
    big_simulation.faults.add(Fault(status=500, route="node_servers", node_id=first.id))
    big_simulation.faults.add(Fault(kind="truncate", route="node_servers", node_id=second.id))
    report, rows, _ = sample(at_nodes=True)
    said = f"{rows} {report} {caplog.text}"
    assert [secret for secret in tokens | values if secret in said] == []
