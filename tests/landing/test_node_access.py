"""Logs that are read at the nodes themselves, where that is allowed."""

from __future__ import annotations

import logging
from collections import Counter

import pytest

from pteroassets.simulator.panel.faults import Fault
from pteroassets.warehouse.connection import connect
from tests.harness import Platform, table_rows
from tests.landing.test_log_passes import ask, materialized_rows

pytestmark = pytest.mark.postgres


def routes(platform: Platform, since: int) -> Counter[str]:
    return Counter(entry.route for entry in platform.simulation.requests.entries[since:])


def test_files_come_from_the_nodes_and_are_the_same(whole: Platform, platform: Platform) -> None:
    before = len(platform.simulation.requests.entries)
    platform.logs(node_access=True)
    asked = routes(platform, before)
    assert asked["node_files"] > 0
    assert asked["node_contents"] == ask(platform, "select count(*) from raw_minecraft.log_files")[0][0]
    assert asked.keys() == {"list", "nodes", "configuration", "node_files", "node_contents"}
    assert (materialized_rows(platform) == materialized_rows(whole)) is True


def test_a_reading_leaves_no_row_in_the_panels_activity(platform: Platform) -> None:
    server = ask(platform, "select uuid::text from raw_pterodactyl.servers where valid_to is null order by 1")[-1][0]
    with platform._open() as (panel, _):

        def read_rows() -> int:
            body = panel.client(f"servers/{server}/activity", per_page=100, sort="-timestamp")
            return sum(row["attributes"]["event"].startswith("server:file.") for row in body["data"])

        before = read_rows()
        platform.collect(node_access=True)
        assert read_rows() == before


def test_the_nodes_tokens_reach_neither_a_table_nor_the_log(
    platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    platform.simulation.faults.add(Fault(status=500, route="node_contents", times=3))
    platform.collect(node_access=True)
    tokens = {node.token for node in platform.simulation.world.estate.nodes}
    assert tokens
    with connect(platform.settings, autocommit=True) as connection:
        landed = str([table_rows(connection, f"raw_minecraft.{table}") for table in ("log_files", "log_reads")])
        landed += str(table_rows(connection, "ops.loads"))
    assert not [token for token in tokens if token in landed or token in caplog.text]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(status=403, route="node_files"), "refuses the token"),
        (Fault(status=401, route="node_files"), "refuses the token"),
        (Fault(status=500, route="node_files"), "did not give"),
        (Fault(status=403, route="configuration"), "could not be read"),
        (Fault(kind="truncate", route="node_files"), "gave no list"),
    ],
)
def test_where_a_node_cannot_be_asked_the_panel_is_and_the_row_says_why(
    platform: Platform, whole: Platform, fault: Fault, reason: str
) -> None:
    platform.simulation.faults.add(fault)
    platform.logs(node_access=True)
    listings = ask(platform, "select outcome, reason from raw_minecraft.log_reads where path = '' and outcome = 'ok'")
    assert listings
    assert all(reason in str(row[1]) for row in listings), listings
    assert (materialized_rows(platform) == materialized_rows(whole)) is True


def test_a_node_that_refuses_its_token_is_asked_once(platform: Platform) -> None:
    before = len(platform.simulation.requests.entries)
    platform.simulation.faults.add(Fault(status=403, route="node"))
    platform.collect(node_access=True)
    nodes = len(ask(platform, "select 1 from raw_pterodactyl.nodes where valid_to is null"))
    assert routes(platform, before)["node_files"] <= nodes


def test_a_dead_node_is_told_and_no_other_suffers(platform: Platform) -> None:
    node = platform.simulation.world.estate.nodes[0]
    platform.simulation.faults.node_down(node.id)
    platform.collect(node_access=True)
    platform.simulation.faults.node_up(node.id)
    outcomes = Counter(row[0] for row in ask(platform, "select outcome from raw_minecraft.log_reads where path = ''"))
    assert outcomes["node_unreachable"] > 0
    assert outcomes["ok"] > 0
