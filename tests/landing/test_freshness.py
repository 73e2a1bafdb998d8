"""What counts as a reading of the panel: the ledger, and what a run says that read nothing."""

from __future__ import annotations

from typing import Any

import pytest

from pteroassets.simulator.panel.faults import Fault
from pteroassets.sources.pterodactyl.errors import NothingReadError
from pteroassets.warehouse.connection import connect
from tests.harness import Platform

pytestmark = pytest.mark.postgres


def complete_loads(platform: Platform) -> dict[str, Any]:
    """The newest complete reading of each table, by which its freshness is told."""
    with connect(platform.settings, autocommit=True) as connection:
        return dict(
            connection.execute(
                "select table_name, max(observed_at) from ops.loads where is_complete group by table_name"
            ).fetchall()
        )


def test_a_pass_that_read_no_list_fails_and_is_no_reading(platform: Platform) -> None:
    before = complete_loads(platform)
    platform.clock.sleep(3600)
    platform.simulation.faults.add(Fault(route="application", status=500))
    platform.simulation.faults.add(Fault(route="client", status=500))
    with pytest.raises(NothingReadError, match=r"locations, nodes.*could be read from the panel.*500") as caught:
        platform.entities()
    assert "its log says why" in str(caught.value)
    assert complete_loads(platform) == before


def test_a_list_that_is_unread_among_others_is_no_reading_of_its_table_alone(platform: Platform) -> None:
    before = complete_loads(platform)
    platform.clock.sleep(3600)
    platform.simulation.faults.add(Fault(route="users", status=500))
    reports = platform.entities()
    assert not reports["users"].is_complete
    moved = {table for table, observed_at in complete_loads(platform).items() if observed_at != before[table]}
    assert "raw_pterodactyl.users" not in moved
    assert moved == {f"raw_pterodactyl.{entity}" for entity in reports if entity != "users"}


def test_the_lists_chosen_are_those_that_must_be_read(platform: Platform) -> None:
    platform.clock.sleep(3600)
    platform.simulation.faults.add(Fault(route="users", status=500))
    with pytest.raises(NothingReadError, match="lists users could be read"):
        platform.entities(entities=["users"])


def test_a_sampling_pass_that_the_panel_ended_is_no_reading(platform: Platform) -> None:
    platform.utilization()
    before = complete_loads(platform)
    platform.clock.sleep(600)
    platform.simulation.faults.add(Fault(route="resources", status=429, retry_after=1))
    report = platform.utilization()
    assert not report.is_complete
    assert report.problems
    assert complete_loads(platform) == before
    platform.simulation.faults.clear()
    platform.clock.sleep(600)
    assert platform.utilization().is_complete


def test_a_node_that_is_down_leaves_the_pass_a_reading_of_all_servers(platform: Platform) -> None:
    platform.simulation.faults.node_down(platform.simulation.world.estate.nodes[0].id)
    assert platform.utilization().is_complete
