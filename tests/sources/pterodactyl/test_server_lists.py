"""What the client API lists for one server at a time, against a whole simulated panel."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from pteroassets.clock import ManualClock
from pteroassets.privacy import Redactor
from pteroassets.simulator.panel.faults import Fault
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.sources.pterodactyl.client import PanelClient, list_servers
from pteroassets.sources.pterodactyl.errors import KeyRejectedError
from pteroassets.sources.pterodactyl.server_lists import (
    EntityOfServers,
    ListsRead,
    ServerAsker,
    read_server_lists,
)
from pteroassets.sources.pterodactyl.utilization import Pace
from tests.sources.pterodactyl.reading import connect

ANCHOR = datetime(2026, 10, 28, 12, 0, tzinfo=UTC)
GATES = {"suspended", "installing", "install_failed", "restoring_backup", "transferring", "maintenance"}


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    world = World.create(7, ANCHOR, WorldSize.TRUTH, timedelta(days=2))
    with Simulation(world, ManualClock(ANCHOR)) as running:
        yield running


@pytest.fixture
def now(simulation: Simulation) -> Iterator[ManualClock]:
    clock = simulation.clock
    assert isinstance(clock, ManualClock)
    clock.move_to(max(clock.now(), ANCHOR) + timedelta(minutes=5))
    simulation.requests.clear()
    yield clock
    simulation.faults.clear()


@pytest.fixture
def panel(simulation: Simulation, now: ManualClock) -> Iterator[PanelClient]:
    with connect(simulation, now) as client:
        yield client


def at_once(clock: ManualClock) -> Pace:
    return Pace(clock, requests=0, seconds=0.0, free=0)


def read(panel: PanelClient, entity: EntityOfServers, clock: ManualClock, redactor: Redactor) -> ListsRead:
    asker = ServerAsker(panel, at_once(clock))
    return read_server_lists(asker, entity, list_servers(panel), redactor=redactor, clock=clock)


def outcomes(found: ListsRead) -> Counter[str]:
    return Counter(one.outcome for one in found.reads)


def test_every_backup_of_a_server_that_answers_is_found(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor
) -> None:
    found = read(panel, "backups", now, redactor)
    answered = {str(one.server_uuid) for one in found.reads if one.outcome == "ok"}
    truth = {owner: rows for owner, rows in simulation.truth.backups(now.now()).items() if owner in answered}
    records = {record.key: record for record in found.reading.records}
    assert records.keys() == {row.uuid for rows in truth.values() for row in rows}
    assert len({row.is_successful for rows in truth.values() for row in rows}) == 2
    for owner, rows in truth.items():
        for row in rows:
            record = records[row.uuid]
            assert (record.scope, record.uuid, record.id) == (f"server:{owner}", row.uuid, None)
            shown = record.record
            assert (shown["is_successful"], shown["is_locked"], shown["bytes"]) == (
                row.is_successful, row.is_locked, row.size,
            )  # fmt: skip
    assert found.reading.is_complete
    assert found.reading.rows_expected == len(records)


def test_schedules_come_with_their_tasks_and_without_what_these_say_on_the_console(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor
) -> None:
    found = read(panel, "schedules", now, redactor)
    answered = {str(one.server_uuid) for one in found.reads if one.outcome == "ok"}
    truth = {
        row.id: row
        for owner, rows in simulation.truth.schedules(now.now()).items()
        if owner in answered
        for row in rows
    }
    records = {record.id: record for record in found.reading.records}
    assert records.keys() == truth.keys()
    actions = set()
    for number, row in truth.items():
        tasks = [item["attributes"] for item in records[number].record["relationships"]["tasks"]["data"]]
        assert [(task["id"], task["action"], task["time_offset"]) for task in tasks] == [
            (task.id, task.action, task.offset) for task in row.tasks
        ]
        assert [task["payload"] for task in tasks] == [
            None if task.action == "command" else task.payload for task in row.tasks
        ]
        actions |= {task.action for task in row.tasks}
    assert actions == {"power", "command", "backup"}
    assert CANARIES["command"] not in json.dumps([record.record for record in records.values()])


@pytest.mark.parametrize("entity", ["backups", "schedules"])
def test_a_list_costs_one_request_a_server_and_none_for_one_that_is_gated(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor, entity: EntityOfServers
) -> None:
    found = read(panel, entity, now, redactor)
    counted = outcomes(found)
    assert len(found.reads) == len(simulation.truth.entities(now.now())["servers"])
    assert counted.keys() - {"ok"} <= GATES
    assert len(counted) > 2
    assert simulation.requests.counts[entity] == counted["ok"] == found.reading.requests
    assert {entry.status for entry in simulation.requests.entries} == {200}
    unread = {str(one.server_uuid) for one in found.reads if one.outcome != "ok"}
    assert found.reading.unread_scopes.keys() == {f"server:{owner}" for owner in unread}
    assert all(one.reason and one.rows is None for one in found.reads if one.outcome != "ok")
    assert found.reading.is_complete, "a state of a server is no fault of the reading"


def test_backups_beyond_the_first_page_are_read(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pteroassets.sources.pterodactyl.server_lists._BACKUPS_A_PAGE", 1)
    found = read(panel, "backups", now, redactor)
    pages = [parse_qs(entry.query)["page"][0] for entry in simulation.requests.entries if entry.route == "backups"]
    assert "2" in pages
    assert found.reading.rows_expected == len(found.reading.records)


@pytest.mark.parametrize(
    ("status", "outcome"), [(403, "forbidden"), (404, "gone"), (500, "error")], ids=["403", "404", "500"]
)
def test_what_one_server_refuses_is_its_own_outcome(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor, status: int, outcome: str
) -> None:
    before = read(panel, "backups", now, redactor)
    owner = next(str(one.server_uuid) for one in before.reads if one.rows)
    simulation.faults.add(Fault(route="backups", status=status, server_uuid=owner))
    found = read(panel, "backups", now, redactor)
    (struck,) = [one for one in found.reads if str(one.server_uuid) == owner]
    assert struck.outcome == outcome
    assert str(status) in str(struck.reason)
    assert f"server:{owner}" in found.reading.unread_scopes, "unread is not empty"
    assert outcomes(found)["ok"] == outcomes(before)["ok"] - 1
    assert found.reading.is_complete == (outcome == "gone")


def test_a_server_that_is_suspended_after_the_list_was_read_says_so(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor
) -> None:
    listing = list_servers(panel)
    server = next(one for one in listing.servers if one.outcome is None)
    at = int(now.now().timestamp())
    altered = simulation.world.server_by_uuid(server.uuid, at)
    assert altered is not None
    altered.alter(at, status="suspended")
    found = read_server_lists(ServerAsker(panel, at_once(now)), "backups", listing, redactor=redactor, clock=now)
    (struck,) = [one for one in found.reads if str(one.server_uuid) == server.uuid]
    assert struck.outcome == "suspended"
    assert found.reading.is_complete


def test_a_limit_that_is_used_up_ends_the_asking(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor
) -> None:
    listing = list_servers(panel)
    simulation.faults.add(Fault(route="backups", status=429, retry_after=1))
    asker = ServerAsker(panel, at_once(now))
    found = read_server_lists(asker, "backups", listing, redactor=redactor, clock=now)
    assert outcomes(found)["ok"] == 0
    assert outcomes(found)["rate_limited"] == sum(one.outcome is None for one in listing.servers)
    assert len({entry.path for entry in simulation.requests.entries if entry.route == "backups"}) == 1
    assert not found.reading.is_complete
    assert found.reading.rows_expected is None
    simulation.faults.clear()
    again = read_server_lists(asker, "schedules", listing, redactor=redactor, clock=now)
    assert outcomes(again)["ok"] == 0, "what the panel refused it would refuse again"


def test_a_key_that_is_no_longer_accepted_ends_the_pass(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor
) -> None:
    simulation.faults.add(Fault(route="backups", status=401))
    with pytest.raises(KeyRejectedError):
        read(panel, "backups", now, redactor)


def test_requests_keep_the_pace(
    simulation: Simulation, panel: PanelClient, now: ManualClock, redactor: Redactor
) -> None:
    listing = list_servers(panel)
    began = now.now()
    asker = ServerAsker(panel, Pace(now, requests=11, seconds=3.0, free=10))
    found = read_server_lists(asker, "backups", listing, redactor=redactor, clock=now)
    asked = outcomes(found)["ok"]
    assert (now.now() - began).total_seconds() == pytest.approx(3.0 * (asked - 10), abs=1)
    assert simulation.requests.counts["backups"] == asked
