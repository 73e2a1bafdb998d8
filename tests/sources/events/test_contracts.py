"""What an event must have, what is refused and why, and that what was published stays as it was."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest

from pteroassets.settings import CHECKOUT
from pteroassets.sources.events.contracts import CONTRACTS
from pteroassets.sources.events.envelope import Event, Refusal, TooManyEventsError, read_events
from pteroassets.sources.events.schema import SCHEMA, broken, schema, schema_text

GOOD: dict[str, Any] = {
    "event_id": "7d0c7a0e-53a5-4c8f-8f3f-0d4f2c5a9e01",
    "type": "kill_enemy",
    "version": 1,
    "player_id": "007",
    "occurred_at": "2026-03-01T20:15:00+01:00",
    "properties": {"enemy_id": "0012", "level": 7},
}
PROPERTIES: dict[str, dict[str, Any]] = {
    "join_a_guild": {"guild_id": "39"},
    "kill_enemy": {"enemy_id": "9007199254740993"},
    "take_damage": {"enemy_id": "1", "damage": 99},
    "accepted_a_quest": {"quest_id": "14", "contact": "Ana"},
    "transaction": {"inventory_id": "3", "total_cost": "500.10", "store_id": "5"},
    "purchase_a_sword": {"color": "red", "quantity": 2},
    "purchase_a_horse": {"size": "small", "speed": 30, "quantity": 1},
    "guild_action": {"action": "leave"},
    "default": {},
    "purchase_sword": {"sword_type": "katana", "sword_cost": 12.5, "location": "harbour"},
    "purchase_armor": {"armor_type": "plate", "armor_cost": "40"},
    "join_guild": {"guild_type": "mages"},
    "slayed_dragon": {"dragon_type": "ice", "sword_type": "katana"},
    "took_damage": {"damage_level": 7, "cause_damage": "fire"},
    "attempt_daily_quest": {"attempted": True},
}
ADDED = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}


def read(**changes: Any) -> Event | Refusal:
    (found,) = read_events(json.dumps(GOOD | changes).encode())
    return found


def test_the_published_schema_is_that_of_the_contracts() -> None:
    assert SCHEMA.read_text() == schema_text(), "run python -m pteroassets.sources.events.schema"


def test_nothing_that_was_published_is_gone() -> None:
    kept = json.loads((CHECKOUT / "tests/fixtures/events/contracts.json").read_text())
    assert broken(kept, schema()) == []


def test_a_field_that_may_be_left_out_can_be_added_and_any_other_change_is_told() -> None:
    before, after = schema(), copy.deepcopy(schema())
    after["$defs"]["kill_enemy_1"]["properties"]["weapon"] = ADDED
    after["$defs"]["kill_enemy_2"] = {"type": "object"}
    assert broken(before, after) == []
    del after["$defs"]["join_a_guild_1"]["properties"]["name"]
    del after["$defs"]["transaction_1"]
    after["$defs"]["take_damage_1"]["required"].append("name")
    after["$defs"]["kill_enemy_1"]["properties"]["level"] = ADDED
    after["properties"]["event_id"]["description"] = "Another."
    told = broken(before, after)
    assert [fault.partition(" was {")[0] for fault in told] == [
        "join_a_guild_1.name was removed",
        "kill_enemy_1.level",
        "take_damage_1.name has to be sent now",
        "transaction_1 was removed",
    ]


def test_each_type_of_event_is_read() -> None:
    assert {event_type for event_type, _ in CONTRACTS} == PROPERTIES.keys()
    for event_type, properties in PROPERTIES.items():
        found = read(type=event_type, properties=properties)
        assert isinstance(found, Event), found
        assert found.envelope.player_id == "007"
        assert json.loads(found.raw)["properties"] == properties


def test_what_no_contract_names_is_kept() -> None:
    found = read(server="eu-1", properties={"enemy_id": "1", "weapon": {"kind": ["bow"]}})
    assert isinstance(found, Event)
    assert b'"weapon": {"kind": ["bow"]}' in found.raw
    assert b"eu-1" in found.raw


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"type": "killed_enemy"}, "unknown_type", "'killed_enemy'"),
        ({"version": 2}, "unknown_version", "no version 2 of 'kill_enemy'"),
        ({"event_id": "7"}, "not_an_event", "event_id"),
        ({"player_id": 7}, "not_an_event", "player_id"),
        ({"occurred_at": "2026-03-01T20:15:00"}, "not_an_event", "timezone"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "not_an_event", "occurred_at is in the year 1"),
        ({"sent_at": "9999-12-31T23:59:59-14:00"}, "not_an_event", "sent_at is in the year 9999"),
        ({"properties": {}}, "wrong_fields", "enemy_id"),
        ({"properties": {"enemy_id": "1", "level": 2**31}}, "wrong_fields", "level"),
        ({"properties": {"enemy_id": "1", "level": 1.5}}, "wrong_fields", "level"),
        ({"properties": []}, "wrong_fields", "object"),
        ({"type": "transaction", "properties": {"inventory_id": "1", "total_cost": "1_0"}}, "wrong_fields", "total"),
        ({"type": "transaction", "properties": {"inventory_id": "1", "total_cost": -1}}, "wrong_fields", "total"),
        (
            {"type": "purchase_a_horse", "properties": {"size": "tiny", "speed": 1, "quantity": 1}},
            "wrong_fields",
            "tiny",
        ),
        ({"minecraft_uuid": "steve"}, "not_an_event", "minecraft_uuid"),
        ({"note": "x" * 65_536}, "too_large", "65536"),
        ({"note": json.loads("[" * 16 + "]" * 16)}, "too_deep", "16"),
        ({"note": "a\0b"}, "nul_character", "u0000"),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(changes: dict[str, Any], reason: str, words: str) -> None:
    found = read(**changes)
    assert isinstance(found, Refusal)
    assert found.reason == reason
    assert words in found.detail
    assert found.raw == json.dumps(GOOD | changes).encode()


@pytest.mark.parametrize("number", ["1e5000", "-9E131071", "1.5e+300", "1" * 300, "0." + "1" * 300])
def test_a_number_that_no_double_holds_is_refused_but_not_a_text_that_looks_like_one(number: str) -> None:
    for note, reason in ((number, "long_number"), (f'["{number}", 1e99, {{"{number}": 17}}]', "event")):
        (found,) = read_events(json.dumps(GOOD).replace('"version": 1', f'"version": 1, "note": {note}').encode())
        assert (found.reason if isinstance(found, Refusal) else "event") == reason


def test_a_text_that_never_ends_is_looked_at_once() -> None:
    begun = time.process_time()
    (found,) = read_events(b"{" * 17 + b'"' + b'\\"' * 32_000)
    assert isinstance(found, Refusal)
    assert time.process_time() - begun < 1  # tried at each quote it takes half a minute


def test_more_events_than_a_request_may_have_are_not_looked_at() -> None:
    with pytest.raises(TooManyEventsError, match="may have 5000 events, and this one has 5001"):
        read_events(b"[" + b"1," * 5_000 + b"1]")


def test_what_only_looks_like_a_bad_character_or_depth_is_taken() -> None:
    assert isinstance(read(note="\\u0000"), Event)
    assert isinstance(read(note='[[[[[[[[[[[[[[[[[["'), Event)


def test_one_bad_event_of_many_is_refused_alone() -> None:
    body = json.dumps([GOOD, GOOD | {"player_id": "\ud800"}, 5, GOOD, None]).encode()
    found = read_events(body)
    assert [one.reason if isinstance(one, Refusal) else "event" for one in found] == [
        "event", "not_an_event", "not_an_event", "event", "not_an_event",
    ]  # fmt: skip
    assert [one.index for one in found if isinstance(one, Refusal)] == [1, 2, 4]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'[{"a": "\xff"}]', "not_an_event"),
        (b"[1, 2", "not_json"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
        (b"[NaN]", "not_an_event"),
    ],
)
def test_a_body_that_is_no_json_is_one_refusal_with_all_of_it(body: bytes, reason: str) -> None:
    (found,) = read_events(body)
    assert isinstance(found, Refusal)
    assert found.reason == reason


def test_an_empty_array_is_no_event_and_no_refusal() -> None:
    assert read_events(b" [ ] ") == []
