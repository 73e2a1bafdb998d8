"""What the marts say of owners, empty hours and peers is what the simulated world says, counted here in Python."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.end_to_end.conftest import ANCHOR
from tests.end_to_end.slow.readings import DAY, HOUR, Hour, Read
from tests.end_to_end.slow.stays import Stay, hour_of, query
from tests.harness import Platform

pytestmark = [pytest.mark.postgres]


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
        hour = hour_of(stay.since, stay.zone)
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
    assert {row[11] for row in rows} == {None, False, True}, "somebody's only server goes in the world"
    players: dict[tuple[int, str, date], set[str]] = defaultdict(set)
    seconds: dict[tuple[int, str, date], float] = defaultdict(float)
    whose = owner_on(owned, read)
    for stay in stays:
        if stay.is_proxy or stay.server not in whose:
            continue
        for day, part in stay.days():
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
    assert any(row[4] is not None for row in found), "and somebody's last one"


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
