"""What a panel of a real host does: every state at once, its default limits, and what goes wrong while it is read.

Of each fault: the message names the thing and the remedy, nothing is lost or doubled, and a pass over what did not
change writes no row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from pteroassets.clock import ManualClock
from pteroassets.simulator.panel.faults import Fault
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.sources.pterodactyl.application import ENTITIES
from pteroassets.sources.pterodactyl.errors import KeyRejectedError
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.harness import Platform, table_rows

pytestmark = pytest.mark.postgres

ANCHOR = datetime(2026, 10, 28, 12, tzinfo=UTC)
STATES: tuple[dict[str, Any], ...] = (
    {"status": "suspended"},
    {"status": "installing"},
    {"status": "install_failed"},
    {"status": "reinstall_failed"},
    {"status": "restoring_backup"},
    {"is_transferring": True},
)


class OutageClock(ManualClock):
    """A clock on which a fault ends: sleeping past *ends_at* calls *end*."""

    ends_at: datetime | None = None
    end: Callable[[], None] = staticmethod(lambda: None)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.ends_at is not None and self.now() >= self.ends_at:
            self.ends_at = None
            self.end()


@dataclass(kw_only=True)
class Host:
    """An estate with every state in it, one node dead, one that hangs, one in maintenance, and a broken nest."""

    platform: Platform
    dead: frozenset[str]

    @property
    def simulation(self) -> Simulation:
        return self.platform.simulation

    @property
    def clock(self) -> OutageClock:
        assert isinstance(self.platform.clock, OutageClock)
        return self.platform.clock

    def fail_for(self, seconds: float, fault: Fault) -> None:
        """Let *fault* strike from now on, and end when so much time has passed since it was first waited for."""
        self.simulation.faults.add(fault)
        self.clock.ends_at = self.clock.now() + timedelta(seconds=seconds)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        with connect(self.platform.settings, autocommit=True) as connection:
            return {entity: table_rows(connection, f"raw_pterodactyl.{entity}") for entity in ENTITIES}

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.platform.settings, autocommit=True) as connection:
            return connection.execute(query).fetchall()

    def second_pass_writes_nothing(self) -> None:
        """Read what did not change once more."""
        before = self.rows()
        self.clock.sleep(1)
        reports = self.platform.entities()
        wrote = {
            entity: (report.rows_added, report.rows_changed, report.rows_gone) for entity, report in reports.items()
        }
        assert set(wrote.values()) == {(0, 0, 0)}, wrote
        assert self.rows() == before


def server_on(simulation: Simulation, node: str, number: int) -> Any:
    """A server of *node* that runs or could."""
    now = int(simulation.clock.now().timestamp())
    node_id = next(row.id for row in simulation.world.estate.nodes if row.name == node)
    found = [
        server
        for server, state in simulation.world.estate.living(now)
        if state.node_id == node_id and not state.is_gated
    ]
    return found[number]


@pytest.fixture
def make_host(warehouse_settings: ConnectionSettings, tmp_path: Path) -> Iterator[Callable[..., Host]]:
    running: list[Simulation] = []

    def make(**limits: int) -> Host:
        world = World.create(seed=7, anchor=ANCHOR, size=WorldSize.TRUTH, history=timedelta(days=1))
        clock = OutageClock(ANCHOR)
        simulation = Simulation(world, clock, **limits)
        simulation.start()
        running.append(simulation)
        for number, state in enumerate(STATES):
            server_on(simulation, "fra-01", 3).alter(int(ANCHOR.timestamp()) - 60 + number, **state)
        nodes = {row.name: row.id for row in world.estate.nodes}
        simulation.faults.node_down(nodes["nyc-01"])
        simulation.faults.node_down(nodes["hel-01"], delay=0.5)  # of this machine: one wait of a pass, not one a server
        platform = Platform(simulation=simulation, clock=clock, settings=warehouse_settings, folder=tmp_path)
        return Host(platform=platform, dead=frozenset({"nyc-01", "hel-01"}))

    yield make
    for simulation in running:
        simulation.stop()


@pytest.fixture
def host(make_host: Callable[..., Host]) -> Host:
    made = make_host()
    made.platform.entities()
    return made


@pytest.mark.parametrize(("client", "application"), [(720, 240), (256, 240)])
def test_an_estate_with_every_state_in_it_is_read_whole_at_the_panels_own_limits(
    make_host: Callable[..., Host], client: int, application: int
) -> None:
    host = make_host(client_limit=client, application_limit=application)
    reports = host.platform.entities()
    truth = host.simulation.truth.entities(host.clock.now())
    (nest,) = host.simulation.truth.troubles(host.clock.now()).unlisted_nests
    for entity in ENTITIES:
        found = {row[0] for row in host.ask(f"select id from raw_pterodactyl.{entity} where valid_to is null")}
        wanted = {row["id"] for row in truth[entity] if entity != "eggs" or row["nest_id"] != nest}
        assert found == wanted, entity
    assert [entity for entity, report in reports.items() if not report.is_complete] == ["eggs"]
    assert [(problem["scope"], "500" in problem["reason"]) for problem in reports["eggs"].problems] == [
        (f"nest:{nest}", True)
    ]
    assert {row["owner_id"] for row in truth["servers"]} < {row["id"] for row in truth["users"]}, (
        "users without servers"
    )
    assert truth["subusers"]
    assert truth["server_databases"]
    host.second_pass_writes_nothing()

    began = host.clock.now()
    for _ in range(5):  # in one window of the limit, which 256 requests do not suffice for
        host.platform.utilization()
        host.clock.sleep(5)
    assert ((host.clock.now() - began) > timedelta(seconds=60)) == (client == 256)
    samples = host.ask(
        "select server_uuid::text, sampled_at, node_name, outcome, reason from raw_pterodactyl.utilization_samples"
    )
    passes = host.ask("select count(distinct pass_at) from raw_pterodactyl.utilization_samples")[0][0]
    assert len(samples) == passes * len(truth["servers"])
    for server_uuid, sampled_at, node_name, outcome, reason in samples:
        true = host.simulation.truth.sample(server_uuid, sampled_at).outcome
        expected = "node_unreachable" if node_name in host.dead and true in ("ok", "offline") else true
        assert outcome == expected, (server_uuid, reason)
        assert bool(reason) == (outcome not in ("ok", "offline"))
    counted = Counter(outcome for *_, outcome, _ in samples)
    gates = {"suspended", "installing", "install_failed", "restoring_backup", "transferring", "maintenance"}
    assert gates | {"ok", "node_unreachable"} <= set(counted)
    statuses = Counter(entry.status for entry in host.simulation.requests.entries)
    assert statuses[429] == 0
    assert statuses[504] == 5 * len(host.dead), "a dead node costs one request of each pass"


def test_every_page_is_asked_for_with_everything_that_the_first_one_was_asked_for(host: Host) -> None:
    """pydactyl's own lists drop filters, includes and the size of a page from the second page on."""
    host.platform.utilization()
    pages = Counter[str]()
    for entry in host.simulation.requests.entries:
        query = {name: values[0] for name, values in parse_qs(entry.query).items()}
        if entry.path == "/api/client":
            assert (query["type"], query["per_page"]) == ("admin-all", "100")
        elif entry.path == "/api/application/servers":
            assert (query["include"], query["sort"]) == ("allocations,subusers,databases", "id")
        if "page" in query:
            pages[entry.path] = max(pages[entry.path], int(query["page"]))
    assert (pages["/api/client"], pages["/api/application/servers"]) == (2, 2)
    assert {entry.method for entry in host.simulation.requests.entries} == {"GET"}


@pytest.mark.parametrize("route", ["application", "allocations"])
def test_a_revoked_key_is_named_with_the_remedy_and_costs_nothing_that_was_read(host: Host, route: str) -> None:
    before = host.rows()
    host.clock.sleep(1)
    host.simulation.faults.add(Fault(status=401, route=route))
    with pytest.raises(KeyRejectedError, match=r"key of PTERODACTYL_APP_KEY.*401.*: make a new one in the panel"):
        host.platform.entities()
    assert host.rows() == before
    host.simulation.faults.clear()
    host.platform.entities()  # with the nest and the nodes mended
    host.second_pass_writes_nothing()


def test_a_revoked_client_key_is_named_with_the_remedy(host: Host) -> None:
    host.simulation.faults.add(Fault(status=401, route="resources"))
    with pytest.raises(KeyRejectedError, match=r"key of PTERODACTYL_CLI_KEY.*: make a new one"):
        host.platform.utilization()
    asked = host.simulation.requests.counts["resources"]
    assert asked < 30, "no server is asked with a key that is not accepted"


def test_a_permission_that_is_taken_away_is_named_and_nothing_is_called_gone(host: Host) -> None:
    before = host.rows()
    whole = host.simulation.application_key
    host.simulation.application_key = host.simulation.keys["app_partial"]
    for _ in range(3):
        host.clock.sleep(1)
        reports = host.platform.entities()
    unread = {entity for entity, report in reports.items() if not report.is_complete}
    assert unread == {"allocations", "users", "subusers", "eggs"}
    (problem,) = reports["users"].problems
    assert "may not read users" in problem["reason"]
    assert "give it the read permission" in problem["reason"]
    assert {report.rows_gone for report in reports.values()} == {0}
    host.simulation.application_key = whole
    host.clock.sleep(1)
    host.platform.entities()
    after = host.rows()
    assert {entity: after[entity] for entity in unread} == {entity: before[entity] for entity in unread}


@pytest.mark.parametrize(
    ("seconds", "fault"),
    [
        (8, Fault(kind="break_off", route="allocations|account")),
        (30, Fault(status=502, body="html", route="allocations|account")),
        (60, Fault(status=500, route="allocations|account")),
    ],
    ids=["the panel is restarted", "the proxy has no panel behind it", "its database is down for a minute"],
)
def test_an_outage_in_the_middle_of_a_pass_is_waited_out(host: Host, seconds: int, fault: Fault) -> None:
    before = host.rows()
    began = host.clock.now()
    host.clock.end = host.simulation.faults.clear
    host.fail_for(seconds, fault)
    reports = host.platform.entities()
    assert (host.clock.now() - began).total_seconds() >= seconds
    assert [entity for entity, report in reports.items() if not report.is_complete] == ["eggs"]
    assert host.rows() == before
    host.second_pass_writes_nothing()


def test_a_server_that_is_deleted_resized_or_given_away_makes_that_history_and_no_other(host: Host) -> None:
    deleted, resized, given = (server_on(host.simulation, "fra-02", number) for number in range(3))
    before = {row[0] for row in host.ask("select key from raw_pterodactyl.servers where is_active")}
    at = int(host.clock.now().timestamp()) + 10
    old = resized.state(at)
    heir = next(user.id for user in host.simulation.world.estate.users if user.id != given.state(at).owner_id)
    deleted.alter(at, is_deleted=True)
    resized.alter(at, memory=old.memory + 1024)
    given.alter(at, owner_id=heir)
    for _ in range(2):  # only on the second reading in a row is a server that is missing gone
        host.clock.sleep(60)
        report = host.platform.entities()["servers"]
    assert report.rows_gone == 1
    versions = dict(host.ask("select key, count(*) from raw_pterodactyl.servers group by key having count(*) > 1"))
    assert versions == {resized.uuid: 2, given.uuid: 2}
    gone = host.ask("select key, deleted_at is not null from raw_pterodactyl.servers where not is_active")
    assert gone == [(deleted.uuid, True)]
    now = dict(
        host.ask(
            "select key, array[record -> 'limits' ->> 'memory', record ->> 'user'] from raw_pterodactyl.servers "
            "where valid_to is null"
        )
    )
    assert now[resized.uuid][0] == str(old.memory + 1024)
    assert now[given.uuid][1] == str(heir)
    assert {row[0] for row in host.ask("select distinct key from raw_pterodactyl.servers")} == before
    host.second_pass_writes_nothing()
