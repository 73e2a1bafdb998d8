"""What the marts say of changes and of who came back after trouble is what the simulated world says, counted here."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pteroassets.simulator.true_rows import ServerVersion
from tests.end_to_end.conftest import ANCHOR
from tests.end_to_end.slow.stays import query
from tests.harness import Platform
from tests.player_days import wilson

pytestmark = [pytest.mark.postgres]

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture(scope="module")
def changes(estate: Platform) -> list[tuple[Any, ...]]:
    return query(
        estate,
        "select server_uuid::text, kind, before_value, after_value, happened_after, happened_before, is_time_exact, "
        "local_date, changed_at, detail from marts.fct_changes",
    )


def names(version: ServerVersion, known: dict[str, dict[int, str]]) -> dict[str, str]:
    return {
        "memory_limit": f"{version.memory} MiB" if version.memory else "without limit",
        "disk_limit": f"{version.disk} MiB" if version.disk else "without limit",
        "cpu_limit": f"{version.cpu} %" if version.cpu else "without limit",
        "node": known["nodes"][version.node_id],
        "egg": known["eggs"][version.egg_id],
        "owner": known["users"][version.owner_id],
        "status": version.status or "normal",
    }


def test_each_change_of_a_record_lies_between_the_readings_that_tell_it(
    estate: Platform, changes: list[tuple[Any, ...]]
) -> None:
    truth = estate.simulation.truth
    rows, gone = truth.entities(ANCHOR), truth.deleted(ANCHOR)
    known = {
        "nodes": {row["id"]: row["name"] for row in rows["nodes"]},
        "eggs": {row["id"]: row["name"] for row in rows["eggs"]},
        "users": {row["id"]: row["username"] for row in [*gone["users"], *rows["users"]]},
    }
    reads = [at for (at,) in query(
        estate,
        "select observed_at from ops.loads where table_name = 'raw_pterodactyl.servers' and is_complete order by 1",
    )]  # fmt: skip
    versions: dict[str, list[ServerVersion]] = defaultdict(list)
    for version in truth.server_versions(ANCHOR):
        versions[version.server_uuid].append(version)
    expected = set()
    for server, of_server in versions.items():
        seen = [
            next(
                (one for one in of_server if one.valid_from <= at < (one.valid_to or datetime.max.replace(tzinfo=UTC))),
                None,
            )
            for at in reads
        ]
        for (at, old), (later, new) in pairwise(zip(reads, seen, strict=True)):
            if old is not None and new is not None:
                before, after = names(old, known), names(new, known)
                for kind in before:
                    if before[kind] != after[kind]:
                        words = {before[kind], after[kind]}
                        told = kind if kind != "status" else "suspension" if "suspended" in words else "install"
                        expected.add((server, told, before[kind], after[kind], at, later))
            elif old is not None:
                expected.add((server, "deleted", None, None, at, later))
    kinds = {
        "memory_limit",
        "disk_limit",
        "cpu_limit",
        "node",
        "egg",
        "owner",
        "suspension",
        "install",
        "status",
        "deleted",
    }
    assert {row[:6] for row in changes if row[1] in kinds} == expected
    assert not any(row[6] for row in changes if row[1] in kinds)
    counts = Counter(row[1] for row in expected)
    assert counts.keys() >= {"memory_limit", "suspension", "deleted"}, counts
    assert not any(row[3] for row in changes if row[1] == "image" and row[2] == row[3])


def test_each_change_of_software_and_each_end_of_a_run_is_a_change(
    estate: Platform, changes: list[tuple[Any, ...]]
) -> None:
    expected: Counter[tuple[Any, ...]] = Counter()
    last: dict[tuple[str, str], str] = {}
    for server, start, software, version in query(
        estate,
        "select server_uuid::text, started_at, software, game_version from derived_minecraft.server_runs "
        "where started_at is not null order by started_at",
    ):
        for kind, value in (("software", software), ("game_version", version)):
            if value is not None:
                if last.get((server, kind), value) != value:
                    expected[server, kind, last[server, kind], value, start] += 1
                last[server, kind] = value
    found = Counter((*row[:4], row[8]) for row in changes if row[1] in ("software", "game_version"))
    assert found == expected
    ends = query(
        estate,
        "select count(*), count(*) filter (where kind = 'crash'), count(*) filter (where is_restart and kind is "
        "distinct from 'crash') from marts.fct_server_stops",
    )
    of_log = Counter(row[1] for row in changes)
    assert (of_log["crash"] + of_log["restart"] + of_log["stop"], of_log["crash"], of_log["restart"]) == ends[0]
    made = {(row["uuid"], row["created_at"]) for row in estate.simulation.truth.entities(ANCHOR)["servers"]}
    assert {(row[0], row[8]) for row in changes if row[1] == "created"} >= made
    edits = query(estate, "select count(*) from raw_pterodactyl.activity where event like 'server:startup.%'")
    assert [(of_log["startup"],)] == edits


def test_the_weeks_beside_a_change_are_the_means_of_their_known_days(estate: Platform) -> None:
    days: dict[str, dict[date, dict[str, Any]]] = defaultdict(dict)
    columns = (
        "server_uuid", "local_date", "is_log_known", "distinct_players", "player_hours", "cpu_core_hours",
        "memory_p95_mebibytes", "uptime_hours", "minutes_sampled", "coverage_ratio",
    )  # fmt: skip
    for values in query(estate, f"select {', '.join(columns)} from marts.fct_server_daily"):
        row = dict(zip(columns, values, strict=True))
        days[str(row["server_uuid"])][row["local_date"]] = row
    crashes = Counter(
        query(estate, "select server_uuid::text, local_date from marts.fct_server_stops where kind = 'crash'")
    )
    ((last,),) = query(estate, "select max(observed_at) from ops.loads")
    reasons: Counter[str | None] = Counter()
    rows = query(
        estate,
        "select server_uuid::text, timezone, local_date, "
        + ", ".join(
            f"{name}_{side}"
            for side in ("before", "after")
            for name in (
                "players_per_day", "player_hours_per_day", "crashes_per_day", "log_days", "log_reason", "cpu_cores",
                "memory_p95_mebibytes", "uptime_ratio", "sample_days", "sample_reason",
            )
        )
        + " from marts.fct_changes",
    )  # fmt: skip
    for server, zone, day, *values in rows:
        today = last.astimezone(ZoneInfo(zone)).date()
        for side, found in (("before", values[:10]), ("after", values[10:])):
            numbers = range(-7, 0) if side == "before" else range(1, 8)
            week = [found_day for n in numbers if (found_day := days[server].get(day + n * DAY)) is not None]
            logged = [one for one in week if one["is_log_known"]]
            sampled = [one for one in week if (one["coverage_ratio"] or 0) >= 0.5]
            is_over = side == "before" or day + 7 * DAY < today
            assert (found[3], found[8]) == (len(logged), len(sampled))
            reasons.update([found[4], found[9]])
            if found[4] is None:
                assert is_over
                assert len(logged) >= 4
                assert found[:3] == [
                    pytest.approx(statistics.fmean(one["distinct_players"] for one in logged)),
                    pytest.approx(statistics.fmean(one["player_hours"] for one in logged)),
                    pytest.approx(statistics.fmean(crashes[server, one["local_date"]] for one in logged)),
                ], (server, day)
            else:
                assert not is_over or len(logged) < 4
                assert (found[4] == "too_recent") == (not is_over)
                assert found[:3] == [None, None, None]
            if found[9] is None:
                assert is_over
                assert len(sampled) >= 4
                hours = sum(one["minutes_sampled"] for one in sampled) / 60
                measured = [v for one in sampled if (v := one["memory_p95_mebibytes"]) is not None]
                assert found[5:8] == [
                    pytest.approx(sum(one["cpu_core_hours"] for one in sampled) / hours),
                    pytest.approx(statistics.fmean(measured)) if measured else None,
                    pytest.approx(sum(one["uptime_hours"] for one in sampled) / hours),
                ], (server, day)
            else:
                assert not is_over or len(sampled) < 4
                assert found[5:8] == [None, None, None]
    assert reasons[None] > 100, reasons
    assert reasons["too_recent"] > 100, reasons
    assert reasons["history_too_short"] > 10, reasons


def test_who_came_back_after_trouble_equals_the_count(estate: Platform) -> None:
    host = ZoneInfo(query(estate, "select timezone from intermediate.int_host_timezone")[0][0])
    zones = {server: ZoneInfo(zone) for server, zone in estate.simulation.log_timezones.items()}
    last_whole: dict[str, date] = {}
    ends = query(
        estate,
        "select server_uuid::text, logs_known_until from intermediate.int_minecraft__known_logs "
        "where logs_known_from < logs_known_until",
    )
    for server, until in ends:
        last_whole[server] = until.astimezone(zones[server]).date() - DAY
    last_whole["host"] = max(until for _, until in ends).astimezone(host).date() - DAY
    there: dict[tuple[str, str], set[date]] = defaultdict(set)
    for server, player, day in query(
        estate, "select server_uuid::text, player_id::text, local_date from marts.fct_player_daily"
    ):
        there[server, player].add(day)
    for player, since, until in query(
        estate,
        "select player_id::text, coalesce(counted_from, left_at), coalesce(counted_until, left_at) "
        "from marts.fct_network_sessions",
    ):
        day, end = since.astimezone(host).date(), max(since, until - timedelta(microseconds=1))
        while day <= end.astimezone(host).date():
            there["host", player].add(day)
            day += DAY
    limits = {
        (server, hour): (cpu, memory)
        for server, hour, cpu, memory in query(
            estate,
            "select server_uuid::text, hour_at, cpu_percent_p95, memory_mebibytes_p95 "
            "from marts.fct_utilization_hourly where samples_measured > 0",
        )
    }
    first: dict[tuple[str, str, date], tuple[Any, ...]] = {}
    for server, player, joined_at, until, reason in query(
        estate,
        "select server_uuid::text, player_id::text, joined_at, counted_until, close_reason "
        "from marts.fct_player_sessions where joined_at is not null and not is_proxy order by joined_at, session_id",
    ):
        for scope, zone in ((server, zones[server]), ("host", host)):
            day = joined_at.astimezone(zone).date()
            key = (scope, player, day - day.weekday() * DAY)
            first.setdefault(key, (day, server, joined_at, until, reason))
    validity = terms(estate)
    counts: dict[tuple[str, date, str, bool], list[int]] = defaultdict(lambda: [0, 0, 0])
    for (scope, player, monday), (day, server, joined_at, until, reason) in first.items():
        if scope not in last_whole:
            continue
        has_passed = last_whole[scope] >= day + 7 * DAY
        is_back = any(day + n * DAY in there[scope, player] for n in range(1, 8))
        met = {
            "crash": None if reason in (None, "log_gap") else reason == "server_crashed",
            "restart": None if reason in (None, "log_gap") else reason == "server_stopped",
            **at_limits(server, joined_at, until, limits, validity[server]),
        }
        for trouble, is_met in met.items():
            if is_met is not None:
                count = counts[scope, monday, trouble, is_met]
                count[0] += 1
                count[1] += has_passed
                count[2] += has_passed and is_back
    rows = query(
        estate,
        "select scope_key, period_start, trouble, is_met, visits_total, visits_counted, visits_returned, return_low, "
        "return_high, reason from marts.fct_return_after_trouble where grain = 'week'",
    )
    assert {row[:4] for row in rows} == counts.keys()
    seen: Counter[tuple[str, bool]] = Counter()
    for *key, total, counted, returned, low, high, reason in rows:
        expected = counts[tuple(key)]  # type: ignore[index]
        assert total == expected[0], key
        if reason is None:
            assert [counted, returned] == expected[1:], key
            assert (low, high) == pytest.approx(wilson(returned, counted))
            seen[key[2], key[3]] += counted
        else:
            assert expected[1] < expected[0], key
    assert seen["crash", True] > 10, seen
    assert seen["restart", True] > 10, seen
    assert seen["restart", False] > 100, seen
    whole = query(
        estate,
        "select trouble, is_met, sum(visits_counted)::int, sum(visits_returned)::int "
        "from marts.fct_return_after_trouble where grain = 'all' and scope = 'host' group by 1, 2",
    )
    for trouble, is_met, counted, returned in whole:
        weeks = [count for key, count in counts.items() if (key[0], *key[2:]) == ("host", trouble, is_met)]
        assert (counted, returned) == (sum(each[1] for each in weeks), sum(each[2] for each in weeks))


def terms(estate: Platform) -> dict[str, list[tuple[datetime, int, int]]]:
    """Return from when which limits of processor and memory were read of each server, oldest first; 0 is none."""
    found: dict[str, list[tuple[datetime, int, int]]] = defaultdict(list)
    for server, since, cpu, memory in query(
        estate,
        "select uuid::text, valid_from, (record -> 'limits' ->> 'cpu')::int, (record -> 'limits' ->> 'memory')::int "
        "from raw_pterodactyl.servers order by valid_from",
    ):
        # nothing older is known, so the first ones count from the beginning
        found[server].append((since if found[server] else datetime.min.replace(tzinfo=UTC), cpu, memory))
    return found


def at_limits(
    server: str,
    joined_at: datetime,
    until: datetime,
    hours: dict[tuple[str, datetime], tuple[float, float]],
    known: list[tuple[datetime, int, int]],
) -> dict[str, bool | None]:
    at = joined_at.replace(minute=0, second=0, microsecond=0)
    measured, met = [], [False, False]
    while at <= until:
        use = hours.get((server, at))
        measured.append(use is not None)
        if use is not None:
            limits = max((one for one in known if one[0] <= at), key=lambda one: one[0])[1:]
            met = [
                old or (limit > 0 and each >= 0.95 * limit) for old, each, limit in zip(met, use, limits, strict=True)
            ]
        at += HOUR
    return {
        name: True if is_met else False if all(measured) else None
        for name, is_met in zip(("cpu_limit", "memory_limit"), met, strict=True)
    }
