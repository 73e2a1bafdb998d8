"""The incidents of two weeks are those that the simulated world caused: none missed, none false, one message each."""

from __future__ import annotations

import dataclasses
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from pteroassets.alarms.incidents.live import Circumstances, Replay
from pteroassets.alarms.incidents.model import Incident
from pteroassets.alarms.incidents.rules import read_rules
from pteroassets.alarms.outbox import Message
from pteroassets.landing.pterodactyl.utilization import land_samples
from pteroassets.simulator.simulated_world import WorldSize
from pteroassets.simulator.true_rows import Sample
from pteroassets.simulator.world.plans import PLANS
from pteroassets.warehouse.connection import connect
from tests.end_to_end.conftest import ANCHOR, NewPlatform
from tests.harness import Platform

pytestmark = pytest.mark.postgres

EVERY = timedelta(minutes=30)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DEAD_NODE = "fra-01"
DEAD = (ANCHOR - timedelta(days=2, hours=14, minutes=10), ANCHOR - timedelta(days=2, hours=11))
"""A server of the node crashes meanwhile: whoever is called for the node need not be called for that."""
RESOURCES = {"memory": 1024**2, "cpu": 1, "disk": 1024**2}
SILENT = Sample(server_uuid="", at=ANCHOR, outcome="node_unreachable")  # type: ignore[arg-type]  # what a pass says


@dataclass(frozen=True, kw_only=True)
class Known:
    """A server as the newest reading of the panel's lists before a pass shows it, and what the pass read."""

    terms: dict[str, Any]
    node: str
    sample: Sample


Passes = dict[datetime, list[Known]]


@pytest.fixture(scope="module")
def platform(new_platform_of_module: NewPlatform) -> Platform:
    """Two weeks of a world with crashes, a loop of them, restarts every night, and a node that is in maintenance."""
    tiny = PLANS[WorldSize.TINY]
    return new_platform_of_module(
        dataclasses.replace(tiny, roles={**tiny.roles, 1: "crash loop", 3: "short of memory"})
    )


@pytest.fixture(scope="module")
def passes(platform: Platform) -> Passes:
    """What passes over the panel read every half an hour, while one node is dead, and its logs.

    Figures come from the world itself, since five thousand requests would tell nothing that other tests do not.
    """
    truth, nodes = platform.simulation.truth, platform.simulation.world.estate.node_by_id
    found: Passes = {}
    at = platform.simulation.world.start
    with connect(platform.settings, autocommit=True) as connection:
        while at <= ANCHOR:
            if at.hour == at.minute == 0 or not found:
                platform.clock.move_to(at)
                platform.entities(entities=("nodes", "eggs", "users", "servers"))
                terms = {row["uuid"]: row for row in truth.entities(at)["servers"]}
            found[at] = []
            for row in truth.entities(at)["servers"]:
                node, sample = nodes[row["node_id"]].name, truth.sample(row["uuid"], at)
                if node == DEAD_NODE and DEAD[0] <= at < DEAD[1] and sample.outcome in {"ok", "offline"}:
                    sample = SILENT
                found[at].append(Known(terms=terms.get(row["uuid"], row), node=node, sample=sample))
            land_samples(connection, [_row(at, known) for known in found[at]], observed_at=at)
            # a server that crashes again and again soon deletes the logs of the day's first runs
            if at.minute == 0 and at.hour % 3 == 0 and (at.hour == 0 or ANCHOR - at < timedelta(hours=34)):
                platform.clock.move_to(at)
                platform.logs()
            at += EVERY
    return found


def _row(at: datetime, known: Known) -> list[Any]:
    one = known.sample
    is_suspect = one.state == "running" and bool(one.uptime_ms) and not one.memory_bytes
    figures = (one.cpu_percent, one.memory_bytes, one.disk_bytes, one.rx_bytes, one.tx_bytes, one.uptime_ms)
    reason = None if one.outcome in {"ok", "offline"} else "as the world says"
    server = uuid.UUID(known.terms["uuid"])
    return [server, at, at, 1800, known.node, one.outcome, one.state, *figures, is_suspect, reason]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """An incident that the world caused: when it began at the earliest and the latest, and when that showed."""

    kind: str
    subject: str
    began: tuple[datetime, datetime]
    shows_at: datetime
    held_back: int = 0
    times: int = 1
    aspect: str = ""


@pytest.fixture(scope="module")
def expected(platform: Platform, passes: Passes) -> list[Expected]:
    down = [at for at in passes if DEAD[0] <= at < DEAD[1]]
    crashes, lost = _crashes(platform)
    silent = {known.terms["uuid"] for at in down for known in passes[at] if known.sample is SILENT}
    node = Expected(
        kind="node_down", subject=DEAD_NODE, began=(down[0], down[0]), shows_at=DEAD[0], held_back=lost + len(silent)
    )
    return [node, *crashes, *_at_limits(passes)]


def _crashes(platform: Platform) -> tuple[list[Expected], int]:
    """Return the crashes, from the fifth of a day on as one loop, and how many were lost with their node."""
    truth = platform.simulation.truth
    nodes = {node["id"]: node["name"] for node in truth.entities(ANCHOR)["nodes"]}
    on_dead = {row["uuid"] for row in truth.entities(DEAD[0])["servers"] if nodes[row["node_id"]] == DEAD_NODE}
    runs = sorted(truth.runs(ANCHOR), key=lambda run: run.started_at)
    ends: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    lost = 0
    for run in runs:
        if run.end_reason != "crashed" or run.ended_at is None:
            continue
        following = [
            one.started_at for one in runs if one.server_uuid == run.server_uuid and one.started_at > run.started_at
        ]
        # of a process that was killed nothing is known before it starts again
        shows_at = run.ended_at if run.crash_cause is not None else min(following, default=None)
        if shows_at is None:
            continue
        if run.server_uuid in on_dead and DEAD[0] <= run.ended_at <= DEAD[1]:
            lost += 1
        else:
            ends[run.server_uuid].append((run.ended_at, shows_at))
    found = []
    for server, of_server in ends.items():
        loop: Expected | None = None
        for number, (ended_at, shows_at) in enumerate(of_server):
            recent = [one for one in of_server[: number + 1] if shows_at - one[1] < DAY]
            if loop is not None and ended_at - of_server[number - 1][0] < 6 * HOUR:
                loop = dataclasses.replace(loop, times=loop.times + 1)
                found[-1] = loop
                continue
            one = Expected(kind="server_crashed", subject=server, began=(ended_at - HOUR, shows_at), shows_at=shows_at)
            loop = dataclasses.replace(one, kind="crash_loop", times=len(recent)) if len(recent) >= 5 else None
            found.append(loop or one)
    return found, lost


def _at_limits(passes: Passes) -> Iterator[Expected]:
    """Yield each time that a resource was at 95 % of its limit in six samples, until it was below in three."""
    servers = {known.terms["uuid"] for of_pass in passes.values() for known in of_pass}
    for server in servers:
        for resource, unit in RESOURCES.items():
            high, low, is_open = [], 0, False
            for at, of_pass in passes.items():
                for known in of_pass:
                    if known.terms["uuid"] != server or (is_high := _is_high(known, resource, unit)) is None:
                        continue
                    high, low = ([*high, at], 0) if is_high else (high, low + 1)
                    if not is_high and (not is_open or low == 3):
                        high, is_open = [], False
                    if is_high and len(high) == 6 and not is_open:
                        is_open = True
                        yield Expected(
                            kind="resource_at_limit", subject=server, aspect=resource, began=(high[0], high[0]),
                            shows_at=at,
                        )  # fmt: skip


def _is_high(known: Known, resource: str, unit: int) -> bool | None:
    one, limit = known.sample, known.terms[resource] * unit
    used = {"memory": one.memory_bytes, "cpu": one.cpu_percent, "disk": one.disk_bytes}[resource]
    if one.outcome == "offline" and resource != "disk":
        return False
    if one.outcome not in {"ok", "offline"}:
        return None
    if limit == 0:
        return False
    if resource != "disk" and (one.state != "running" or (one.uptime_ms and not one.memory_bytes)):
        return None
    return used is not None and used >= 0.95 * limit


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What a replay came to: its incidents, and each message with when it would have been sent."""

    incidents: list[Incident]
    messages: list[tuple[datetime, Message]]


@pytest.fixture(scope="module")
def replayed(platform: Platform, passes: Passes) -> Replayed:  # noqa: ARG001 - what was landed is replayed
    replay, messages = Replay(), []
    since = platform.simulation.world.start - EVERY
    with connect(platform.settings, autocommit=True) as connection:
        for step in replay.run(
            connection,
            read_rules(),
            Circumstances(targets=("discord:1",), logs_every=EVERY),
            since=since,
            until=ANCHOR,
        ):
            messages += [(step.changes[0].at, message) for message in step.messages if step.changes]
    return Replayed(incidents=[*replay.incidents.values()], messages=messages)


def test_incidents_are_those_that_the_world_caused(
    expected: list[Expected], replayed: Replayed, capsys: pytest.CaptureFixture[str]
) -> None:
    left = list(replayed.incidents)
    delays: dict[str, list[timedelta]] = defaultdict(list)
    missed = []
    for one in sorted(expected, key=lambda one: one.shows_at):
        found = next((incident for incident in left if _is_of(one, incident)), None)
        if found is None:
            missed.append(one)
            continue
        left.remove(found)
        delays[one.kind].append(found.noticed_at - one.shows_at)
    with capsys.disabled():
        print(f"\n{'incident':<20}{'caused':>8}{'opened':>8}{'missed':>8}{'false':>8}  noticed after, at most")
        caused, opened = Counter(one.kind for one in expected), Counter(one.kind for one in replayed.incidents)
        for kind in sorted(caused | opened):
            of_kind = sum(one.kind == kind for one in missed), sum(one.kind == kind for one in left)
            slowest = max(delays[kind], default=None)
            print(f"{kind:<20}{caused[kind]:>8}{opened[kind]:>8}{of_kind[0]:>8}{of_kind[1]:>8}  {slowest}")
    assert (missed, left) == ([], [])
    assert min(caused["server_crashed"], caused["resource_at_limit"]) > 5, caused
    assert (caused["node_down"], caused["crash_loop"]) == (1, 1)
    slow = {kind: max(of_kind) for kind, of_kind in delays.items() if max(of_kind) > 2 * EVERY}
    assert slow == {}, "each is noticed within two intervals of sampling"


def _is_of(one: Expected, incident: Incident) -> bool:
    return (
        (one.kind, one.subject, one.aspect) == (incident.kind, incident.subject.key, incident.aspect)
        and one.began[0] <= incident.opened_at <= one.began[1]
        and (one.held_back, one.times) == (len(incident.held_back), incident.times)
    )


def test_each_incident_is_one_message_that_is_sent_when_it_is_noticed_and_says_its_end(replayed: Replayed) -> None:
    by_key: dict[str, list[tuple[datetime, Message]]] = defaultdict(list)
    for at, message in replayed.messages:
        if not message.key.startswith("report/"):
            by_key[message.key].append((at, message))
    assert set(by_key) == {f"incident/{incident.id}" for incident in replayed.incidents}
    for incident in replayed.incidents:
        versions = by_key[f"incident/{incident.id}"]
        assert versions[0][0] == incident.noticed_at
        assert bool(versions[-1][1].buttons) is incident.is_open, "what is over needs no button"


def test_a_restart_and_maintenance_open_nothing(platform: Platform, replayed: Replayed) -> None:
    runs = platform.simulation.truth.runs(ANCHOR)
    stopped = [run.ended_at for run in runs if run.end_reason == "stopped"]
    assert len(stopped) > 30, "the world has restarts"
    assert {incident.subject.key for incident in replayed.incidents if incident.kind == "node_down"} == {DEAD_NODE}
