"""What the marts say of what servers need is what the simulated world says, counted here in Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pteroassets.simulator.true_rows import ServerVersion, TrueSession
from pteroassets.simulator.world.chance import utc
from pteroassets.warehouse.connection import connect
from tests.end_to_end.conftest import ANCHOR
from tests.harness import Platform
from tests.right_sizing import DAYS, Used, figures, why_not

pytestmark = [pytest.mark.postgres]

MIB = 1048576
READ_EVERY = timedelta(hours=12)
ASLEEP = 14


def query(platform: Platform, text: str) -> list[tuple[Any, ...]]:
    with connect(platform.settings, autocommit=True) as connection:
        return connection.execute(text).fetchall()


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
