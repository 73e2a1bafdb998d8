"""What was read of the simulated panel and of its samples, as the truth tests of nodes and customers count it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.end_to_end.conftest import ANCHOR
from tests.end_to_end.slow.stays import query
from tests.harness import Platform

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
EVERY = timedelta(hours=12)  # the lists of the panel are read as often
MEBIBYTE = 1048576


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


def readings_of(estate: Platform) -> Read:
    """Return what a pass over the lists of the panel read, each time."""
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
    """What a server used in an hour: mean and most memory in MiB, and cores; None where its disk is not known.

    *minutes* are those for which it is known, *running* those of them in which it ran and was measured.
    """

    memory: float
    memory_high: float
    cpu: float
    disk: float | None
    minutes: float
    running: float


def hours_of(estate: Platform, read: Read) -> dict[tuple[int, datetime], dict[str, Hour]]:
    """Return what is known of each server of a node in an hour, by node and hour, from samples as they were read."""
    samples: dict[tuple[str, datetime], list[tuple[Any, ...]]] = defaultdict(list)
    for server, at, *sample in query(
        estate,
        "select server_uuid::text, pass_at, outcome, is_suspect, memory_bytes, cpu_percent, disk_bytes, state "
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
                running=30 * sum(each[5] == "running" for each in measured),
            )
    return found
