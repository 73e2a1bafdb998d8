"""The activity log of a server: each entry once, nothing twice asked for, none of what may not be landed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qs

import pytest

from pteroassets.clock import ManualClock
from pteroassets.privacy import Redactor
from pteroassets.simulator.panel.faults import Fault
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.sources.pterodactyl.activity import Known, ServerActivity, own_name, read_activity
from pteroassets.sources.pterodactyl.client import PanelClient, ServerFlags, list_servers
from pteroassets.sources.pterodactyl.errors import ServerFaultError
from pteroassets.sources.pterodactyl.server_lists import ServerAsker
from pteroassets.sources.pterodactyl.utilization import Pace
from tests.sources.pterodactyl.reading import connect

ANCHOR = datetime(2026, 10, 28, 12, 0, tzinfo=UTC)
SERVER = ServerFlags(uuid="11111111-0000-4000-8000-000000000001", id=1, name="one", node_name="fra-01", outcome=None)


# ---------------------------------------------------------------------- how far a reading goes


@dataclass
class Log:
    """A panel with one server, whose activity is at hand."""

    rows: list[tuple[datetime, int]] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    fails_at: int | None = None
    hidden: int | None = None

    def add(self, count: int, *, ends: datetime, apart: timedelta = timedelta(minutes=10)) -> None:
        first = len(self.rows)
        self.rows += [(ends - apart * (count - 1 - number), first + number) for number in range(count)]

    def client(self, endpoint: str, **params: Any) -> dict[str, Any]:
        assert endpoint == f"servers/{SERVER.uuid}/activity"
        assert (params["sort"], params["per_page"], params["include"]) == ("-timestamp", 100, "actor")
        self.asked.append(params["page"])
        if params["page"] == self.fails_at:
            raise ServerFaultError("the panel failed: its log says why")
        shown = sorted(self.rows, reverse=True)
        cut = shown[(params["page"] - 1) * 100 : params["page"] * 100]
        data = [
            {
                "object": "activity_log",
                "attributes": {
                    "id": hashlib.sha1(str(number).encode()).hexdigest(),
                    "event": "server:power.start",
                    "timestamp": at.isoformat(),
                    "properties": {},
                },
            }
            for at, number in cut
            if number != self.hidden
        ]
        pages = max(-(-len(shown) // 100), 1)
        return {"data": data, "meta": {"pagination": {"total": len(shown), "total_pages": pages}}}


class Reader:
    """Reads one log again and again, as passes do."""

    def __init__(self, log: Log, redactor: Redactor) -> None:
        self.log = log
        self.known = Known()
        self.landed: set[str] = set()
        self._redactor = redactor

    def read(self, older_pages: int = 2) -> ServerActivity:
        self.log.asked.clear()
        asker = ServerAsker(cast("PanelClient", self.log), Pace(ManualClock(ANCHOR), requests=0, seconds=0.0, free=0))
        found = read_activity(asker, SERVER, self.known, own=None, older_pages=older_pages, redactor=self._redactor)
        self.known = found.known
        self.landed |= {entry.activity_id for entry in found.entries}
        return found

    def has_all(self) -> bool:
        return len(self.landed) == len(self.log.rows)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def reader(log: Log, redactor: Redactor) -> Reader:
    return Reader(log, redactor)


def test_a_first_reading_takes_some_pages_and_the_next_ones_go_on_from_there(log: Log, reader: Reader) -> None:
    log.add(950, ends=ANCHOR)
    first = reader.read()
    assert log.asked == [1, 2, 3]
    assert (first.read.outcome, "left for the next passes" in str(first.read.reason)) == ("budget_spent", True)
    assert first.known.since == min(entry.occurred_at for entry in first.entries)
    log.add(30, ends=ANCHOR + timedelta(days=1))
    reader.read()
    assert log.asked == [1, 4, 5], "page 1 is new, page 4 holds what was on page 3 and what came after it"
    asked = list(log.asked)
    for _ in range(4):
        found = reader.read()
        asked += log.asked
    assert (found.read.outcome, found.known.is_whole, reader.has_all()) == ("ok", True, True)
    assert Counter(page for page in asked if page > 1) == Counter(range(4, 11)), "no page of history is read twice"


def test_a_log_that_is_known_is_read_down_to_what_is_known_and_no_further(log: Log, reader: Reader) -> None:
    log.add(150, ends=ANCHOR)
    assert reader.read().read.outcome == "ok"
    log.add(10, ends=ANCHOR + timedelta(days=1))
    assert reader.read().read.outcome == "ok"
    assert log.asked == [1]
    log.add(300, ends=ANCHOR + timedelta(days=9))
    reader.read(older_pages=0)
    assert log.asked == [1, 2, 3, 4], "all that is new, whatever that takes"
    assert reader.has_all()
    assert reader.known.until == ANCHOR + timedelta(days=9)
    log.asked.clear()
    reader.read()
    assert log.asked == [1]


def test_what_a_node_hands_in_late_is_found(log: Log, reader: Reader) -> None:
    log.add(150, ends=ANCHOR)
    reader.read()
    log.rows.append((ANCHOR - timedelta(hours=5), len(log.rows)))
    reader.read()
    assert reader.has_all()


def test_a_reading_that_fails_is_made_again_from_what_was_known_before(log: Log, reader: Reader) -> None:
    log.add(150, ends=ANCHOR)
    reader.read()
    before = reader.known
    log.add(300, ends=ANCHOR + timedelta(days=9))
    log.fails_at = 3
    found = reader.read()
    assert (found.read.outcome, found.known) == ("error", before)
    assert len(found.entries) == 200, "what came is landed"
    log.fails_at = None
    assert reader.read().read.outcome == "ok"
    assert reader.has_all()


def test_a_failure_far_below_leaves_what_is_above_it_known(log: Log, reader: Reader) -> None:
    log.add(950, ends=ANCHOR)
    log.fails_at = 3
    assert reader.read(older_pages=5).read.outcome == "error"
    assert reader.known.passed == 200
    log.fails_at = None
    reader.read(older_pages=20)
    assert log.asked == [1, *range(3, 11)]
    assert reader.has_all()


def test_entries_that_the_panel_deleted_meanwhile_are_no_longer_called_known(log: Log, reader: Reader) -> None:
    log.add(150, ends=ANCHOR)
    reader.read()
    log.rows.clear()
    log.add(40, ends=ANCHOR + timedelta(days=200))
    found = reader.read()
    assert found.known.since == min(at for at, _ in log.rows)
    assert found.known.is_whole


def test_an_entry_that_changed_places_between_two_pages_is_missed_aloud_and_found_by_the_next_pass(
    log: Log, reader: Reader
) -> None:
    log.add(250, ends=ANCHOR)
    log.hidden = 120
    found = reader.read()
    assert (found.read.outcome, found.read.reason) == ("error", "249 entries came, but the panel counts 250")
    log.hidden = None
    found = reader.read()
    assert (found.read.outcome, reader.has_all()) == ("ok", True)
    reader.read()
    assert log.asked == [1]


def test_a_server_of_which_nothing_is_told_is_read(log: Log, reader: Reader) -> None:
    found = reader.read()
    assert (found.read.outcome, found.read.rows, found.known) == ("ok", 0, Known(is_whole=True))
    log.add(3, ends=ANCHOR)
    reader.read()
    assert reader.has_all()


def test_entries_without_an_id_are_said_to_be_unread(
    log: Log, redactor: Redactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.add(3, ends=ANCHOR)
    asked = log.client

    def without_ids(endpoint: str, **params: Any) -> dict[str, Any]:
        body = asked(endpoint, **params)
        for item in body["data"]:
            del item["attributes"]["id"]
        return body

    monkeypatch.setattr(log, "client", without_ids)
    found = Reader(log, redactor).read()
    assert (found.read.outcome, found.entries) == ("error", [])
    assert "without an id" in str(found.read.reason)


# ---------------------------------------------------------------------- against a whole panel


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    world = World.create(7, ANCHOR, WorldSize.DEMO, timedelta(days=4))
    with Simulation(world, ManualClock(ANCHOR)) as running:
        yield running


@pytest.fixture
def panel(simulation: Simulation) -> Iterator[PanelClient]:
    clock = simulation.clock
    assert isinstance(clock, ManualClock)
    clock.move_to(clock.now() + timedelta(minutes=5))
    simulation.requests.clear()
    with connect(simulation, clock) as client:
        yield client
    simulation.faults.clear()


def read_all(panel: PanelClient, redactor: Redactor, own: str | None) -> dict[str, ServerActivity]:
    asker = ServerAsker(panel, Pace(panel.clock, requests=0, seconds=0.0, free=0))
    return {
        server.uuid: read_activity(asker, server, Known(), own=own, older_pages=50, redactor=redactor)
        for server in list_servers(panel).servers
    }


def test_every_entry_is_found_but_our_own_reads(simulation: Simulation, panel: PanelClient, redactor: Redactor) -> None:
    own = own_name(panel)
    assert own == "etl"
    server = next(server for server in list_servers(panel).servers if server.outcome is None)
    panel.client(f"servers/{server.uuid}/files/download", file="/logs/latest.log")
    found = read_all(panel, redactor, own)
    truth = simulation.truth.activity(simulation.clock.now())
    answered = {owner: one for owner, one in found.items() if one.read.outcome == "ok"}
    assert answered
    for owner, one in answered.items():
        assert {entry.activity_id for entry in one.entries} == {deed.id for deed in truth[owner]}, owner
        times = {deed.id: deed.at for deed in truth[owner]}
        assert {entry.activity_id: int(entry.occurred_at.timestamp()) for entry in one.entries} == times
    # our read came, and is not handed on; reads of other people are, through the API too
    assert answered[server.uuid].read.rows == len(answered[server.uuid].entries) + 1
    reads = [entry for one in answered.values() for entry in one.entries if entry.event == "server:file.read"]
    assert {entry.record["is_api"] for entry in reads} == {True, False}
    assert any(entry.record["relationships"]["actor"]["attributes"] is None for one in answered.values()
               for entry in one.entries)  # fmt: skip
    gated = [one for one in found.values() if one.read.outcome not in ("ok", "budget_spent")]
    assert gated
    assert all(one.read.reason and one.known == Known() for one in gated)


def test_nothing_of_what_may_not_be_landed_is_handed_on(panel: PanelClient, redactor: Redactor) -> None:
    found = read_all(panel, redactor, None)
    entries = [entry for one in found.values() for entry in one.entries]
    events = {entry.event for entry in entries}
    assert {"server:startup.edit", "server:console.command", "server:subuser.create", "server:task.create"} <= events
    text = json.dumps([entry.record for entry in entries])
    for name in ("variable", "command", "email", "player_address", "environment", "signed_link"):
        assert CANARIES[name] not in text, name
    edit = next(entry.record for entry in entries if entry.event == "server:startup.edit")
    assert edit["properties"] == {"variable": "SERVER_JARFILE"}
    renamed = next(entry.record for entry in entries if entry.event == "server:settings.rename")
    assert renamed["properties"].keys() == {"old", "new"}, "the name of a server is no secret"
    assert edit["ip"].startswith("hmac:")


def test_one_page_of_each_server_that_answers_is_asked_for(
    simulation: Simulation, panel: PanelClient, redactor: Redactor
) -> None:
    asker = ServerAsker(panel, Pace(panel.clock, requests=0, seconds=0.0, free=0))
    for server in list_servers(panel).servers:
        read_activity(asker, server, Known(), own="etl", older_pages=0, redactor=redactor)
    pages = Counter(
        parse_qs(entry.query)["page"][0] for entry in simulation.requests.entries if entry.route == "activity"
    )
    assert pages.keys() == {"1"}
    assert pages["1"] == sum(server.outcome is None for server in list_servers(panel).servers)


def test_a_server_that_refuses_its_log_says_so(simulation: Simulation, panel: PanelClient, redactor: Redactor) -> None:
    server = next(server for server in list_servers(panel).servers if server.outcome is None)
    simulation.faults.add(Fault(route="activity", status=403, server_uuid=server.uuid))
    found = read_all(panel, redactor, "etl")[server.uuid]
    assert (found.read.outcome, found.entries, found.known) == ("forbidden", [], Known())
