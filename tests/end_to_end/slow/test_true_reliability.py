"""What the marts say of stops and reliability is what the simulated world says, counted here in Python."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.end_to_end.conftest import ANCHOR
from tests.end_to_end.slow.stays import query
from tests.harness import Platform

pytestmark = [pytest.mark.postgres]

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class End:
    """The end of a run; what nobody saw lies between *earliest* and *latest*."""

    server: str
    started_at: datetime | None
    earliest: datetime
    latest: datetime | None
    reason: str
    cause: str | None
    zone: ZoneInfo

    @property
    def wall_clock(self) -> datetime:
        return self.earliest.astimezone(self.zone).replace(tzinfo=None)

    @property
    def is_killed(self) -> bool:
        return self.reason == "crashed" and self.cause is None

    @property
    def searched_until(self) -> datetime:
        return min(self.latest or self.earliest, self.earliest + timedelta(hours=1))


@pytest.fixture(scope="module")
def runs(estate: Platform) -> list[tuple[Any, ...]]:
    """The runs as the log shows them, of which test_truth says that they are the true ones."""
    return query(
        estate,
        "select server_uuid::text, started_at, coalesce(ended_at, ended_at_lower), coalesce(ended_at, ended_at_upper), "
        "end_reason, crash_cause, startup_seconds, run_key from derived_minecraft.server_runs",
    )


@pytest.fixture(scope="module")
def ends(estate: Platform, runs: list[tuple[Any, ...]]) -> dict[tuple[str, str], End]:
    zones = estate.simulation.log_timezones
    return {
        (server, key): End(
            server=server, started_at=start, earliest=earliest, latest=latest, reason=reason, cause=cause,
            zone=ZoneInfo(zones[server]),
        )
        for server, start, earliest, latest, reason, cause, _, key in runs
        if reason is not None and earliest is not None
    }  # fmt: skip


@pytest.fixture(scope="module")
def told(estate: Platform, ends: dict[tuple[str, str], End]) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    """The kind of each stop and what tells it, from the panel's lists and the times of day."""
    schedules = estate.simulation.truth.schedules(ANCHOR)
    acts = defaultdict(list)
    for server, at, event in query(
        estate,
        "select server_uuid::text, occurred_at, event from raw_pterodactyl.activity "
        "where event like 'server:power.%' and record -> 'relationships' -> 'actor' ->> 'object' = 'user'",
    ):
        acts[server].append((at, event.removeprefix("server:power.")))
    days_known = days_of_known_logs(estate)
    by_server = defaultdict(list)
    for end in ends.values():
        if end.reason == "stopped":
            by_server[end.server].append(end.wall_clock)
    found: dict[tuple[str, str], tuple[str | None, str | None]] = {}
    for key, end in ends.items():
        # a run that was killed without a word is one of a task or a person only where that kills
        signals = {"stop", "restart", "kill"} if end.reason == "stopped" else {"kill"} if end.is_killed else set()
        if any(
            is_due(end, schedule.hour, schedule.minute, sum(task.offset for task in schedule.tasks[:number]))
            for schedule in schedules.get(end.server, [])
            for number, task in enumerate(schedule.tasks, start=1)
            if schedule.is_active and task.action == "power" and task.payload in signals
            and schedule.created_at <= end.earliest.timestamp()
        ):  # fmt: skip
            found[key] = ("planned", "schedule")
        elif end.reason == "stopped" and is_usual(end, by_server[end.server], days_known[end.server]):
            found[key] = ("planned", "usual_time")
        elif any(
            end.earliest - 5 * MINUTE <= at <= end.searched_until + timedelta(seconds=10)
            and signal in (signals | {"stop"} if end.is_killed else signals)
            for at, signal in acts[end.server]
        ):
            found[key] = ("operator", "activity")
        else:
            found[key] = ("crash", "log") if end.reason == "crashed" else (None, None)
    return found


def is_due(end: End, hour: int, minute: int, offset: int) -> bool:
    """Return whether the simulated panel, whose clock is UTC, began the schedule before the server stopped."""
    for days in (-1, 0, 1):
        begin = datetime.combine(end.earliest.date() + days * DAY, time(hour, minute), UTC)
        if end.earliest - timedelta(seconds=offset) - 5 * MINUTE <= begin <= end.searched_until + timedelta(seconds=30):
            return True
    return False


def is_usual(end: End, others: list[datetime], days_known: set[date]) -> bool:
    days = set()
    for number in range(-7, 8):
        at = end.wall_clock + number * DAY
        if any(abs(other - at) <= 5 * MINUTE for other in others):
            days.add(number)
    known = sum(end.wall_clock.date() + number * DAY in days_known for number in range(-7, 8))
    return len(days) >= 3 and 2 * len(days) > known


def days_of_known_logs(estate: Platform) -> dict[str, set[date]]:
    found: dict[str, set[date]] = defaultdict(set)
    for server, since, until in query(
        estate,
        "select server_uuid::text, logs_known_from, logs_known_until from intermediate.int_minecraft__known_logs "
        "where logs_known_from < logs_known_until",
    ):
        zone = ZoneInfo(estate.simulation.log_timezones[server])
        day, last = since.astimezone(zone).date(), (until - timedelta(microseconds=1)).astimezone(zone).date()
        while day <= last:
            found[server].add(day)
            day += DAY
    return found


def test_each_stop_is_of_the_kind_that_the_panel_and_the_time_of_day_tell(
    estate: Platform,
    ends: dict[tuple[str, str], End],
    told: dict[tuple[str, str], tuple[str | None, str | None]],
) -> None:
    rows = query(
        estate,
        "select stops.server_uuid::text, runs.run_key, stops.kind, stops.told_by, stops.stopped_at, stops.local_date, "
        "stops.reason, stops.is_outage from marts.fct_server_stops as stops "
        "inner join marts.fct_server_runs as runs using (run_id)",
    )
    found = {row[:2]: row[2:] for row in rows}
    assert found.keys() == ends.keys()
    days_known = days_of_known_logs(estate)
    with_schedules = {
        server
        for (server,) in query(
            estate,
            "select server_uuid::text from raw_pterodactyl.list_reads "
            "where list_name = 'schedules' and read_at is not null",
        )
    }
    for key, end in ends.items():
        kind, told_by, stopped_at, local_date, reason, is_outage = found[key]
        assert (kind, told_by) == told[key], (end, told[key])
        assert (stopped_at, local_date) == (end.earliest, end.wall_clock.date())
        assert (reason is None) == (kind is not None)
        # of a stop in order that nothing tells, it is known where a plan would show
        days = sum(end.wall_clock.date() + number * DAY in days_known[end.server] for number in range(-7, 8))
        would_show = end.reason == "stopped" and end.server in with_schedules and days >= 7
        assert is_outage is (kind != "planned" if kind is not None or would_show else None), end
    counts = Counter(told.values())
    assert min(counts["planned", "schedule"], counts["planned", "usual_time"], counts["crash", "log"]) > 50, counts


def test_a_nightly_restart_is_planned_before_and_after_the_clocks_change(
    estate: Platform, told: dict[tuple[str, str], tuple[str | None, str | None]], ends: dict[tuple[str, str], End]
) -> None:
    """A server with a nightly restart is stopped at one time of its own clock, which moves against UTC."""
    nightly = {
        server
        for server, rows in estate.simulation.truth.schedules(ANCHOR).items()
        if any(row.name == "Nightly restart" for row in rows)
    }
    at_night: dict[str, list[tuple[End, str | None]]] = defaultdict(list)
    for key, end in ends.items():
        if end.server in nightly and end.reason == "stopped" and str(end.zone) == "Europe/Berlin":
            clock = end.wall_clock
            if (clock.hour, clock.minute) == (4, 0):
                at_night[end.server].append((end, told[key][0]))
    # one that fell out often, for crashes, is no usual one
    of_most_nights = [pair for found in at_night.values() if len(found) > 7 for pair in found]
    offsets = {end.earliest.astimezone(end.zone).utcoffset() for end, _ in of_most_nights}
    assert offsets == {timedelta(hours=1), timedelta(hours=2)}, "the world has restarts on both sides of the change"
    assert {kind for _, kind in of_most_nights} == {"planned"}


def test_weeks_of_servers_equal_the_truth(
    estate: Platform,
    runs: list[tuple[Any, ...]],
    ends: dict[tuple[str, str], End],
    told: dict[tuple[str, str], tuple[str | None, str | None]],
) -> None:
    zones = estate.simulation.log_timezones
    last_lines = dict(
        query(estate, "select server_uuid::text, max(last_line_at) from raw_minecraft.log_files group by 1")
    )
    hours: dict[tuple[str, date], float] = defaultdict(float)
    startups: dict[tuple[str, date], list[float]] = defaultdict(list)
    starts: Counter[tuple[str, date]] = Counter()
    for server, start, earliest, _, reason, _, seconds, _ in runs:
        if start is None:
            continue
        zone = ZoneInfo(zones[server])
        starts[server, _monday(start, zone)] += 1
        if seconds is not None:
            startups[server, _monday(start, zone)].append(seconds)
        shown = [at for at in (earliest, None if reason is not None else last_lines[server]) if at is not None]
        until = max(start, *shown)
        at = start
        while at < until:
            monday = _monday(at, zone)
            after = datetime.combine(monday + 7 * DAY, time(), zone).astimezone(UTC)
            hours[server, monday] += (min(after, until) - at).total_seconds() / 3600
            at = after
    kinds: dict[tuple[str, date], Counter[str | None]] = defaultdict(Counter)
    for key, end in ends.items():
        kinds[end.server, _monday(end.earliest, end.zone)][told[key][0]] += 1
    known = {(server, day - day.weekday() * DAY) for server, days in days_of_known_logs(estate).items() for day in days}
    rows = query(
        estate,
        "select server_uuid::text, period_start, run_hours, starts, stops_planned, stops_operator, crashes, "
        "stops_unknown, hours_between_crashes, startup_seconds_median, startup_seconds_p90 "
        "from marts.fct_server_reliability where grain = 'week'",
    )
    for server, monday, run_hours, started, *counted, between, median, p90 in rows:
        week: tuple[str, date] = (server, monday)
        if week not in known:
            assert (run_hours, started, *counted, between) == (None,) * 7, week
            continue
        assert run_hours == pytest.approx(hours[week]), week
        assert started == starts[week], week
        assert counted == [kinds[week][kind] for kind in ("planned", "operator", "crash", None)], week
        crashes = kinds[week]["crash"]
        assert between == (pytest.approx(hours[week] / crashes) if crashes and week in hours else None), week
        seconds = sorted(startups[week])
        assert median == (pytest.approx(statistics.median(seconds)) if seconds else None), week
        assert p90 == (pytest.approx(_interpolated(seconds, 0.9)) if seconds else None), week
    assert {row[:2] for row in rows} >= known
    assert sum(row[8] is not None for row in rows) > 30


def _monday(at: datetime, zone: ZoneInfo) -> date:
    day = at.astimezone(zone).date()
    return day - day.weekday() * DAY


def _interpolated(ordered: list[float], part: float) -> float:
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
