"""What the marts say of nodes and the host is what the simulated world says, counted here in Python."""

from __future__ import annotations

import math
import operator
import re
import statistics
from collections import Counter, defaultdict
from datetime import date, datetime

import pytest

from pteroassets.defs.dbt_project import DBT_PROJECT
from tests.end_to_end.conftest import ANCHOR
from tests.end_to_end.slow.readings import DAY, Hour, Read
from tests.end_to_end.slow.stays import query
from tests.harness import Platform

pytestmark = [pytest.mark.postgres]


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
