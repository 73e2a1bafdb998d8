"""The readers against a simulated Pelican panel: what it answers differently from Pterodactyl is understood."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from pteroassets.clock import ManualClock
from pteroassets.privacy import Redactor
from pteroassets.simulator.panel.faults import Fault
from pteroassets.simulator.panel.pelican import as_utf8
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.sources.pterodactyl.application import ENTITIES
from pteroassets.sources.pterodactyl.client import PanelClient, dialect_of_keys, server_flags
from pteroassets.sources.pterodactyl.dialect import PELICAN, PTERODACTYL, node_port
from pteroassets.sources.pterodactyl.errors import NodeUnreachableError
from pteroassets.sources.pterodactyl.files import ListedFile, NoLogFolder, fetch_file, list_logs
from pteroassets.sources.pterodactyl.pacing import AnnouncedLimits
from pteroassets.sources.pterodactyl.utilization import sample_servers
from tests.sources.pterodactyl.reading import connect, estate_of

ANCHOR = datetime(2026, 10, 28, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    world = World.create(7, ANCHOR, WorldSize.TINY)
    with Simulation(world, ManualClock(ANCHOR), is_pelican=True) as running:
        yield running


@pytest.fixture
def now(simulation: Simulation) -> Iterator[ManualClock]:
    """The clock of the simulation, and ours: a new window of the rate limit, no faults."""
    clock = simulation.clock
    assert isinstance(clock, ManualClock)
    clock.move_to(max(clock.now(), ANCHOR) + timedelta(minutes=5))
    simulation.faults.clear()
    simulation.requests.clear()
    yield clock
    simulation.faults.clear()


@pytest.fixture
def panel(simulation: Simulation, now: ManualClock) -> Iterator[PanelClient]:
    with connect(simulation, now) as client:
        yield client


def test_a_key_tells_the_panel_by_its_prefix() -> None:
    assert dialect_of_keys(["papp_x"]) is PELICAN
    assert dialect_of_keys(["ptla_x", "pacc_x"]) is PELICAN
    assert dialect_of_keys(["ptla_x", "ptlc_x"]) is PTERODACTYL
    assert dialect_of_keys(["a key without a prefix"]) is PTERODACTYL
    assert dialect_of_keys([]) is PTERODACTYL


def test_every_entity_is_found_and_what_pelican_lacks_is_not_asked_for(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor
) -> None:
    readings = estate_of(panel, now, redactor)
    truth = simulation.truth.entities(now.now())
    for entity in ENTITIES:
        assert readings[entity].is_complete, readings[entity].unread_scopes
        expected = set() if entity in ("locations", "nests") else {row["id"] for row in truth[entity]}
        assert {record.id for record in readings[entity].records} == expected, entity
    assert {record.scope for record in readings["eggs"].records} == {""}
    assert all("nest" not in record.record for record in readings["servers"].records)
    asked = {entry.path for entry in simulation.requests.entries}
    assert {entry.status for entry in simulation.requests.entries} == {200}
    assert asked.isdisjoint({"/api/application/locations", "/api/application/nests"})


def test_keys_that_an_upgraded_panel_kept_from_pterodactyl_are_understood_as_well(
    panel: PanelClient, now: ManualClock, redactor: Redactor
) -> None:
    expected = {entity: len(reading.records) for entity, reading in estate_of(panel, now, redactor).items()}
    panel.dialect = PTERODACTYL  # all that such a key tells
    found = estate_of(panel, now, redactor)
    assert {entity: len(reading.records) for entity, reading in found.items()} == expected
    assert all(reading.is_complete for reading in found.values())
    assert panel.dialect is PELICAN


def test_a_wrong_address_is_no_pelican_panel(simulation: Simulation, now: ManualClock, redactor: Redactor) -> None:
    with PanelClient(
        f"{simulation.panel_url}/elsewhere",
        application_key=SecretStr("ptla_x"),
        client_key=None,
        budget=AnnouncedLimits(now),
        clock=now,
    ) as panel:
        readings = estate_of(panel, now, redactor)
    assert panel.dialect is PTERODACTYL
    assert not any(reading.is_complete for reading in readings.values())


def test_a_node_that_says_nothing_is_unknown_and_not_offline(
    simulation: Simulation, panel: PanelClient, now: ManualClock
) -> None:
    before = {sample.server_uuid: sample for sample in sample_servers(panel, clock=now, interval_seconds=300).samples}
    node = next(sample.node_name for sample in before.values() if sample.outcome == "ok")
    node_id = next(row.id for row in simulation.world.estate.nodes if row.name == node)
    simulation.faults.node_down(node_id)
    now.sleep(300)
    after = sample_servers(panel, clock=now, interval_seconds=300).samples
    asked = [s for s in after if s.node_name == node and before[s.server_uuid].outcome in ("ok", "offline")]
    assert asked
    for sample in asked:
        assert (sample.outcome, sample.state) == ("error", "missing")
        assert (sample.memory_bytes, sample.cpu_percent, sample.disk_bytes, sample.uptime_milliseconds) == (None,) * 4
        assert "state missing" in (sample.reason or "")
    others = [sample for sample in after if sample.node_name != node]
    assert {sample.outcome for sample in others} == {before[sample.server_uuid].outcome for sample in others}


def test_packed_logs_keep_their_bytes_which_the_panel_itself_would_change(
    simulation: Simulation, panel: PanelClient
) -> None:
    listed: list[tuple[str, ListedFile]] = []
    for server in server_flags(panel):
        if server.outcome is None:
            with contextlib.suppress(NoLogFolder):  # of another game, or never started
                files = list_logs(panel, server.uuid)
                listed += [(server.uuid, file) for file in files if file.name.endswith(".gz")]
    assert listed
    uuid, archive = listed[0]
    simulation.requests.clear()
    content = fetch_file(panel, uuid, archive)
    assert len(content) == archive.size
    assert gzip.decompress(content)
    assert simulation.requests.entries[0].route == "download"
    # what files/contents would have given
    assert panel.file_contents(uuid, archive.path) == as_utf8(content) != content


def test_a_folder_of_a_dead_node_says_so(simulation: Simulation, panel: PanelClient) -> None:
    server = next(server for server in server_flags(panel) if server.outcome is None)
    node_id = next(row.id for row in simulation.world.estate.nodes if row.name == server.node_name)
    simulation.faults.node_down(node_id)
    with pytest.raises(NodeUnreachableError, match="is the node up"):
        list_logs(panel, server.uuid)


def test_the_port_of_a_node_is_the_one_that_others_reach_it_at(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor
) -> None:
    nodes = [record.record for record in estate_of(panel, now, redactor)["nodes"].records]
    assert {node_port(PELICAN, node) for node in nodes} == {
        simulation.ports[f"node-{row.id}"] for row in simulation.world.estate.nodes
    }
    assert node_port(PTERODACTYL, {"daemon_listen": 8080}) == node_port(PELICAN, {"daemon_listen": 8080}) == 8080


def test_a_permission_that_is_missing_is_told_of_the_eggs(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor
) -> None:
    simulation.faults.add(Fault(status=403, route="eggs"))
    reading = estate_of(panel, now, redactor)["eggs"]
    assert not reading.is_complete
    assert "the key may not read eggs" in reading.unread_scopes[""]
