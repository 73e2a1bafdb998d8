"""The readers against a whole simulated panel: what they find is its truth."""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from pteroassets.clock import ManualClock
from pteroassets.privacy import Redactor
from pteroassets.simulator.panel.faults import Fault
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.sources.pterodactyl import errors
from pteroassets.sources.pterodactyl.application import ENTITIES, read_estate
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.sources.pterodactyl.files import ListedFile, NoLogFolder, fetch_file, list_logs, server_flags
from pteroassets.sources.pterodactyl.utilization import SamplingPass, sample_servers
from tests.sources.pterodactyl.reading import connect, estate_of

ANCHOR = datetime(2026, 10, 28, 12, 0, tzinfo=UTC)
LANDED_SECRETS = ("environment", "variable", "invocation", "node_token", "database_password", "email", "signed_link")


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    # two days before a world's anchor its panel begins to fail at the eggs of a nest: after these tests
    world = World.create(7, ANCHOR + timedelta(days=3), WorldSize.TRUTH)
    with Simulation(world, ManualClock(ANCHOR)) as running:
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


def outcomes(sampling: SamplingPass) -> Counter[str]:
    return Counter(taken.outcome for taken in sampling.samples)


def test_every_entity_is_found_and_no_other(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor
) -> None:
    readings = estate_of(panel, now, redactor)
    truth = simulation.truth.entities(now.now())
    for entity in ENTITIES:
        assert {record.id for record in readings[entity].records} == {row["id"] for row in truth[entity]}, entity
        assert readings[entity].is_complete, readings[entity].unread_scopes
    assert len(truth["servers"]) > 100
    assert len(truth["users"]) > 100
    servers = {record.id: record for record in readings["servers"].records}
    for row in truth["servers"]:
        record = servers[row["id"]].record
        assert (servers[row["id"]].uuid, record["name"], record["user"]) == (row["uuid"], row["name"], row["owner_id"])
        assert (record["node"], record["egg"], record["status"]) == (row["node_id"], row["egg_id"], row["status"])
        limits = record["limits"]
        assert (limits["memory"], limits["disk"], limits["cpu"]) == (row["memory"], row["disk"], row["cpu"])
        allocations = record["relationships"]["allocations"]["data"]
        assert {item["attributes"]["id"] for item in allocations} == set(row["allocation_ids"])
    scopes = {record.id: record.scope for record in readings["allocations"].records}
    assert scopes == {row["id"]: f"node:{row['node_id']}" for row in truth["allocations"]}


def test_the_estate_is_read_within_the_announced_limit_and_under_our_name(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor
) -> None:
    readings = estate_of(panel, now, redactor)
    entries = simulation.requests.entries
    assert Counter(entry.status for entry in entries) == {200: len(entries)}
    assert {entry.user_agent.partition("/")[0] for entry in entries} == {"pteroassets"}
    assert sum(reading.requests for reading in readings.values()) == len(entries) == panel.requests_made


@pytest.mark.usefixtures("simulation")
def test_no_secret_is_in_any_record(panel: PanelClient, now: ManualClock, redactor: Redactor) -> None:
    text = json.dumps(
        [record.record for reading in estate_of(panel, now, redactor).values() for record in reading.records]
    )
    assert [name for name in LANDED_SECRETS if CANARIES[name] in text] == []


def test_reading_twice_gives_the_same_digests(panel: PanelClient, now: ManualClock, redactor: Redactor) -> None:
    first, second = (
        {(entity, record.key): record.digest for entity, reading in readings.items() for record in reading.records}
        for readings in (estate_of(panel, now, redactor), estate_of(panel, now, redactor))
    )
    assert first == second


def test_eggs_that_answer_500_cost_their_nest_alone(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor
) -> None:
    simulation.faults.add(Fault(route="eggs", status=500, nest_id=1))
    reading = next(read_estate(panel, redactor=redactor, clock=now, entities=["eggs"]))
    assert list(reading.unread_scopes) == ["nest:1"]
    assert {record.scope for record in reading.records} == {"nest:2", "nest:3", "nest:4", "nest:5"}


def test_a_key_without_a_permission_leaves_what_it_may_not_read_unread(
    simulation: Simulation, now: ManualClock, redactor: Redactor
) -> None:
    with connect(simulation, now, application_key=SecretStr(simulation.keys["app_partial"])) as panel:
        readings = estate_of(panel, now, redactor)
    unread = {entity for entity, reading in readings.items() if not reading.is_complete}
    assert unread == {"allocations", "users", "subusers"}


def test_a_key_that_may_nothing_is_told_by_every_reading(
    simulation: Simulation, now: ManualClock, redactor: Redactor
) -> None:
    with connect(simulation, now, application_key=SecretStr(simulation.keys["app_none"])) as panel:
        assert {reading.is_complete for reading in estate_of(panel, now, redactor).values()} == {False}


@pytest.mark.parametrize("key", ["client_plain", "client_ip", "app"])
def test_a_client_key_of_the_wrong_kind_is_named(simulation: Simulation, now: ManualClock, key: str) -> None:
    with connect(simulation, now, client_key=SecretStr(simulation.keys[key])) as panel:
        with pytest.raises(errors.PermissionMissingError, match="root admin"):
            server_flags(panel)
        if key == "client_plain":
            # the panel itself refuses nothing: without the question who asks, this would be an empty panel
            assert panel.client("", type="admin-all")["data"] == []


def test_a_list_whose_total_moves_between_pages_is_read_again(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor
) -> None:
    simulation.faults.add(Fault(kind="total_moves", route="servers", times=1))
    reading = next(read_estate(panel, redactor=redactor, clock=now, entities=["servers"]))
    assert reading.is_complete
    assert len(reading.records) == len(simulation.truth.entities(now.now())["servers"])
    assert reading.requests > -(-len(reading.records) // 100)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(route="application", status=502, body="html", times=2),
        Fault(route="application", status=429, retry_after=20, times=2),
        Fault(kind="truncate", route="application", times=2),
        Fault(kind="break_off", route="application", times=2),
    ],
    ids=lambda fault: fault.kind + str(fault.status),
)
def test_a_fault_that_passes_costs_requests_and_no_rows(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor, fault: Fault
) -> None:
    simulation.faults.add(fault)
    reading = next(read_estate(panel, redactor=redactor, clock=now, entities=["locations"]))
    assert reading.is_complete
    assert len(reading.records) == len(simulation.truth.entities(now.now())["locations"])
    assert reading.requests == 3


def test_samples_are_the_truth(simulation: Simulation, panel: PanelClient, now: ManualClock) -> None:
    sampling = sample_servers(panel, clock=now, interval_seconds=300)
    assert sampling.listing_complete
    assert {str(taken.server_uuid) for taken in sampling.samples} == {
        row["uuid"] for row in simulation.truth.entities(now.now())["servers"]
    }
    for taken in sampling.samples:
        true = simulation.truth.sample(str(taken.server_uuid), taken.sampled_at)
        assert (taken.outcome, taken.state, taken.disk_bytes) == (true.outcome, true.state, true.disk_bytes)
        figures = (taken.cpu_percent, taken.memory_bytes, taken.network_rx_bytes, taken.network_tx_bytes)
        if true.outcome == "ok":
            assert figures == (true.cpu_percent, true.memory_bytes, true.rx_bytes, true.tx_bytes)
            assert taken.uptime_milliseconds == true.uptime_ms
        else:
            assert (*figures, taken.uptime_milliseconds) == (None,) * 5
    assert outcomes(sampling)["ok"] > 0
    assert len(set(outcomes(sampling))) > 2


def test_a_pass_asks_for_no_server_that_the_list_gates(
    simulation: Simulation, panel: PanelClient, now: ManualClock
) -> None:
    sampling = sample_servers(panel, clock=now, interval_seconds=300)
    asked = outcomes(sampling)["ok"] + outcomes(sampling)["offline"]
    assert simulation.requests.counts["resources"] == asked
    assert {entry.status for entry in simulation.requests.entries} == {200}


def test_a_node_that_is_down_costs_one_request(simulation: Simulation, panel: PanelClient, now: ManualClock) -> None:
    before = sample_servers(panel, clock=now, interval_seconds=300)
    down = Counter(taken.node_name for taken in before.samples if taken.outcome in ("ok", "offline")).most_common(1)[0]
    (node,) = [row for row in simulation.truth.entities(now.now())["nodes"] if row["name"] == down[0]]
    simulation.faults.node_down(node["id"])
    now.sleep(120)
    simulation.requests.clear()
    during = sample_servers(panel, clock=now, interval_seconds=300)
    assert outcomes(during)["node_unreachable"] == down[1]
    assert Counter(entry.status for entry in simulation.requests.entries)[504] == 1
    simulation.faults.clear()
    now.sleep(120)
    assert outcomes(sample_servers(panel, clock=now, interval_seconds=300))["node_unreachable"] == 0


def test_sampling_keeps_a_low_limit() -> None:
    clock = ManualClock(ANCHOR)
    world = World.create(7, ANCHOR, WorldSize.DEMO, timedelta(days=2))
    with Simulation(world, clock, client_limit=20) as slow, connect(slow, clock) as panel:
        sampling = sample_servers(panel, clock=clock, interval_seconds=300, max_workers=1)
        statuses = Counter(entry.status for entry in slow.requests.entries)
    assert statuses[429] == 0
    assert sampling.seconds > 60
    assert outcomes(sampling)["rate_limited"] == 0
    assert outcomes(sampling)["ok"] > 0


def logs_of(simulation: Simulation, panel: PanelClient) -> tuple[str, list[ListedFile]]:
    """The first server that has a log and can be asked."""
    rows = simulation.truth.entities(simulation.clock.now())["servers"]
    with_log = {row["uuid"] for row in rows if row["log_folder"] == "/logs"}
    for server in server_flags(panel):
        if server.outcome is None and server.uuid in with_log:
            files = list_logs(panel, server.uuid)
            if any(file.name.endswith(".gz") for file in files):
                return server.uuid, files
    raise AssertionError("no server with a log")


@pytest.mark.usefixtures("now")
def test_logs_are_listed_and_read(simulation: Simulation, panel: PanelClient) -> None:
    server_uuid, files = logs_of(simulation, panel)
    latest = next(file for file in files if file.name == "latest.log")
    content = fetch_file(panel, server_uuid, latest)
    assert len(content) == latest.size
    assert content.startswith(b"[")
    archive = next(file for file in files if file.name.endswith(".gz"))
    assert gzip.decompress(fetch_file(panel, server_uuid, archive)).startswith(b"[")


@pytest.mark.usefixtures("now")
def test_the_signed_download_gives_the_same_bytes(simulation: Simulation, panel: PanelClient) -> None:
    server_uuid, files = logs_of(simulation, panel)
    archive = next(file for file in files if file.name.endswith(".gz"))
    beyond_the_panel = dataclasses.replace(archive, size=5 * 1024 * 1024)
    assert fetch_file(panel, server_uuid, beyond_the_panel) == fetch_file(panel, server_uuid, archive)
    assert simulation.requests.counts["node_download"] == 1


@pytest.mark.usefixtures("now")
def test_a_server_of_another_game_has_no_log_folder(simulation: Simulation, panel: PanelClient) -> None:
    without = {
        row["uuid"] for row in simulation.truth.entities(simulation.clock.now())["servers"] if not row["has_log"]
    }
    server = next(server for server in server_flags(panel) if server.outcome is None and server.uuid in without)
    for status in (500, 404):
        simulation.faults.missing_path_status = status
        with pytest.raises(NoLogFolder):
            list_logs(panel, server.uuid)
