"""Actives, retention and activity of half a year with a change of the clocks, against counting day by day."""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from tests.databases import copied
from tests.parsed import run_dbt
from tests.player_days import DAY, Scope, actives, activity, retention, wilson

from .conftest import dbt_environment
from .world import SERVERS

pytestmark = pytest.mark.postgres

ZONES = {"00000000-0000-4000-8000-0000000000d1": "Europe/Berlin", "00000000-0000-4000-8000-0000000000d2": "Asia/Tokyo"}
SINCE, UNTIL = datetime(2026, 3, 1, 7, tzinfo=UTC), datetime(2026, 9, 10, 12, tzinfo=UTC)
FOUNDED = "00000000-0000-4000-8000-0000000000d2"
"""The server whose log reaches back to its making."""


@pytest.fixture(scope="module")
def scopes(built_settings: ConnectionSettings, dbt_target: Path) -> Iterator[tuple[Connection, dict[str, Scope]]]:
    with copied(built_settings) as settings:
        with connect(settings, autocommit=True) as connection:
            seconds = land_players(connection, random.Random(7))
        run_dbt(
            ["run", "--select", *(f"+{name}" for name in MODELS)],
            dbt_environment(settings),
            target=dbt_target,
        )
        known = {
            server: Scope(
                seconds=seconds[server],
                first=_local(SINCE, server),
                first_whole=_local(SINCE, server) + DAY,
                last=_local(UNTIL, server),
                last_whole=_local(UNTIL, server) - DAY,
                is_whole=server == FOUNDED,
            )
            for server in ZONES
        }
        with connect(settings, autocommit=True) as connection:
            yield connection, known


MODELS = ("fct_active_players_daily", "fct_retention", "fct_player_activity_weekly")


def _local(at: datetime, server: str) -> date:
    return at.astimezone(ZoneInfo(ZONES[server])).date()


def land_players(connection: Connection, chance: random.Random) -> dict[str, dict[str, dict[date, float]]]:
    """Land sessions of players who stay, stop, or come back after months; return their seconds by server and day."""
    seconds: dict[str, dict[str, dict[date, float]]] = {
        server: defaultdict(lambda: defaultdict(float)) for server in ZONES
    }
    for server, zone in ZONES.items():
        connection.execute(
            "insert into ops.server_timezones (server_uuid, timezone, source) values (%s, %s, 'server')", (server, zone)
        )
        connection.execute(
            "insert into raw_minecraft.log_files (server_uuid, file_key, path, log_date, is_live, is_listed, "
            "listed_size, listed_modified_at, outcome, first_line_at, last_line_at, fetched_at, _load_id) "
            "values (%s, 'old', '/logs/latest.log', %s, true, true, 1, now(), 'ok', %s, %s, now(), gen_random_uuid())",
            (server, SINCE.date(), SINCE, UNTIL),
        )
        connection.execute(
            "insert into raw_minecraft.log_reads (server_uuid, observed_at, path, outcome, _load_id) "
            "values (%s, %s, '', 'ok', gen_random_uuid())",
            (server, UNTIL),
        )
    connection.execute(
        "insert into raw_pterodactyl.servers (key, valid_from, id, uuid, record, digest, _source, _load_id) "
        "select %s, valid_from, 99, %s, record || jsonb_build_object('id', 99, 'created_at', %s::text), 'made', "
        "_source, _load_id from raw_pterodactyl.servers where uuid = %s and valid_to is null",
        (FOUNDED, FOUNDED, SINCE.isoformat(), SERVERS["c"]),
    )
    for number in range(70):
        player = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        server, eager = chance.choice([*ZONES]), chance.choice([0.02, 0.1, 0.5, 0.9])
        at = SINCE + timedelta(days=chance.choice([0, chance.randrange(190)]), minutes=chance.randrange(1440))
        pauses = chance.choice([[], [at + timedelta(days=chance.randrange(3, 60))]])
        while at < UNTIL - timedelta(hours=9):
            until = at + timedelta(minutes=chance.choice([1, 20, 90, 500]))
            _add_session(connection, server, f"Month{number}", player, at, until)
            for day, part in _days(at, until, ZoneInfo(ZONES[server])):
                seconds[server][player][day] += part
            at = until + timedelta(minutes=chance.randrange(10, 900))
            while chance.random() > eager:
                at += timedelta(days=1)
            if pauses and at > pauses[0]:
                at += timedelta(days=chance.choice([29, 30, 31, 32, 45, 300]))
                pauses = []
    return seconds


def _add_session(connection: Connection, server: str, name: str, player: str, at: datetime, until: datetime) -> None:
    connection.execute(
        "insert into derived_minecraft.player_sessions (server_uuid, session_key, player_name, player_uuid, joined_at, "
        "left_at, left_at_lower, left_at_upper, close_reason, is_join_observed, is_end_observed, last_seen_at, "
        "is_proxy, _load_id) values (%s, %s, %s, %s, %s, %s, %s, %s, 'left', true, true, %s, false, gen_random_uuid())",
        (server, f"old:{name}{at.isoformat()}", name, player, at, until, until, until, until),
    )


def _days(at: datetime, until: datetime, zone: ZoneInfo) -> Iterator[tuple[date, float]]:
    while at < until:
        day = at.astimezone(zone).date()
        tomorrow = day + DAY
        end = min(until, datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone).astimezone(UTC))
        yield day, (end - at).total_seconds()
        at = end


def test_actives_of_half_a_year(scopes: tuple[Connection, dict[str, Scope]]) -> None:
    connection, known = scopes
    won_back = lapsed = 0
    for server, scope in known.items():
        rows = connection.execute(
            "select local_date, active_players_1d, active_players_7d, active_players_30d, new_players, "
            "returning_players, won_back_players, lapsed_players from marts.fct_active_players_daily "
            "where server_uuid = %s",
            (server,),
        ).fetchall()
        expected = actives(scope)
        assert {row[0]: row[1:] for row in rows} == expected
        won_back += sum(row[5] or 0 for row in expected.values())
        lapsed += sum(row[6] or 0 for row in expected.values())
    assert min(won_back, lapsed) > 20


def test_retention_of_half_a_year(scopes: tuple[Connection, dict[str, Scope]]) -> None:
    connection, known = scopes
    rows = connection.execute(
        "select scope_key, cohort_grain, cohort_start, kind, days_later, players_total, players_counted, "
        "players_returned, reason, retention_low, retention_high from marts.fct_retention "
        "where scope = 'server' and scope_key = any(%s)",
        ([*ZONES],),
    ).fetchall()
    groups = {server: [(scope, player) for player in scope.seconds] for server, scope in known.items()}
    # the log of the small world, which is read further, ends in October: these servers' log has ended long before
    expected = retention(groups, newest=date(2026, 10, 26))
    assert {row[:5]: row[5:9] for row in rows} == expected
    for *_, counted, returned, reason, low, high in rows:
        if reason is None:
            assert (low, high) == pytest.approx(wilson(returned, counted))
    assert {row[3] for row in expected.values()} == {None, "history_too_short", "log_ends_before"}
    assert sum(row[2] or 0 for row in expected.values()) > 500


def test_activity_of_half_a_year(scopes: tuple[Connection, dict[str, Scope]]) -> None:
    connection, known = scopes
    groups = set()
    for server, scope in known.items():
        rows = connection.execute(
            "select player_id::text, week_start, activity_index, activity_group, activity_group_before "
            "from marts.fct_player_activity_weekly where server_uuid = %s",
            (server,),
        ).fetchall()
        # a player is known by the UUID
        keys = dict(
            connection.execute(
                "select distinct player_id::text, player_uuid::text from marts.fct_player_sessions"
            ).fetchall()
        )
        found = {(keys[player], monday): figures for player, monday, *figures in rows}
        expected = activity(scope)
        assert found.keys() == expected.keys()
        for key, (index, group, before) in expected.items():
            assert found[key] == [index if index is None else pytest.approx(index), group, before], key
            groups.add(group)
    assert groups == {None, "inactive", "irregular", "regular", "active", "very_active"}
