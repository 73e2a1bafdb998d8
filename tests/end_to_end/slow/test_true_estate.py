"""What the marts say of nodes, the host and their owners is what the simulated world says, counted here in Python."""

from __future__ import annotations

import math
import operator
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pteroassets.defs.dbt_project import DBT_PROJECT
from pteroassets.simulator.true_rows import TrueSession
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
    """What a server used in an hour: mean and most memory in MiB, and cores; None where its disk is not known.

    *minutes* are those for which it is known, *running* those of them in which it ran and was measured.
    """

    memory: float
    memory_high: float
    cpu: float
    disk: float | None
    minutes: float
    running: float


@pytest.fixture(scope="module")
def hours(estate: Platform, read: Read) -> dict[tuple[int, datetime], dict[str, Hour]]:
    """What is known of each server of a node in an hour, by node and hour, from the samples as they were read."""
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


@pytest.fixture(scope="module")
def promised(read: Read) -> dict[tuple[str, date], list[int]]:
    """What nodes and the host hold at the end of each day; see the test for the order."""
    found: dict[tuple[str, date], list[int]] = {}
    nodes = read.rows["nodes"][0]
    for day in read.days():
        midnight = read.midnight_after(day)
        servers, allocations = read.held("servers", midnight), read.held("allocations", midnight)
        for node in nodes.values():
            on_node = [server for server in servers.values() if server["node_id"] == node["id"]]
            listed = [each for each in allocations.values() if each["node_id"] == node["id"]]
            found[node["uuid"], day] = [
                len(on_node),
                sum(server["memory"] == 0 for server in on_node),
                sum(server["memory"] for server in on_node),
                sum(server["disk"] for server in on_node),
                node["memory"],
                node["disk"],
                len(listed),
                sum(each["assigned"] for each in listed),
            ]
        of_nodes = [found[node["uuid"], day] for node in nodes.values()]
        found["host", day] = [sum(values) for values in zip(*of_nodes, strict=True)]
    return found


@pytest.fixture(scope="module")
def used(
    read: Read, hours: dict[tuple[int, datetime], dict[str, Hour]]
) -> dict[tuple[str, date], dict[datetime, list[Hour]]]:
    """What is known of the servers of nodes and of the host, by day and hour."""
    nodes = {row["id"]: row["uuid"] for row in read.rows["nodes"][0].values()}
    sums: dict[tuple[str, datetime], list[Hour]] = defaultdict(list)
    for (node, hour), servers in hours.items():
        sums[nodes[node], hour] += servers.values()
        sums["host", hour] += servers.values()
    days: dict[tuple[str, date], dict[datetime, list[Hour]]] = defaultdict(dict)
    for (key, hour), known in sums.items():
        days[key, hour.astimezone(read.zone).date()][hour] = known
    return days


def memory_of(known: list[Hour]) -> float:
    return sum(each.memory for each in known)


def disk_of(known: list[Hour]) -> float | None:
    of_servers = [each.disk for each in known if each.disk is not None]
    return sum(of_servers) if of_servers else None


def test_what_nodes_promise_equals_the_truth(
    estate: Platform, read: Read, promised: dict[tuple[str, date], list[int]]
) -> None:
    found = {
        (key, day): [*figures]
        for key, day, *figures in query(
            estate,
            "select scope_key, local_date, servers_total, servers_without_memory_limit, memory_allocated_mebibytes, "
            "disk_allocated_mebibytes, memory_mebibytes, disk_mebibytes, allocations_total, allocations_assigned "
            "from marts.fct_node_daily",
        )
    }
    assert found == promised
    assert len({promised["host", day][0] for day in read.days()}) > 2, "servers come and go in the world"
    versions = estate.simulation.truth.server_versions(ANCHOR)
    assert len({(version.server_uuid, version.node_id) for version in versions}) > len(
        {version.server_uuid for version in versions}
    ), "servers move in the world"


def test_what_nodes_use_equals_the_samples(
    estate: Platform, read: Read, used: dict[tuple[str, date], dict[datetime, list[Hour]]]
) -> None:
    rows = query(
        estate,
        "select scope_key, local_date, memory_used_mean_mebibytes, memory_used_peak_mebibytes, "
        "memory_used_high_mebibytes, cpu_used_peak_cores, disk_used_peak_mebibytes, hours_sampled, "
        "server_hours_sampled, coverage_ratio, servers_total, memory_peak_hour_at from marts.fct_node_daily",
    )
    assert {row[:2] for row in rows if row[3] is not None} == used.keys()
    for key, day, *found, coverage, servers, peak_at in rows:
        of_day = used.get((key, day), {})
        memory = {hour: memory_of(known) for hour, known in of_day.items()}
        sampled = sum(each.minutes for known in of_day.values() for each in known) / 60
        expected = [
            sum(memory.values()) / len(memory) if memory else None,
            max(memory.values(), default=None),
            max((sum(each.memory_high for each in known) for known in of_day.values()), default=None),
            max((sum(each.cpu for each in known) for known in of_day.values()), default=None),
            max((disk for disk in map(disk_of, of_day.values()) if disk is not None), default=None),
            len(of_day),
            sampled,
        ]
        assert found == [None if each is None else pytest.approx(each) for each in expected], (key, day)
        assert peak_at is None or memory[peak_at] == pytest.approx(expected[1])
        since = max(read.midnight_after(day - DAY), read.at[0])
        passed = servers * (min(read.midnight_after(day), ANCHOR) - since).total_seconds() / 3600
        assert coverage == (None if passed == 0 else pytest.approx(min(sampled / passed, 1), rel=1e-3)), (key, day)
    assert max(row[3] or 0 for row in rows if row[0] != "host") > 10_000


def within(t: float, degrees: int) -> float:
    """Return how much of Student's distribution lies between -t and t, by Simpson's rule over its density."""
    scale = math.gamma((degrees + 1) / 2) / (math.sqrt(degrees * math.pi) * math.gamma(degrees / 2))
    steps = 2000
    weights = [1, *(4, 2) * (steps // 2 - 1), 4, 1]
    heights = [(1 + (t * step / steps) ** 2 / degrees) ** (-(degrees + 1) / 2) for step in range(steps + 1)]
    area = t / steps / 3 * math.fsum(map(operator.mul, weights, heights))
    return 2 * scale * area


def t_of(degrees: int) -> float:
    """Return between what and its negative 95 % of Student's distribution lie."""
    low, high = 1.0, 4.0
    while high - low > 1e-7:
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle, degrees) < 0.95 else (low, middle)
    return low


def test_the_table_of_students_t_is_that_of_its_distribution() -> None:
    macro = (DBT_PROJECT / "macros" / "node_days.sql").read_text()
    table = [float(number) for number in re.findall(r"\b2\.\d{6}\b", macro[macro.index("student_t") :])]
    assert table == [pytest.approx(t_of(degrees), abs=2e-6) for degrees in range(8, 29)]


def test_runways_equal_those_of_a_line_through_the_truth(
    estate: Platform,
    read: Read,
    promised: dict[tuple[str, date], list[int]],
    used: dict[tuple[str, date], dict[datetime, list[Hour]]],
) -> None:
    overallocated = {
        uuid: (1 + memory / 100 if memory >= 0 else None, 1 + disk / 100 if disk >= 0 else None)
        for uuid, memory, disk in query(
            estate,
            "select uuid::text, (record ->> 'memory_overallocate')::int, (record ->> 'disk_overallocate')::int "
            "from raw_pterodactyl.nodes where valid_to is null",
        )
    }
    whole = [day for day in read.days() if read.midnight_after(day) <= ANCHOR]
    rows = query(
        estate,
        "select scope_key, resource, days_counted, growth_per_day, growth_per_day_low, growth_per_day_high, "
        "runway_days, runway_days_low, runway_days_high, reason, last_date, runs_out_on from marts.fct_node_runway "
        "where scope = 'node'",
    )
    reasons: Counter[str | None] = Counter()
    for key, resource, *figures, reason, last, full_on in rows:
        of_memory = resource.startswith("memory")
        held: dict[int, float | None] = {}
        for number, day in enumerate(whole):
            today = promised[key, day]
            if resource.endswith("_used"):
                of_day = used.get((key, day), {}).values()
                known = [memory_of(each) if of_memory else disk_of(each) for each in of_day]
                held[number] = max((each for each in known if each is not None), default=None)
            else:
                held[number] = today[{"memory_allocated": 2, "disk_allocated": 3, "allocations": 7}[resource]]
        memory, disk, allocations = promised[key, whole[-1]][4:7]
        factors = overallocated[key]
        capacity = {
            "memory_allocated": factors[0] and memory * factors[0],
            "disk_allocated": factors[1] and disk * factors[1],
            "allocations": allocations,
            "memory_used": memory,
            "disk_used": disk,
        }[resource]
        expected, why = runway({x: y for x, y in held.items() if y is not None}, capacity)
        assert figures == [None if each is None else pytest.approx(each, rel=1e-5) for each in expected], (
            key,
            resource,
        )
        assert (reason, last) == (why, whole[-1])
        assert full_on == (None if figures[4] is None else last + math.floor(figures[4]) * DAY)
        reasons[why] += 1
    assert len(rows) == 5 * len(overallocated)
    assert reasons.keys() >= {None, "unlimited", "not_growing"}


def runway(held: dict[int, float], capacity: float | None) -> tuple[list[float | None], str | None]:
    """Return n, growth with its ends, runway with its ends; and the reason where there is none."""
    slope, intercept = statistics.linear_regression([*held], [*held.values()])
    residual = sum((y - intercept - slope * x) ** 2 for x, y in held.items())
    spread = sum((x - statistics.fmean(held)) ** 2 for x in held)
    margin = t_of(len(held) - 2) * math.sqrt(residual / (len(held) - 2) / spread)
    growth = [len(held), slope, slope - margin, slope + margin]
    if capacity is None:
        return [*growth, None, None, None], "unlimited"
    left = capacity - held[max(held)]
    if left <= 0:
        return [*growth, 0, 0, 0], None
    if slope <= 0:
        return [*growth, None, None, None], "not_growing"
    if left / slope > 3650:
        return [*growth, None, None, None], "not_within_ten_years"
    late = left / (slope - margin) if slope - margin > 0 else math.inf
    return [*growth, left / slope, left / (slope + margin), late if late <= 3650 else None], None


def test_where_a_server_fits_equals_the_truth(
    estate: Platform,
    read: Read,
    promised: dict[tuple[str, date], list[int]],
    used: dict[tuple[str, date], dict[datetime, list[Hour]]],
) -> None:
    newest = [*read.days()][-1]
    servers = read.rows["servers"][-1].values()
    proportion = statistics.median(each["disk"] / each["memory"] for each in servers if each["memory"] and each["disk"])
    rows = query(
        estate,
        "select node_uuid::text, fit.size_memory_mebibytes, servers_fit_by_limits, servers_fit_by_use, "
        "(record ->> 'memory_overallocate')::int, (record ->> 'disk_overallocate')::int from marts.fct_node_fit as fit "
        "inner join raw_pterodactyl.nodes on uuid = node_uuid where valid_to is null",
    )
    for node, size, by_limits, by_use, more_memory, more_disk in rows:
        _, _, memory_held, disk_held, memory, disk, allocations, assigned = promised[node, newest]
        free = allocations - assigned
        bounds = [free]
        if more_memory >= 0:
            bounds.append((memory * (100 + more_memory) / 100 - memory_held) // size)
        if more_disk >= 0:
            bounds.append((disk * (100 + more_disk) / 100 - disk_held) // (size * proportion))
        assert by_limits == max(min(bounds), 0), (node, size)
        hours_of_week = [known for back in range(7) for known in used.get((node, newest - back * DAY), {}).values()]
        memory_used = max(map(memory_of, hours_of_week))
        disk_used = max(disk_of(known) or 0 for known in hours_of_week)
        assert by_use == max(min(free, (memory - memory_used) // size, (disk - disk_used) // (size * proportion)), 0)
    assert len(rows) == 5 * len(read.rows["nodes"][0])
    assert min(row[2] for row in rows) == 0 < max(row[2] for row in rows)


@dataclass(frozen=True, kw_only=True)
class Stay:
    """A true session with the key that the marts give its player and the end until which they count it."""

    server: str
    player: str
    since: datetime
    until: datetime
    is_proxy: bool


@pytest.fixture(scope="module")
def stays(estate: Platform, true_sessions: dict[tuple[str, str, datetime], TrueSession]) -> list[Stay]:
    found = {
        (server, name, joined_at): (player, until)
        for server, name, joined_at, player, until in query(
            estate,
            "select server_uuid::text, player_name, joined_at, player_id::text, counted_until "
            "from marts.fct_player_sessions",
        )
    }
    return [
        Stay(server=true.server_uuid, player=found[key][0], since=true.joined_at, until=found[key][1],
             is_proxy=true.is_proxy)
        for key, true in true_sessions.items()
    ]  # fmt: skip


def test_empty_hours_equal_the_truth(
    estate: Platform, read: Read, hours: dict[tuple[int, datetime], dict[str, Hour]], stays: list[Stay]
) -> None:
    known = {
        server: (since, until)
        for server, since, until in query(
            estate,
            "select server_uuid::text, logs_known_from, logs_known_until from intermediate.int_minecraft__known_logs",
        )
    }
    there: dict[tuple[str, datetime], bool] = {}
    for stay in stays:
        zone = ZoneInfo(estate.simulation.log_timezones[stay.server])
        hour = stay.since.astimezone(zone).replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        while hour < stay.until or hour <= stay.since:
            there[stay.server, hour] = True
            hour += HOUR
    expected: dict[tuple[str, date], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for (_, hour), servers in hours.items():
        for server, used in servers.items():
            zone = ZoneInfo(estate.simulation.log_timezones[server])
            # where a clock is off by half an hour, two of its hours lie in one of UTC
            first = hour.astimezone(zone).replace(minute=0).astimezone(UTC)
            of_clock = [first] if first == hour else [first, first + HOUR]
            since, until = known.get(server, (None, None))
            state = "unknown"
            if any((server, each) in there for each in of_clock):
                state = "occupied"
            elif since and until and since <= of_clock[0] and of_clock[-1] + HOUR <= until:
                state = "empty"
            day = expected[server, hour.astimezone(read.zone).date()]
            day["sampled"] += used.minutes / 60
            day[state] += used.running / 60
            day[f"memory {state}"] += used.running / 60 * used.memory / 1024
            day[f"cores {state}"] += used.running / 60 * used.cpu
    rows = query(
        estate,
        "select server_uuid::text, local_date, hours_sampled, hours_running_empty, hours_running_occupied, "
        "hours_running_unknown, memory_gib_hours_empty, memory_gib_hours_unknown, core_hours_empty, "
        "core_hours_occupied, empty_ratio from marts.fct_empty_hours_daily",
    )
    columns = (
        "sampled", "empty", "occupied", "unknown", "memory empty", "memory unknown", "cores empty", "cores occupied",
    )  # fmt: skip
    assert {row[:2] for row in rows if row[2]} == expected.keys()
    for server, day, *figures, ratio in rows:
        of_day = expected[server, day]
        assert figures == [pytest.approx(of_day[name]) for name in columns], (server, day)
        judged = of_day["empty"] + of_day["occupied"]
        assert ratio == (pytest.approx(of_day["empty"] / judged) if judged else None), (server, day)
    assert all(sum(of_day[name] for of_day in expected.values()) > 50 for name in ("empty", "occupied", "unknown"))


@dataclass(frozen=True, kw_only=True)
class Owned:
    """That somebody owned a server from a time until another; None where it is owned now."""

    owner: int
    server: str
    since: datetime
    until: datetime | None


@pytest.fixture(scope="module")
def owned(read: Read) -> list[Owned]:
    """Who owned which server when, as far as readings tell, in the order of time."""
    found: list[Owned] = []
    readings = read.rows["servers"]
    for server in {server for reading in readings for server in reading}:
        seen = [number for number, reading in enumerate(readings) if server in reading]
        assert seen == [*range(seen[0], seen[-1] + 1)], "no server comes back"
        owner, since = readings[seen[0]][server]["owner_id"], readings[seen[0]][server]["created_at"]
        for number in seen[1:]:
            if (other := readings[number][server]["owner_id"]) != owner:
                found.append(Owned(owner=owner, server=server, since=since, until=read.at[number]))
                owner, since = other, read.at[number]
        is_gone = len(readings) - 1 - seen[-1] >= 2
        until = read.at[seen[-1] + 1] if is_gone else None
        found.append(Owned(owner=owner, server=server, since=since, until=until))
    return sorted(found, key=lambda each: each.since)


def periods(read: Read) -> Iterator[tuple[str, date, date]]:
    """Yield the weeks and months of the readings, each with its first day and that of the next."""
    for day in read.days():
        if day.weekday() == 0 or day == read.at[0].astimezone(read.zone).date():
            monday = day - day.weekday() * DAY
            yield "week", monday, monday + 7 * DAY
    first = read.at[0].astimezone(read.zone).date().replace(day=1)
    yield "month", first, (first + 31 * DAY).replace(day=1)


def owner_on(owned: list[Owned], read: Read) -> dict[str, list[tuple[date, int]]]:
    """Return of each server from which day on whose it was at the end of the day; the last of a day counts."""
    found: dict[str, dict[date, int]] = defaultdict(dict)
    for each in owned:
        found[each.server][each.since.astimezone(read.zone).date()] = each.owner
    return {server: sorted(of_server.items(), reverse=True) for server, of_server in found.items()}


def days_of(stay: Stay, zone: ZoneInfo) -> Iterator[tuple[date, float]]:
    since = stay.since
    while True:
        day = since.astimezone(zone).date()
        tomorrow = day + DAY
        until = min(stay.until, datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone).astimezone(UTC))
        yield day, (until - since).total_seconds()
        since = until
        if since >= stay.until:
            return


def test_owners_equal_the_truth(estate: Platform, read: Read, owned: list[Owned], stays: list[Stay]) -> None:
    expected: dict[tuple[int, str, date], list[Any]] = {}
    for grain, start, following in periods(read):
        since = max(read.midnight_after(start - DAY), read.at[0])
        until = read.midnight_after(following - DAY)
        for owner in {each.owner for each in owned}:
            of_owner = [
                each
                for each in owned
                if each.owner == owner and each.since < until and (each.until is None or each.until >= since)
            ]
            if of_owner:
                at_start = sum(each.since < since for each in of_owner)
                lost = sum(each.until is not None and each.until < until for each in of_owner)
                held = [row for row in read.held("servers", until).values() if row["owner_id"] == owner]
                why = (
                    "history_too_short" if read.midnight_after(start - DAY) < read.at[0]
                    else "not_over" if read.midnight_after(following - DAY) > ANCHOR
                    else "no_customer_at_start" if at_start == 0
                    else None
                )  # fmt: skip
                expected[owner, grain, start] = [
                    len({each.server for each in of_owner}), at_start, len(of_owner) - at_start, lost,
                    len(of_owner) - lost, sum(row["memory"] for row in held) or None,
                    sum(row["memory"] == 0 for row in held), why, None if why else len(of_owner) == lost,
                ]  # fmt: skip
    rows = query(
        estate,
        "select owner_user_id, period_grain, period_start, servers_total, servers_at_start, servers_gained, "
        "servers_lost, servers_at_end, memory_limit_mebibytes, servers_without_memory_limit, churn_unknown_reason, "
        "has_churned, distinct_players, player_hours, server_days_log_known from marts.fct_owner_periods",
    )
    assert {row[:3]: [*row[3:12]] for row in rows} == expected
    assert {row[10] for row in rows} == {None, "history_too_short", "not_over", "no_customer_at_start"}
    assert {row[11] for row in rows} >= {None, False}
    players: dict[tuple[int, str, date], set[str]] = defaultdict(set)
    seconds: dict[tuple[int, str, date], float] = defaultdict(float)
    whose = owner_on(owned, read)
    for stay in stays:
        if stay.is_proxy or stay.server not in whose:
            continue
        for day, part in days_of(stay, ZoneInfo(estate.simulation.log_timezones[stay.server])):
            for owner in [owner for first, owner in whose[stay.server] if first <= day][:1]:
                for key in ((owner, "week", day - day.weekday() * DAY), (owner, "month", day.replace(day=1))):
                    players[key].add(stay.player)
                    seconds[key] += part
    for row in rows:
        if row[14] == 0:
            assert row[12:14] == (None, None)
        else:
            assert row[12] == len(players[row[:3]]), row[:3]
            assert row[13] == pytest.approx(seconds[row[:3]] / 3600), row[:3]
    assert sum((row[12] or 0) > 3 for row in rows) > 10


def test_owners_since_and_until_equal_the_truth(estate: Platform, owned: list[Owned]) -> None:
    expected = {}
    for owner in {each.owner for each in owned}:
        of_owner = [each for each in owned if each.owner == owner]
        ends = [each.until for each in of_owner]
        expected[owner] = (
            len({each.server for each in of_owner}),
            ends.count(None),
            min(each.since for each in of_owner),
            None if None in ends else max(end for end in ends if end is not None),
        )
    found = query(
        estate, "select owner_user_id, servers_ever, servers_now, first_owned_at, left_at from marts.dim_owners"
    )
    assert {row[0]: row[1:] for row in found} == expected
    assert any(row[1] > row[2] for row in found), "servers go in the world"


def test_shares_equal_the_truth(estate: Platform, read: Read) -> None:
    users = {row["id"]: row["uuid"] for reading in read.rows["users"] for row in reading.values()}
    servers = {row["id"]: row for reading in read.rows["servers"] for row in reading.values()}
    readings = read.rows["subusers"]
    expected = {}
    for share in {share for reading in readings for share in reading}:
        seen = [number for number, reading in enumerate(readings) if share in reading]
        row = readings[seen[-1]][share]
        is_gone = len(readings) - 1 - seen[-1] >= 2
        expected[share] = (
            servers[row["server_id"]]["uuid"],
            users[servers[row["server_id"]]["owner_id"]],
            users[row["user_id"]],
            len(row["permissions"]),
            row["created_at"],
            read.at[seen[-1] + 1] if is_gone else None,
            not is_gone,
        )
    found = query(
        estate,
        "select subuser_id, server_uuid::text, owner_user_uuid::text, subuser_user_uuid::text, permissions_total, "
        "shared_since, shared_until, is_active from marts.fct_server_subusers",
    )
    assert {row[0]: row[1:] for row in found} == expected
    assert {row[7] for row in found} == {True, False}


def test_servers_stand_beside_the_median_of_their_egg_and_size(estate: Platform, read: Read) -> None:
    servers = read.held("servers", ANCHOR + DAY)
    values: dict[tuple[str, str], float] = {}
    rows = query(
        estate,
        "select server_uuid::text, is_proxy, memory_p95_mebibytes, cpu_core_hours, minutes_sampled, player_hours "
        "from marts.fct_server_daily",
    )
    for server in servers:
        days = [row for row in rows if row[0] == server]
        sampled = sum(row[4] for row in days) / 1440
        measures = {
            "memory": [row[2] for row in days if row[2] is not None],
            "player_hours": [row[5] for row in days if row[5] is not None and not row[1]],
        }
        values |= {(server, name): statistics.fmean(known) for name, known in measures.items() if known}
        if sampled:
            values[server, "core_hours"] = sum(row[3] or 0 for row in days) / sampled

    def kind(server: str) -> tuple[int, int | None]:
        memory = servers[server]["memory"]
        return servers[server]["egg_id"], next(
            2**step for step in range(9) if memory <= 1024 * 2**step
        ) if memory else None

    found = query(
        estate,
        "select server_uuid::text, measure, measured, peers_counted, median_ratio, reason from marts.fct_server_peers",
    )
    assert len(found) == 3 * len(servers)
    for server, measure, measured, peers, ratio, reason in found:
        alike = [
            values[other, measure] for other in servers if kind(other) == kind(server) and (other, measure) in values
        ]
        assert peers == len(alike)
        assert measured == (pytest.approx(values[server, measure]) if (server, measure) in values else None)
        if reason is None:
            assert len(alike) >= 5
            assert ratio == pytest.approx(values[server, measure] / statistics.median(alike))
        else:
            assert (reason == "too_few_peers") == (len(alike) < 5 and measured is not None)
    assert {row[5] for row in found} >= {None, "not_known", "too_few_peers"}


def test_eggs_and_versions_add_up_their_servers(estate: Platform, read: Read, stays: list[Stay]) -> None:
    servers = read.held("servers", ANCHOR + DAY)
    versions = dict(query(estate, "select server_uuid::text, game_version from marts.dim_server_software"))
    crashes = Counter(
        run.server_uuid
        for run in estate.simulation.truth.runs(ANCHOR)
        if run.end_reason == "crashed" and run.server_uuid in servers
    )
    players: dict[tuple[int, str], set[str]] = defaultdict(set)
    counts: Counter[tuple[int, str]] = Counter()
    crashed: Counter[tuple[int, str]] = Counter()
    for server, row in servers.items():
        key = (row["egg_id"], versions.get(server) or "unknown")
        counts[key] += 1
        crashed[key] += crashes[server]
        players[key] |= {stay.player for stay in stays if stay.server == server and not stay.is_proxy}
    found = query(
        estate,
        "select egg_id, game_version, servers_active, distinct_players, runs_crashed from marts.fct_egg_versions",
    )
    assert {row[:2]: row[2] for row in found} == counts
    for egg, version, _, distinct, of_runs in found:
        if distinct is not None:
            assert distinct == len(players[egg, version]), (egg, version)
            # who was killed before the newest start has crashed for the world, and for a log not yet
            assert of_runs <= crashed[egg, version], (egg, version)
    assert sum(row[3] or 0 for row in found) > 50
    assert sum(row[4] or 0 for row in found) > 0.8 * sum(crashed.values()) > 5
