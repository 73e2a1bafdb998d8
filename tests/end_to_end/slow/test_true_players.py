"""What the marts say of players by day, hour and server is what the simulated world says, counted here in Python."""

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
from tests.end_to_end.slow.stays import Stay, cut, hour_of, midnight_after, query
from tests.harness import Platform
from tests.player_days import DAY, Scope, actives, retention, wilson

pytestmark = [pytest.mark.postgres]

MICROSECOND = timedelta(microseconds=1)


def test_players_days_equal_the_truth(estate: Platform, stays: list[Stay]) -> None:
    seconds: dict[tuple[str, str, date], float] = defaultdict(float)
    for stay in stays:
        for day, part in stay.days():
            seconds[stay.server, stay.player, day] += part
    first: dict[tuple[str, str], date] = {}
    for server, player, day in seconds:
        first[server, player] = min(day, first.get((server, player), day))
    found = {
        row[:3]: row[3:]
        for row in query(
            estate,
            "select server_uuid::text, player_id::text, local_date, play_seconds, is_first_day "
            "from marts.fct_player_daily",
        )
    }
    assert found.keys() == seconds.keys()
    for key, expected in seconds.items():
        assert found[key] == (pytest.approx(expected), key[2] == first[key[:2]]), key
    over_midnight = [stay for stay in stays if len([*stay.days()]) > 1]
    assert len(over_midnight) > 50
    clocks_go_back = [stay for stay in over_midnight if stay.since.astimezone(stay.zone).date() == date(2026, 10, 24)]
    assert clocks_go_back, "the world has players over the night when clocks change"


def test_hours_of_servers_equal_the_truth(estate: Platform, stays: list[Stay]) -> None:
    pieces: dict[tuple[str, datetime], list[tuple[datetime, datetime, Stay]]] = defaultdict(list)
    for stay in stays:
        for hour, since, until in stay.hours():
            pieces[stay.server, hour].append((since, until, stay))
    rows = query(
        estate,
        "select server_uuid::text, hour_at, distinct_players, player_seconds, occupied_seconds, joins, "
        "joins_into_empty, peak_concurrent_players, peak_at, seconds_known from marts.fct_players_hourly",
    )
    found = {row[:2]: row[2:-1] for row in rows}
    with_players = {key for key, row in found.items() if row[0] > 0}
    assert with_players == pieces.keys()
    into_empty = joins_into_empty(stays)
    for key, parts in pieces.items():
        peak, peak_at, occupied = concurrency([(since, until) for since, until, _ in parts])
        joins = [stay for since, _, stay in parts if since == stay.since]
        assert found[key] == (
            len({stay.player for _, _, stay in parts}),
            pytest.approx(sum((until - since).total_seconds() for since, until, _ in parts)),
            pytest.approx(occupied),
            len(joins),
            sum(id(stay) in into_empty for stay in joins),
            peak,
            peak_at,
        ), key
    assert max(row[5] for row in found.values()) > 5
    # nobody was there in the other hours, which are known all the same; the rest of the last day is not there
    assert all(known > 0 for *row, known in rows if tuple(row[:2]) not in pieces)
    assert {row for key, row in found.items() if key not in pieces} == {(0, 0, 0, 0, 0, 0, None)}


def concurrency(parts: list[tuple[datetime, datetime]]) -> tuple[int, datetime | None, float]:
    """Return the most at once, when that was first so, and for how many seconds somebody was there."""
    peak, peak_at = 0, None
    moments = sorted({at for part in parts for at in part})
    for at in moments:
        # who comes and goes within a second was there; who ends now is not there any more
        online = sum(since <= at < until or since == at == until for since, until in parts)
        if online > peak:
            peak, peak_at = online, at
    occupied = sum(
        (later - at).total_seconds()
        for at, later in pairwise(moments)
        if any(since <= at and later <= until for since, until in parts)
    )
    return peak, peak_at, occupied


def joins_into_empty(stays: list[Stay]) -> set[int]:
    """Return the ids of those that began while nobody else was on the server; of several at once, one."""
    alone: set[int] = set()
    by_server: dict[str, list[Stay]] = defaultdict(list)
    for stay in stays:
        by_server[stay.server].append(stay)
    for of_server in by_server.values():
        began: set[datetime] = set()
        for stay in of_server:
            others = (other for other in of_server if other is not stay)
            if stay.since not in began and not any(other.since < stay.since < other.until for other in others):
                alone.add(id(stay))
            began.add(stay.since)
    return alone


def test_every_hour_of_a_known_log_is_there_and_the_heat_map_adds_up(estate: Platform, stays: list[Stay]) -> None:
    known = {
        server: (since, until)
        for server, since, until in query(
            estate,
            "select server_uuid::text, logs_known_from, logs_known_until from intermediate.int_minecraft__known_logs "
            "where logs_known_from < logs_known_until",
        )
    }
    seconds: dict[tuple[str, int, int], float] = defaultdict(float)
    for stay in stays:
        for hour, since, until in stay.hours():
            local = hour.astimezone(stay.zone)
            seconds[stay.server, local.isoweekday(), local.hour] += (until - since).total_seconds()
    of_clock: dict[tuple[str, int, int], float] = defaultdict(float)
    for server, (since, until) in known.items():
        zone = ZoneInfo(estate.simulation.log_timezones[server])
        at = since
        while at < until:
            local, after = at.astimezone(zone), min(hour_of(at, zone) + timedelta(hours=1), until)
            of_clock[server, local.isoweekday(), local.hour] += (after - at).total_seconds()
            at = after
    found = {
        row[:3]: row[3:]
        for row in query(
            estate,
            "select server_uuid::text, local_weekday, local_hour, sum(player_seconds), sum(seconds_known) "
            "from marts.fct_players_hourly group by 1, 2, 3",
        )
    }
    for key, (with_players, of_known) in found.items():
        assert with_players == pytest.approx(seconds[key]), key
        assert of_known == pytest.approx(of_clock[key]), key
    assert of_clock.keys() <= found.keys()
    zones = {estate.simulation.log_timezones[server] for server, _, _ in seconds}
    assert {"Europe/Berlin"} < zones


def test_deaths_advancements_and_kicks_equal_the_truth(estate: Platform, stays: list[Stay]) -> None:
    expected: Counter[tuple[str, str, str]] = Counter()
    for stay in stays:
        key = (stay.server, stay.player)
        expected[*key, "death"] += stay.true.deaths
        expected[*key, "advancement"] += stay.true.advancements
        expected[*key, "kick"] += stay.true.close_reason == "kicked"
    of_events = query(
        estate,
        "select server_uuid::text, player_id::text, event_kind, count(*) from marts.fct_player_events group by 1, 2, 3",
    )
    assert {row[:3]: row[3] for row in of_events} == {key: count for key, count in expected.items() if count}
    for table in ("fct_player_daily", "fct_player_servers"):
        counts: Counter[tuple[str, str, str]] = Counter()
        for server, player, deaths, advancements, kicks in query(
            estate,
            "select server_uuid::text, player_id::text, sum(deaths)::int, sum(advancements)::int, sum(kicks)::int "
            f"from marts.{table} group by 1, 2",
        ):
            counts.update(
                {
                    (server, player, "death"): deaths,
                    (server, player, "advancement"): advancements,
                    (server, player, "kick"): kicks,
                }
            )
        assert +counts == +expected, table
    causes = query(
        estate,
        "select count(distinct cause), count(*) filter (where cause is null), count(killer) "
        "from marts.fct_player_events where event_kind = 'death'",
    )
    assert causes[0][0] > 5
    assert causes[0][1] == 0
    assert causes[0][2] > 100


def test_a_session_names_the_run_in_which_it_lies(estate: Platform, stays: list[Stay]) -> None:
    starts: dict[str, list[datetime]] = defaultdict(list)
    for run in estate.simulation.truth.runs(ANCHOR):
        starts[run.server_uuid].append(run.started_at)
    found = {
        row[:3]: row[3:]
        for row in query(
            estate,
            "select sessions.server_uuid::text, sessions.player_name, sessions.joined_at, runs.started_at "
            "from marts.fct_player_sessions as sessions left join marts.fct_server_runs as runs using (run_id)",
        )
    }
    unknown = 0
    for stay in stays:
        (started_at,) = found[stay.server, stay.true.player_name, stay.since]
        unknown += started_at is None
        # the run before the first known line has no start
        expected = max(at for at in starts[stay.server] if at <= stay.since)
        assert started_at in (expected, None), stay
    assert unknown < len(stays) / 5


def test_lengths_and_gaps_of_a_players_sessions_equal_the_truth(estate: Platform, stays: list[Stay]) -> None:
    of_pairs: dict[tuple[str, str], list[Stay]] = defaultdict(list)
    for stay in stays:
        of_pairs[stay.server, stay.player].append(stay)
    rows = query(
        estate,
        "select server_uuid::text, player_id::text, sessions_total, sessions_measured, play_hours, "
        "session_minutes_mean, session_minutes_median, first_session_minutes, hours_to_second_session, "
        "gap_hours_median from marts.fct_player_servers",
    )
    found = {row[:2]: row[2:] for row in rows}
    assert found.keys() == of_pairs.keys()
    for key, of_pair in of_pairs.items():
        of_pair.sort(key=lambda stay: stay.since)
        minutes = [(stay.until - stay.since).total_seconds() / 60 for stay in of_pair]
        closed = [each for each, stay in zip(minutes, of_pair, strict=True) if stay.true.left_at is not None]
        gaps = [
            (later.since - stay.until).total_seconds() / 3600
            for stay, later in pairwise(of_pair)
            if later.since >= stay.until
        ]
        assert found[key] == (
            len(of_pair),
            len(closed),
            pytest.approx(sum(minutes) / 60),
            pytest.approx(statistics.fmean(closed)) if closed else None,
            pytest.approx(statistics.median(closed)) if closed else None,
            pytest.approx(minutes[0]) if of_pair[0].true.left_at is not None else None,
            pytest.approx(gaps[0]) if gaps else None,
            pytest.approx(statistics.median(gaps)) if gaps else None,
        ), key
    assert sum(len(of_pair) > 5 for of_pair in of_pairs.values()) > 100


@pytest.fixture(scope="module")
def scopes(estate: Platform, stays: list[Stay]) -> dict[str, Scope]:
    """Each server by its UUID and the host, with who was there on which day."""
    made_at = {row["uuid"]: row["created_at"] for row in estate.simulation.truth.entities(ANCHOR)["servers"]}
    made_at |= {row["uuid"]: row["created_at"] for row in estate.simulation.truth.deleted(ANCHOR)["servers"]}
    host_zone = ZoneInfo(query(estate, "select timezone from intermediate.int_host_timezone")[0][0])
    seconds: dict[str, dict[str, dict[date, float]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(float)))
    for stay in stays:
        for day, part in stay.days():
            seconds[stay.server][stay.player][day] += part
        for at, _ in cut(stay, lambda at: midnight_after(at, host_zone)):
            # on how long it matters nothing here
            seconds["host"][stay.player][at.astimezone(host_zone).date()] = 0
    known = query(
        estate,
        "select server_uuid::text, logs_known_from, logs_known_until from intermediate.int_minecraft__known_logs "
        "where logs_known_from < logs_known_until",
    )
    spans = {
        server: (since, until, ZoneInfo(estate.simulation.log_timezones[server]), since <= made_at[server] + DAY)
        for server, since, until in known
    }
    spans["host"] = (
        min(span[0] for span in spans.values()),
        max(span[1] for span in spans.values()),
        host_zone,
        all(span[3] for span in spans.values()),
    )
    return {
        key: Scope(
            seconds=seconds[key],
            first=since.astimezone(zone).date(),
            first_whole=(since - MICROSECOND).astimezone(zone).date() + DAY,
            last=(until - MICROSECOND).astimezone(zone).date(),
            last_whole=until.astimezone(zone).date() - DAY,
            is_whole=is_whole,
        )
        for key, (since, until, zone, is_whole) in spans.items()
    }


def version_read(estate: Platform, server: str, at: datetime) -> ServerVersion:
    """Return how *server* stood when the panel was last read before *at*, or at first if that was later."""
    since, every = estate.simulation.world.start, timedelta(hours=12)
    read_at = since + (at - MICROSECOND - since) // every * every
    versions = _versions(estate)[server]
    return next((each for each in reversed(versions) if each.valid_from <= read_at), versions[0])


_VERSIONS: dict[str, list[ServerVersion]] = {}


def _versions(estate: Platform) -> dict[str, list[ServerVersion]]:
    if not _VERSIONS:
        for version in estate.simulation.truth.server_versions(ANCHOR):
            _VERSIONS.setdefault(version.server_uuid, []).append(version)
    return _VERSIONS


def test_actives_equal_the_truth(estate: Platform, scopes: dict[str, Scope]) -> None:
    found: dict[str, dict[date, tuple[Any, ...]]] = defaultdict(dict)
    for key, day, *figures in query(
        estate,
        "select scope_key, local_date, active_players_1d, active_players_7d, active_players_30d, new_players, "
        "returning_players, won_back_players, lapsed_players from marts.fct_active_players_daily",
    ):
        found[key][day] = tuple(figures)
    assert found.keys() == scopes.keys()
    for key, scope in scopes.items():
        assert found[key] == actives(scope), key
    assert sum(row[3] or 0 for row in found["host"].values()) > 20, "the world has newcomers"


def test_retention_equals_the_truth(estate: Platform, stays: list[Stay], scopes: dict[str, Scope]) -> None:
    eggs = {row["id"]: row["uuid"] for row in estate.simulation.truth.entities(ANCHOR)["eggs"]}
    runs = defaultdict(list)
    for run in estate.simulation.truth.runs(ANCHOR):
        runs[run.server_uuid].append(run)
    first_stays: dict[tuple[str, str], Stay] = {}
    for stay in sorted(stays, key=lambda stay: stay.since):
        first_stays.setdefault((stay.server, stay.player), stay)
    without_run = set(
        query(
            estate,
            "select server_uuid::text, player_name, joined_at from marts.fct_player_sessions where run_id is null",
        )
    )
    groups: dict[str, dict[str, list[tuple[Scope, str]]]] = defaultdict(lambda: defaultdict(list))
    groups["host"]["host"] = [(scopes["host"], player) for player in scopes["host"].seconds]
    for (server, player), stay in first_stays.items():
        groups["server"][server].append((scopes[server], player))
        if not stay.true.is_proxy:
            first = min(scopes[server].seconds[player]) + DAY
            midnight = datetime(first.year, first.month, first.day, tzinfo=stay.zone).astimezone(UTC)
            groups["egg"][eggs[version_read(estate, server, midnight).egg_id]].append((scopes[server], player))
            run = max((run for run in runs[server] if run.started_at <= stay.since), key=lambda run: run.started_at)
            if run.game_version and (server, stay.true.player_name, stay.since) not in without_run:
                groups["game_version"][run.game_version].append((scopes[server], player))
    rows = query(
        estate,
        "select scope, scope_key, cohort_grain, cohort_start, kind, days_later, players_total, players_counted, "
        "players_returned, reason, retention_low, retention_high from marts.fct_retention",
    )
    newest = max(scope.last_whole for scope in scopes.values())
    for scope, of_scope in groups.items():
        expected = retention(of_scope, newest)
        assert {row[1:6]: row[6:10] for row in rows if row[0] == scope} == expected, scope
    for row in rows:
        if row[9] is None:
            assert row[10:] == pytest.approx(wilson(row[8], row[7]))
    assert Counter(row[9] for row in rows)["immature"] > 100
    assert sum(row[7] or 0 for row in rows if row[0] == "host") > 50


def _add_host_days(
    parts: dict[tuple[str, date], list[tuple[datetime, datetime]]],
    node: str,
    part: tuple[datetime, datetime],
    zone: ZoneInfo,
) -> None:
    since, until = part
    while True:
        end = min(until, midnight_after(since, zone))
        parts[node, since.astimezone(zone).date()].append((since, end))
        since = end
        if since >= until:
            return


def test_peaks_and_records_equal_the_truth(estate: Platform, stays: list[Stay]) -> None:
    nodes = {row["id"]: row["uuid"] for row in estate.simulation.truth.entities(ANCHOR)["nodes"]}
    host_zone = ZoneInfo(query(estate, "select timezone from intermediate.int_host_timezone")[0][0])
    parts: dict[tuple[str, date], list[tuple[datetime, datetime]]] = defaultdict(list)
    for stay in stays:
        for at, part in cut(stay, lambda at, zone=stay.zone: midnight_after(at, zone)):  # type: ignore[misc]
            parts[stay.server, at.astimezone(stay.zone).date()].append(part)
            if not stay.true.is_proxy:
                node = nodes[version_read(estate, stay.server, at + MICROSECOND).node_id]
                _add_host_days(parts, node, part, host_zone)
    rows = query(
        estate,
        "select scope_key, local_date, peak_concurrent_players, peak_at, record_before, is_record "
        "from marts.fct_concurrency_peaks where scope <> 'host' order by scope_key, local_date",
    )
    assert {row[:2] for row in rows} == parts.keys()
    records: dict[str, int] = {}
    for key, day, peak, peak_at, record_before, is_record in rows:
        assert (peak, peak_at) == concurrency(parts[key, day])[:2], (key, day)
        assert (record_before, is_record) == (records.get(key), peak > records.get(key, 0)), (key, day)
        records[key] = max(peak, records.get(key, 0))
    of_host = query(
        estate,
        "select peaks.peak_concurrent_players, days.peak_concurrent_players from marts.fct_concurrency_peaks as peaks "
        "full join marts.fct_network_daily as days using (local_date) where peaks.scope = 'host'",
    )
    assert of_host
    assert all(one == other for one, other in of_host)


def test_who_is_on_at_a_minute_equals_the_truth(estate: Platform, stays: list[Stay]) -> None:
    by_server: dict[str, list[Stay]] = defaultdict(list)
    for stay in stays:
        by_server[stay.server].append(stay)
    server, of_server = max(by_server.items(), key=lambda item: len(item[1]))
    rows = query(
        estate,
        "select minutes.at, changes.players_online "
        "from generate_series(timestamptz '2026-10-24 12:00+00', '2026-10-25 12:00+00', interval '1 minute') "
        "as minutes (at) "
        "left join marts.fct_concurrency_changes as changes on changes.changed_at <= minutes.at "
        f"and changes.changed_until > minutes.at and changes.server_uuid = '{server}'",
    )
    assert len(rows) == 24 * 60 + 1
    for at, online in rows:
        assert (online or 0) == sum(stay.since <= at < stay.until for stay in of_server), at
    assert max(online or 0 for _, online in rows) > 2


def test_shared_players_and_names_equal_the_truth(estate: Platform, stays: list[Stay]) -> None:
    players: dict[str, set[str]] = defaultdict(set)
    for stay in stays:
        if not stay.true.is_proxy:
            players[stay.server].add(stay.player)
    expected = {
        (one, other): (len(players[one] & players[other]), len(players[one]))
        for one in players
        for other in players
        if one != other and players[one] & players[other]
    }
    rows = query(
        estate,
        "select server_uuid::text, other_server_uuid::text, players_shared, players_total "
        "from marts.fct_shared_players",
    )
    assert {row[:2]: row[2:] for row in rows} == expected
    assert len(expected) > 20
    names = set(query(estate, "select player_id::text, player_name from marts.dim_player_names"))
    assert names == {(stay.player, stay.true.player_name) for stay in stays}
    newest = query(estate, "select player_id::text, player_name from marts.dim_player_names where is_newest")
    last = {stay.player: stay.true.player_name for stay in sorted(stays, key=lambda stay: stay.until)}
    assert sum(last[player] != name for player, name in newest) == 0
