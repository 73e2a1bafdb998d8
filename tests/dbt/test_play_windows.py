"""The small tables that pages read of a month of play and of all first visits, against the rows that they sum up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from statistics import median
from typing import Any

import pytest
from psycopg.rows import dict_row

from pteroassets.warehouse.connection import Connection

pytestmark = pytest.mark.postgres


def rows(connection: Connection, query: str) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


def lately(connection: Connection, table: str) -> list[dict[str, Any]]:
    """Return what began in the thirty days before the newest session of all."""
    (newest,) = connection.execute("select max(joined_at) from marts.fct_player_sessions").fetchone() or (None,)
    assert newest is not None
    found = rows(connection, f"select * from {table} where joined_at is not null")
    return [row for row in found if row["joined_at"] > newest - timedelta(days=30)]


def summed(sessions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    ended = [row for row in sessions if not row["is_open"]]
    over = [row["counted_minutes"] for row in ended if row["counted_minutes"] is not None]
    return {
        "players": len({row["player_id"] for row in sessions}),
        "sessions": len(sessions),
        "play_hours": pytest.approx(sum(row["counted_minutes"] or 0 for row in sessions) / 60),
        "sessions_measured": len(over),
        "ends_inferred": sum(not row["is_end_observed"] for row in ended),
        "session_minutes_median": pytest.approx(median(over)) if over else None,
        "kicks": sum(row["close_reason"] == "kicked" for row in sessions),
        "timeouts": sum(row["close_reason"] == "timed_out" for row in sessions),
    }


def test_a_month_of_play_is_that_of_its_sessions_and_stays(built: Connection) -> None:
    eggs = {row["server_uuid"]: row["egg_uuid"] for row in rows(built, "select * from marts.dim_servers")}
    by_scope = defaultdict(list)
    for row in lately(built, "marts.fct_player_sessions"):
        if not row["is_proxy"]:
            for key in {row["server_uuid"], eggs[row["server_uuid"]]} - {None}:
                by_scope[str(key)].append(row)
    wanted = {key: summed(sessions) for key, sessions in by_scope.items()}
    wanted["host"] = summed(lately(built, "marts.fct_network_sessions"))
    found = rows(built, "select * from marts.fct_play_last_30_days")
    assert len(found) > 2
    assert {row["scope_key"]: {name: row[name] for name in wanted["host"]} for row in found} == wanted


def test_second_visits_are_those_of_all_players_of_a_server(built: Connection) -> None:
    by_scope = defaultdict(list)
    for row in rows(built, "select * from marts.fct_player_servers where not is_proxy"):
        for scope in ("host", str(row["server_uuid"])):
            by_scope[scope].append(row)

    def middle(pairs: list[dict[str, Any]], name: str) -> Any:
        known = [row[name] for row in pairs if row[name] is not None]
        return pytest.approx(median(known)) if known else None

    wanted = {
        scope: {
            "players": len(pairs),
            "players_came_twice": sum(row["second_joined_at"] is not None for row in pairs),
            "first_session_minutes_median": middle(pairs, "first_session_minutes"),
            "hours_to_second_session_median": middle(pairs, "hours_to_second_session"),
            "gap_hours_median": middle(pairs, "gap_hours_median"),
        }
        for scope, pairs in by_scope.items()
    }
    found = rows(built, "select * from marts.fct_second_visits")
    assert any(row["players_came_twice"] for row in found)
    assert {row["scope_key"]: {name: row[name] for name in wanted["host"]} for row in found} == wanted


def test_who_played_most_is_ordered_by_hours(built: Connection) -> None:
    by_player = defaultdict(list)
    for row in lately(built, "marts.fct_player_sessions"):
        if not row["is_proxy"]:
            by_player[row["player_id"]].append(row)
    found = rows(built, "select * from marts.fct_most_active_players order by place")
    assert len(found) == min(len(by_player), 100)
    assert [row["place"] for row in found] == list(range(1, len(found) + 1))
    hours = [row["play_hours"] for row in found if row["play_hours"] is not None]
    assert hours == sorted(hours, reverse=True)
    for row in found:
        sessions = by_player[row["player_id"]]
        assert row["sessions"] == len(sessions)
        assert row["play_hours"] == pytest.approx(sum(each["counted_minutes"] or 0 for each in sessions) / 60)
        assert row["deaths"] == sum(each["deaths"] or 0 for each in sessions)
