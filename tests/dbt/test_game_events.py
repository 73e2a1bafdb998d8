"""Pushed events after the models: each once, with its copies counted, and its fields in the columns of its type."""

from __future__ import annotations

from typing import LiteralString

import pytest

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


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("select enemy_id, level from fct_enemy_kills", ("0012", 7)),
        # what its contract does not name may be anything
        ("select source_id, damage from fct_damage_taken", ("9007199254740993", 99)),
        ("select inventory_id, cost::text, category, item from fct_purchases", ("3", "500.100000", None, "unnamed")),
        ("select guild_id, guild_name, action from fct_guild_actions", ("39", None, "join")),
        ("select count(*) from fct_quests", (0,)),
    ],
)
def test_each_type_has_its_fields_and_ids_stay_as_they_were(
    built: Connection, query: LiteralString, answer: tuple[object, ...]
) -> None:
    built.execute("set search_path = marts")
    assert built.execute(query).fetchall() == [answer]


def test_a_field_that_is_not_as_its_contract_says_is_unknown_and_breaks_nothing(built: Connection) -> None:
    shown = []
    for properties in (
        '{"level": "high", "total_cost": "1e3"}', '{"level": 2147483648, "total_cost": "-1"}',
        '{"level": {"a": 1}, "total_cost": null}', "{}", "[]", '{"level": 7.0, "total_cost": 0.1}',
        '{"level": 2147483647, "total_cost": "123456789012345.123456"}',
    ):  # fmt: skip
        built.execute(
            "insert into raw_events.events (game, event_id, event_type, version, player_id, occurred_at, received_at, "
            "record) select 'odd', gen_random_uuid(), type, 1, 'p', '2026-10-25', '2026-10-25', "
            "jsonb_build_object('properties', %s::jsonb, 'minecraft_uuid', 'none') "
            "from unnest(array['kill_enemy', 'transaction']) as types (type)",
            (properties,),
        )
        shown += built.execute(
            "select level, cost::text, minecraft_uuid from marts.fct_enemy_kills inner join marts.fct_purchases "
            "using (game) inner join marts.fct_game_events using (game) where game = 'odd' limit 1"
        ).fetchall()
        built.execute("delete from raw_events.events where game = 'odd'")
    assert shown == [
        (None, None, None), (None, None, None), (None, None, None), (None, None, None), (None, None, None),
        (7, "0.100000", None), (2147483647, "123456789012345.123456", None),
    ]  # fmt: skip


def test_what_was_refused_is_shown_with_the_reason(built: Connection) -> None:
    found = built.execute("select game, reason, convert_from(body, 'UTF8') from staging.stg_events__dead_letters")
    assert found.fetchall() == [("arena", "not_json", "{")]
