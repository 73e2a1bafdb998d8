"""A node that does not answer costs one request of a pass, and its servers alone."""

from __future__ import annotations

from collections import Counter

import pytest

from pteroassets.warehouse.connection import connect
from tests.harness import Platform

pytestmark = pytest.mark.postgres


def test_a_node_that_hangs_costs_one_time_out_of_each_kind_of_pass(platform: Platform) -> None:
    nodes = platform.simulation.world.estate.nodes
    node = max(nodes, key=lambda row: len(servers_of(platform, row.name)))
    platform.simulation.faults.node_down(node.id, delay=0.3)  # long enough that all others would be asked meanwhile
    for act in (platform.utilization, platform.logs):
        platform.simulation.requests.clear()
        act()
        statuses = Counter(entry.status for entry in platform.simulation.requests.entries)
        assert statuses[504] == 1
    with connect(platform.settings, autocommit=True) as connection:
        reads = dict(
            connection.execute(
                "select server_uuid::text, outcome from raw_minecraft.log_reads where outcome = 'node_unreachable'"
            ).fetchall()
        )
    assert len(reads) > 1
    assert set(reads) <= servers_of(platform, node.name)


def servers_of(platform: Platform, node_name: str) -> set[str]:
    now = int(platform.clock.now().timestamp())
    estate = platform.simulation.world.estate
    return {server.uuid for server, state in estate.living(now) if estate.node_by_id[state.node_id].name == node_name}
