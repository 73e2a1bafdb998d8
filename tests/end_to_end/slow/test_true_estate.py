"""What the marts say of nodes, the host and their owners is what the simulated world says, counted here in Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pteroassets.warehouse.connection import connect
from tests.end_to_end.conftest import ANCHOR
from tests.harness import Platform

pytestmark = [pytest.mark.postgres]

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
EVERY = timedelta(hours=12)  # the lists of the panel are read as often
MEBIBYTE = 1048576


def query(platform: Platform, text: str) -> list[tuple[Any, ...]]:
    with connect(platform.settings, autocommit=True) as connection:
        return connection.execute(text).fetchall()


@dataclass(frozen=True, kw_only=True)
class Read:
    """What was read of the panel, reading by reading: of each kind its rows by key."""

    zone: ZoneInfo
    at: list[datetime]
    rows: dict[str, list[dict[Any, dict[str, Any]]]]

    def held(self, kind: str, before: datetime) -> dict[Any, dict[str, Any]]:
        """Return the rows of a kind as they stood just before an instant, as far as readings tell.

        What only one reading lacked is not gone yet. A new one counts from its making, as it was when first read.
        """
        found: dict[Any, dict[str, Any]] = {}
        readings = self.rows[kind]
        for key in {key for reading in readings for key in reading}:
            seen = [number for number, reading in enumerate(readings) if key in reading]
            past = [number for number in seen if self.at[number] < before]
            if not past:
                if kind == "servers" and readings[seen[0]][key]["created_at"] < before:
                    found[key] = readings[seen[0]][key]
                continue
            lacking = len(readings) - 1 - seen[-1]
            if lacking >= 2 and self.at[seen[-1] + 1] < before:
                continue
            found[key] = readings[past[-1]][key]
        return found

    def midnight_after(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone) + DAY

    def days(self) -> Iterator[date]:
        day = self.at[0].astimezone(self.zone).date()
        while day <= self.at[-1].astimezone(self.zone).date():
            yield day
            day += DAY


@pytest.fixture(scope="module")
def read(estate: Platform) -> Read:
    start = estate.simulation.world.start
    at = [start + EVERY * number for number in range((ANCHOR - start) // EVERY + 1)]
    rows: dict[str, list[dict[Any, dict[str, Any]]]] = defaultdict(list)
    for instant in at:
        entities = estate.simulation.truth.entities(instant)
        rows["servers"].append({row["uuid"]: row for row in entities["servers"]})
        for kind in ("nodes", "allocations", "users", "subusers"):
            rows[kind].append({row["id"]: row for row in entities[kind]})
    zone = ZoneInfo(query(estate, "select timezone from intermediate.int_host_timezone")[0][0])
    return Read(zone=zone, at=at, rows=rows)


@dataclass(frozen=True, kw_only=True)
class Hour:
    """What a server used in an hour: mean and most memory in MiB, and cores; None where its disk is not known."""

    memory: float
    memory_high: float
    cpu: float
    disk: float | None
    minutes: float


@pytest.fixture(scope="module")
def hours(estate: Platform, read: Read) -> dict[tuple[int, datetime], dict[str, Hour]]:
    """What is known of each server of a node in an hour, by node and hour, from the samples as they were read."""
    samples: dict[tuple[str, datetime], list[tuple[Any, ...]]] = defaultdict(list)
    for server, at, *sample in query(
        estate,
        "select server_uuid::text, pass_at, outcome, is_suspect, memory_bytes, cpu_percent, disk_bytes "
        "from raw_pterodactyl.utilization_samples",
    ):
        samples[server, at.replace(minute=0)].append(tuple(sample))
    found: dict[tuple[int, datetime], dict[str, Hour]] = defaultdict(dict)
    held = {hour: read.held("servers", hour + HOUR) for hour in {hour for _, hour in samples}}
    for (server, hour), of_hour in samples.items():
        measured = [each for each in of_hour if each[0] == "ok" and not each[1]]
        offline = [each for each in of_hour if each[0] == "offline"]
        if server in held[hour] and (measured or offline):
            memory = [each[2] / MEBIBYTE for each in measured] or [0]
            cpu = [each[3] / 100 for each in measured] or [0]
            disk = [each[4] / MEBIBYTE for each in measured + offline if each[4] is not None]
            found[held[hour][server]["node_id"], hour][server] = Hour(
                memory=sum(memory) / len(memory),
                memory_high=max(memory),
                cpu=sum(cpu) / len(cpu),
                disk=sum(disk) / len(disk) if disk else None,
                minutes=30 * len(measured + offline),
            )
    return found


def test_what_nodes_promise_equals_the_truth(estate: Platform, read: Read) -> None:
    expected: dict[tuple[str, date], list[int]] = {}
    nodes = read.rows["nodes"][0]
    for day in read.days():
        midnight = read.midnight_after(day)
        servers, allocations = read.held("servers", midnight), read.held("allocations", midnight)
        for node in nodes.values():
            on_node = [server for server in servers.values() if server["node_id"] == node["id"]]
            listed = [each for each in allocations.values() if each["node_id"] == node["id"]]
            expected[node["uuid"], day] = [
                len(on_node),
                sum(server["memory"] == 0 for server in on_node),
                sum(server["memory"] for server in on_node),
                sum(server["disk"] for server in on_node),
                node["memory"],
                node["disk"],
                len(listed),
                sum(each["assigned"] for each in listed),
            ]
        of_nodes = [expected[node["uuid"], day] for node in nodes.values()]
        expected["host", day] = [sum(values) for values in zip(*of_nodes, strict=True)]
    found = {
        (key, day): [*figures]
        for key, day, *figures in query(
            estate,
            "select scope_key, local_date, servers_total, servers_without_memory_limit, memory_allocated_mebibytes, "
            "disk_allocated_mebibytes, memory_mebibytes, disk_mebibytes, allocations_total, allocations_assigned "
            "from marts.fct_node_daily",
        )
    }
    assert found == expected
    of_host = [expected["host", day] for day in read.days()]
    assert len({row[0] for row in of_host}) > 2, "servers come and go in the world"
    moved = [row for row in estate.simulation.truth.server_versions(ANCHOR) if row.valid_to is not None]
    assert len({(row.server_uuid, row.node_id) for row in moved}) > 0


def test_what_nodes_use_equals_the_samples(
    estate: Platform, read: Read, hours: dict[tuple[int, datetime], dict[str, Hour]]
) -> None:
    nodes = {row["id"]: row["uuid"] for row in read.rows["nodes"][0].values()}
    sums: dict[tuple[str, datetime], list[Hour]] = defaultdict(list)
    for (node, hour), servers in hours.items():
        sums[nodes[node], hour] += servers.values()
        sums["host", hour] += servers.values()
    days: dict[tuple[str, date], dict[datetime, list[Hour]]] = defaultdict(dict)
    for (key, hour), known in sums.items():
        days[key, hour.astimezone(read.zone).date()][hour] = known
    rows = query(
        estate,
        "select scope_key, local_date, memory_used_mean_mebibytes, memory_used_peak_mebibytes, "
        "memory_used_high_mebibytes, cpu_used_peak_cores, disk_used_peak_mebibytes, hours_sampled, "
        "server_hours_sampled, coverage_ratio, servers_total, memory_peak_hour_at from marts.fct_node_daily",
    )
    assert {row[:2] for row in rows if row[3] is not None} == days.keys()
    for key, day, *found, coverage, servers, peak_at in rows:
        of_day = days.get((key, day), {})
        memory = {hour: sum(each.memory for each in known) for hour, known in of_day.items()}
        disk = [
            sum(each.disk for each in known if each.disk is not None)
            for known in of_day.values()
            if any(each.disk is not None for each in known)
        ]
        sampled = sum(each.minutes for known in of_day.values() for each in known) / 60
        expected = [
            sum(memory.values()) / len(memory) if memory else None,
            max(memory.values(), default=None),
            max((sum(each.memory_high for each in known) for known in of_day.values()), default=None),
            max((sum(each.cpu for each in known) for known in of_day.values()), default=None),
            max(disk, default=None),
            len(of_day),
            sampled,
        ]
        assert found == [None if each is None else pytest.approx(each) for each in expected], (key, day)
        assert peak_at is None or memory[peak_at] == pytest.approx(expected[1])
        since = max(read.midnight_after(day - DAY), read.at[0])
        passed = servers * (min(read.midnight_after(day), ANCHOR) - since).total_seconds() / 3600
        assert coverage == (None if passed == 0 else pytest.approx(min(sampled / passed, 1), rel=1e-3)), (key, day)
    assert max(row[3] or 0 for row in rows if row[0] != "host") > 10_000
