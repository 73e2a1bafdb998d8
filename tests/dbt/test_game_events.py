"""Pushed events after the models: each once, with its copies counted, and its fields in the columns of its type."""

from __future__ import annotations

from pteroassets.warehouse.connection import Connection

from .world import EVENT_IDS


def test_each_event_is_there_once_and_its_copies_are_counted(built: Connection) -> None:
    found = built.execute(
        "select game, event_id::text, copies, player_id from marts.fct_game_events order by game, event_id"
    ).fetchall()
    first, second, third = EVENT_IDS
    assert found == [
        ("arena", first, 3, "first"),  # as it came first
        ("arena", second, 1, "p2"),
        ("arena", third, 1, "p3"),
        ("other", first, 1, "p4"),  # an id of another game is another event
    ]
    ((raw, copies),) = built.execute(
        "select (select count(*) from raw_events.events), (select sum(copies) from marts.fct_game_events)"
    ).fetchall()
    assert raw == copies


def test_fields_are_those_of_the_type_alone_and_ids_stay_as_they_were(built: Connection) -> None:
    found = built.execute(
        "select event_type, enemy_id, level, damage, inventory_id, total_cost::text, seconds_until_received, "
        "clock_skew_milliseconds from marts.fct_game_events where game = 'arena' order by event_id"
    ).fetchall()
    assert found == [
        ("kill_enemy", "0012", 7, None, None, None, 60.0, 1500),
        ("take_damage", "9007199254740993", None, 99, None, None, -60.0, None),
        # what its contract does not name may be anything
        ("transaction", None, None, None, "3", "500.100000", 0.0, None),
    ]


def test_what_was_refused_is_shown_with_the_reason(built: Connection) -> None:
    found = built.execute("select game, reason, convert_from(body, 'UTF8') from staging.stg_events__dead_letters")
    assert found.fetchall() == [("arena", "not_json", "{")]
