"""What the marts say of what servers need is what the simulated world says, counted here in Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pteroassets.simulator.true_rows import Sample, ServerVersion, TrueSession
from pteroassets.simulator.world.chance import utc
from tests.end_to_end.conftest import ANCHOR
from tests.end_to_end.slow.stays import query
from tests.harness import Platform
from tests.right_sizing import DAYS, Used, figures, percentile, why_not

pytestmark = [pytest.mark.postgres]

MIB = 1048576
READ_EVERY = timedelta(hours=12)
ASLEEP = 14
DISK = 2


@pytest.fixture(scope="module")
def read_versions(estate: Platform) -> dict[str, list[tuple[datetime, ServerVersion]]]:
    """How each server stood at each reading of the panel at which it was there."""
    found: dict[str, list[tuple[datetime, ServerVersion]]] = defaultdict(list)
    at = estate.simulation.world.start
    while at <= ANCHOR:
        for version in estate.simulation.truth.server_versions(at):
            if version.valid_to is None:
                found[version.server_uuid].append((at, version))
        at += READ_EVERY
    return found


@pytest.fixture(scope="module")
def made_at(estate: Platform) -> dict[str, datetime]:
    truth = estate.simulation.truth
    return {row["uuid"]: row["created_at"] for of in (truth.entities, truth.deleted) for row in of(ANCHOR)["servers"]}


@pytest.fixture(scope="module")
def used(
    estate: Platform,
    read_versions: dict[str, list[tuple[datetime, ServerVersion]]],
    made_at: dict[str, datetime],
) -> dict[str, Used]:
    """What each server truly used in its window, at the times at which it was asked."""
    truth = estate.simulation.truth
    rows = query(estate, "select server_uuid::text, pass_at, sampled_at from raw_pterodactyl.utilization_samples")
    until = max(pass_at for _, pass_at, _ in rows)
    found = {}
    for server, versions in read_versions.items():
        since, limits = made_at[server], None
        for at, version in versions:
            if limits not in (None, (version.memory, version.cpu, version.disk)):
                since = at
            limits = (version.memory, version.cpu, version.disk)
        found[server] = Used(since=max(since, until - timedelta(days=DAYS)), until=until)
    for server, pass_at, sampled_at in rows:
        sample = truth.sample(server, sampled_at)
        if pass_at < found[server].since or sample.outcome not in ("ok", "offline"):
            continue
        is_fault = sample.state == "running" and sample.memory_bytes == 0
        if sample.outcome == "ok" and not is_fault:
            assert sample.cpu_percent is not None
            assert sample.memory_bytes is not None
            found[server].ran.append((pass_at, sample.cpu_percent, sample.memory_bytes / MIB))
        if not is_fault:
            assert sample.disk_bytes is not None
            found[server].disk.append(sample.disk_bytes / MIB)
    return found


def test_what_a_recommendation_rests_on_equals_the_truth(estate: Platform, used: dict[str, Used]) -> None:
    truth = estate.simulation.truth
    status = {row["uuid"]: row["status"] for row in truth.entities(ANCHOR)["servers"]}
    found = {
        row[0]: row[1:]
        for row in query(
            estate,
            "select server_uuid::text, evidence_from, evidence_until, memory_peak_at, days_measured, cpu_samples, "
            "cpu_percent_p95, cpu_percent_p99, cpu_percent_max, memory_samples, memory_mebibytes_p95, "
            "memory_mebibytes_p99, memory_mebibytes_max, disk_samples, disk_mebibytes_p95, disk_mebibytes_p99, "
            "disk_mebibytes_max from marts.fct_right_sizing",
        )
    }
    assert found.keys() == used.keys()
    for server, of_server in used.items():
        assert found[server][:4] == (of_server.since, of_server.until, of_server.peak_at, len(of_server.days)), server
        expected = [*figures(of_server.cpu), *figures(of_server.memory), *figures(of_server.disk)]
        assert [*found[server][4:]] == [each and pytest.approx(each) for each in expected], server
    assert sum(of_server.since > of_server.until - timedelta(days=DAYS) for of_server in used.values()) > 3
    reasons = query(
        estate,
        "select server_uuid::text, coverage_ratio, memory_reason, memory_recommended_mebibytes "
        "from marts.fct_right_sizing inner join marts.dim_servers using (server_uuid)",
    )
    told = Counter()  # type: ignore[var-annotated]
    for server, coverage, reason, recommended in reasons:
        is_there = server in status
        assert reason == why_not(
            used[server], coverage, is_there=is_there, is_suspended=is_there and status[server] == "suspended"
        ), server
        assert recommended is None
        told[reason] += 1
    # a pass of half an hour each six hours is a twelfth of the time: too little for a recommendation
    assert told.keys() == {"gone", "suspended", "history_too_short", "thinly_sampled"}


def local_day(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def test_who_sleeps_equals_the_truth(
    estate: Platform, true_sessions: dict[tuple[str, str, datetime], TrueSession]
) -> None:
    truth = estate.simulation.truth
    rows = query(
        estate,
        "select server_uuid::text, sleep_kind, reason, days_off, last_ran_date, days_empty, last_played_at, "
        "logs_known_from, logs_known_until, allocations_total, sleeping.memory_limit_mebibytes, is_suspended, "
        "timezone from marts.fct_sleeping_servers as sleeping inner join marts.dim_servers using (server_uuid)",
    )
    there = {row["uuid"]: row for row in truth.entities(ANCHOR - READ_EVERY)["servers"]}
    assert {row[0] for row in rows} >= {server["uuid"] for server in truth.entities(ANCHOR)["servers"]}
    played: dict[str, list[TrueSession]] = defaultdict(list)
    for session in true_sessions.values():
        played[session.server_uuid].append(session)
    ran: dict[str, list[tuple[date, bool]]] = defaultdict(list)
    zones = {row[0]: row[-1] for row in rows}
    asked = query(estate, "select server_uuid::text, pass_at, sampled_at from raw_pterodactyl.utilization_samples")
    for server, pass_at, sampled_at in asked:
        sample = truth.sample(server, sampled_at)
        is_fault = sample.state == "running" and sample.memory_bytes == 0
        if server in zones and sample.outcome in ("ok", "offline") and not is_fault:
            # a sample stands for half an hour, which may reach into the next day
            ends_at = pass_at + estate.interval - timedelta(microseconds=1)
            for day in {local_day(pass_at, zones[server]), local_day(ends_at, zones[server])}:
                ran[server].append((day, sample.state == "running"))
    newest = max(row[8] for row in rows if row[8] is not None)
    kinds: Counter[str | None] = Counter()
    for (
        server, kind, reason, days_off, last_ran, days_empty, last_played_at, known_from, known_until, allocations,
        memory, is_suspended, _,
    ) in rows:  # fmt: skip
        last = max((day for day, is_on in ran[server] if is_on), default=None)
        assert last_ran == last, server
        off = {day for day, _ in ran[server] if last is None or day > last}
        assert days_off == (len(off) if ran[server] else None), server
        ends = [session.left_at or known_until for session in played[server]]
        observed = [session.left_at for session in played[server] if session.is_end_observed]
        if ends:
            # an inferred end counts at its lower bound
            assert max(observed, default=last_played_at) <= last_played_at <= max(ends), server
        else:
            assert last_played_at is None, server
        if known_until is None:
            assert days_empty is None, server
        else:
            assert days_empty == pytest.approx((known_until - (last_played_at or known_from)) / timedelta(days=1))
        if is_suspended:
            expected = (None, "suspended")
        elif len(off) >= ASLEEP:
            expected = ("off", None)
        elif known_until is None:
            expected = (None, "log_unknown")
        elif known_until < newest - timedelta(days=2):
            expected = (None, "log_ends_before")
        elif days_empty >= ASLEEP:
            expected = ("empty", None)
        else:
            expected = (None, None if ends else "history_too_short")
        assert (kind, reason) == expected, server
        if server in there:
            assert (allocations, memory) == (len(there[server]["allocation_ids"]), there[server]["memory"] or None)
        kinds[kind] += 1
    asleep = truth.troubles(ANCHOR).asleep
    assert asleep
    assert {row[0] for row in rows if row[1] == "off"} == asleep


def test_what_a_lost_disk_would_cost_equals_the_truth(
    estate: Platform,
    true_sessions: dict[tuple[str, str, datetime], TrueSession],
    made_at: dict[str, datetime],
) -> None:
    truth = estate.simulation.truth
    rows = query(
        estate,
        "select server_uuid::text, read_at, recovery_point_at, recovery_point_age_hours, reason, sessions_since, "
        "player_hours_since, play_known_ratio, play_reason, logs_known_from, logs_known_until "
        "from marts.fct_recovery_points left join intermediate.int_minecraft__known_logs using (server_uuid)",
    )
    until = {
        (server, name, joined_at): counted_until
        for server, name, joined_at, counted_until in query(
            estate, "select server_uuid::text, player_name, joined_at, counted_until from marts.fct_player_sessions"
        )
    }
    going = {
        key
        for (key,) in query(
            estate,
            "select key from raw_pterodactyl.backups where valid_to is null and is_active "
            "and missing_since is not null",
        )
    }
    read = {
        server
        for (server,) in query(
            estate,
            "select server_uuid::text from raw_pterodactyl.list_reads "
            "where list_name = 'backups' and read_at is not null",
        )
    }
    told: Counter[tuple[str | None, str | None]] = Counter()
    for (
        server, read_at, point_at, age, reason, sessions, hours, known_ratio, play_reason, known_from, known_until,
    ) in rows:  # fmt: skip
        told[reason, play_reason] += 1
        if reason == "list_unread":
            assert (read_at, point_at, age, sessions, hours) == (None,) * 5, server
            assert server not in read
            continue
        listed = truth.backups(read_at).get(server, [])
        good = [utc(row.created_at) for row in listed if row.is_successful and row.uuid not in going]
        assert point_at == max(good, default=None), server
        since = point_at or made_at[server]
        if point_at is not None:
            assert age == pytest.approx((read_at - point_at) / timedelta(hours=1)), server
        if known_until is None:
            assert (play_reason, hours) == ("log_unknown", None), server
            continue
        known = min(read_at, known_until) - max(since, known_from)
        assert known_ratio == pytest.approx(known / (read_at - since)), server
        parts = [
            min(end, read_at) - max(true.joined_at, since)
            for key, true in true_sessions.items()
            if key[0] == server
            # of an inferred end the marts count the lower bound, of which test_truth says that it is one
            and (end := true.left_at if true.is_end_observed and true.left_at else until[key]) > since
            and true.joined_at < read_at
        ]
        assert sessions == len(parts), server
        assert hours == pytest.approx(sum(parts, timedelta()) / timedelta(hours=1)), server
    assert {reason for reason, _ in told} == {None, "no_good_backup", "list_unread"}
    assert told[None, None] > 50


@pytest.fixture(scope="module")
def answers(estate: Platform) -> list[tuple[str, datetime, Sample, bool]]:
    """Each sample that was taken, with the time of its pass, as it truly was, and whether it is a fault."""
    rows = query(estate, "select server_uuid::text, pass_at, sampled_at from raw_pterodactyl.utilization_samples")
    found = []
    for server, pass_at, sampled_at in rows:
        sample = estate.simulation.truth.sample(server, sampled_at)
        found.append((server, pass_at, sample, sample.state == "running" and sample.memory_bytes == 0))
    return found


def test_the_use_of_the_limits_of_the_time_equals_the_truth(
    estate: Platform,
    answers: list[tuple[str, datetime, Sample, bool]],
    read_versions: dict[str, list[tuple[datetime, ServerVersion]]],
) -> None:
    known = {
        server: (zone, gone_at)
        for server, zone, gone_at in query(
            estate, "select server_uuid::text, timezone, deleted_at from marts.dim_servers"
        )
    }
    ratios: dict[tuple[str, date], tuple[list[float], list[float], list[float]]] = {}
    outcomes: dict[tuple[str, date], Counter[str]] = defaultdict(Counter)
    for server, pass_at, sample, is_fault in answers:
        zone, gone_at = known[server]
        if gone_at is not None and pass_at >= gone_at:
            continue
        key = (server, local_day(pass_at, zone))
        of_day = ratios.setdefault(key, ([], [], []))
        outcomes[key]["fault" if is_fault else sample.outcome] += 1
        if is_fault or sample.outcome not in ("ok", "offline"):
            continue
        versions = read_versions[server]
        # the limits that were read last, or first if that was later
        limits = next((each for at, each in reversed(versions) if at <= pass_at), versions[0][1])
        assert sample.disk_bytes is not None
        if limits.disk:
            of_day[2].append(sample.disk_bytes / MIB / limits.disk)
        if sample.outcome == "ok":
            assert sample.cpu_percent is not None
            assert sample.memory_bytes is not None
            if limits.cpu:
                of_day[0].append(sample.cpu_percent / limits.cpu)
            if limits.memory:
                of_day[1].append(sample.memory_bytes / MIB / limits.memory)
    columns = ", ".join(
        f"{name}_samples, {name}_limit_ratio_p50, {name}_limit_ratio_p95, {name}_limit_ratio_p99, {name}_reason"
        for name in ("cpu", "memory", "disk")
    )
    found = {
        row[:2]: row[2:]
        for row in query(
            estate, f"select server_uuid::text, local_date, {columns} from marts.fct_limit_utilization_daily"
        )
    }
    assert found.keys() == ratios.keys()
    reasons: Counter[str | None] = Counter()
    for key, of_day in ratios.items():
        expected: list[Any] = []
        for place, values in enumerate(of_day):
            reason = None
            if not values:
                reason = (
                    "unlimited" if outcomes[key]["ok"] else "offline" if outcomes[key]["offline"] else "not_measured"
                )
                if place == DISK and reason == "offline":
                    reason = "unlimited"
            shares = [pytest.approx(percentile(values, share)) if values else None for share in (0.5, 0.95, 0.99)]
            expected += [len(values), *shares, reason]
            reasons[reason] += 1
        assert [*found[key]] == expected, key
    assert reasons.keys() == {None, "unlimited", "offline", "not_measured"}
    # the day's own figure of memory is the same one
    assert query(
        estate,
        "select count(*), bool_and(abs(memory_limit_ratio_p95 - memory_p95_limit_ratio) < 0.000001) "
        "from marts.fct_limit_utilization_daily inner join marts.fct_server_daily using (server_uuid, local_date) "
        "where memory_reason is null",
    ) == [(sum(bool(of_day[1]) for of_day in ratios.values()), True)]


def test_what_an_hour_of_play_costs_equals_the_truth(
    estate: Platform,
    answers: list[tuple[str, datetime, Sample, bool]],
    true_sessions: dict[tuple[str, str, datetime], TrueSession],
) -> None:
    known = {
        server: (since, until)
        for server, since, until in query(
            estate,
            "select server_uuid::text, logs_known_from, logs_known_until from intermediate.int_minecraft__known_logs",
        )
    }
    zones = dict(query(estate, "select server_uuid::text, timezone from marts.dim_servers"))
    until = {
        (server, name, joined_at): counted_until
        for server, name, joined_at, counted_until in query(
            estate, "select server_uuid::text, player_name, joined_at, counted_until from marts.fct_player_sessions"
        )
    }
    stays: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for key, true in true_sessions.items():
        is_certain = true.is_end_observed and true.left_at is not None
        stays[key[0]].append((true.joined_at, true.left_at if is_certain and true.left_at else until[key]))
    hour = timedelta(hours=1)
    days: dict[tuple[str, date], list[float]] = defaultdict(lambda: [0.0] * 7)
    passes = sorted({pass_at for _, pass_at, _, _ in answers})
    assert all(at.minute == 0 or at.minute + 30 <= 60 for at in passes), "half an hour lies in one hour of the clock"
    for server, pass_at, sample, is_fault in answers:
        if is_fault or sample.outcome not in ("ok", "offline"):
            continue
        at = pass_at.replace(minute=0, second=0, microsecond=0)
        hours = estate.interval / hour
        of_day = days[server, local_day(at, zones[server])]
        of_day[0] += hours
        since, last = known.get(server, (None, None))
        if since is None or last is None or since > at or last < at + hour:
            continue
        parts = [(begin, end) for begin, end in stays[server] if begin < at + hour and (end > at or begin == end >= at)]
        runs = hours if sample.state == "running" else 0
        cpu, memory = (sample.cpu_percent or 0) * runs * 60 / 100, (sample.memory_bytes or 0) / MIB / 1024 * runs
        of_day[1] += hours
        of_day[2] += sum((min(end, at + hour) - max(begin, at)) / hour for begin, end in parts) * hours
        of_day[3] += cpu
        of_day[4] += memory
        of_day[5] += 0 if parts else cpu
        of_day[6] += 0 if parts else memory
    found = {
        row[:2]: row[2:]
        for row in query(
            estate,
            "select server_uuid::text, local_date, hours_sampled, hours_compared, player_hours, cpu_core_minutes, "
            "memory_gibibyte_hours, cpu_core_minutes_empty, memory_gibibyte_hours_empty, "
            "cpu_core_minutes_per_player_hour, memory_gibibyte_hours_per_player_hour, reason "
            "from marts.fct_player_hour_costs",
        )
    }
    assert found.keys() == days.keys()
    reasons: Counter[str | None] = Counter()
    for day, figures_of_day in days.items():
        sampled, compared, played, cpu, memory, *empty = figures_of_day
        if not compared:
            expected: list[Any] = [sampled, 0, *[None] * 7, "log_unknown"]
        else:
            costs = [cpu / played, memory / played] if played else [None, None]
            expected = [sampled, compared, played, cpu, memory, *empty, *costs, None if played else "nobody_played"]
        assert [*found[day][:-1]] == [each and pytest.approx(each) for each in expected[:-1]], day
        assert found[day][-1] == expected[-1], day
        reasons[expected[-1]] += 1
    assert min(reasons[None], reasons["nobody_played"], reasons["log_unknown"]) > 10
