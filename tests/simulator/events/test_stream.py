"""The stream follows from its recipe, and what is counted of it is what its bytes say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pteroassets.simulator.events.malformed import KINDS
from pteroassets.simulator.events.reference import Reference
from pteroassets.simulator.events.stream import Identity, Recipe, Sent, stream
from pteroassets.simulator.events.totals import totals
from pteroassets.simulator.events.types import TYPES
from pteroassets.sources.events.contracts import CONTRACTS
from pteroassets.sources.events.envelope import Event, Refusal, read_events

REFERENCE = Reference(
    guilds=[{"guild_id": str(number), "name": f"Guild {number}"} for number in range(3)],
    enemies=[{"enemy_id": "0007", "name": "Wolf", "level": "3"}],
    damage_sources=[{"enemy_id": "1", "name": "Fire", "damage": "99"}],
    quests=[{"quest_id": "9007199254740993", "name": "The mill", "contact": "The miller"}],
    inventory=[
        {
            "inventory_id": "1", "category": "Sword", "item_name": "Sword", "store_id": "5",
            "total_cost": "0.10", "on_hand_qty": "7",
        },
    ],
)  # fmt: skip
RECIPE = Recipe(seed=7, begins_at=datetime(2026, 3, 1, tzinfo=UTC), span=timedelta(days=7), events=2_000, players=20)
SPOILT = replace(RECIPE, duplicates=0.1, late=0.05, malformed=0.01)


def read(sent: Sequence[Sent]) -> list[Event | Refusal]:
    return [one for each in sent for one in read_events(each.body)]


def test_the_same_recipe_gives_the_same_stream_and_another_seed_another() -> None:
    once, again = stream(SPOILT, REFERENCE), stream(SPOILT, REFERENCE)
    assert once == again
    ids = {one.event["event_id"] for one in once if one.event}
    others = {one.event["event_id"] for one in stream(replace(SPOILT, seed=8), REFERENCE) if one.event}
    assert not ids & others


def test_every_type_of_the_contracts_can_be_made_and_is_read_as_what_it_is() -> None:
    assert set(TYPES) == {event_type for event_type, _ in CONTRACTS}
    recipe = replace(RECIPE, mix=dict.fromkeys(TYPES, 1), events=300)
    found = read(stream(recipe, REFERENCE))
    assert Counter(one.envelope.type for one in found if isinstance(one, Event)) == dict.fromkeys(TYPES, 20)


def test_the_mix_is_kept_to_the_event() -> None:
    mix = {"kill_enemy": 2, "transaction": 1, "default": 0}
    told = totals(stream(replace(RECIPE, mix=mix, events=1_000), REFERENCE))
    assert told["events_by_type"] == {"kill_enemy": 666, "transaction": 334}
    assert told["revenue"] == "33.40"


def test_copies_late_ones_and_what_is_no_event_are_as_many_as_is_asked() -> None:
    sent = stream(SPOILT, REFERENCE)
    told = totals(sent)
    assert (told["events"], told["copies"], told["late"]) == (2_000, 200, 100)
    refused = Counter(one.reason for one in read(sent) if isinstance(one, Refusal))
    assert refused == told["dead_letters"]
    assert set(refused) == set(KINDS)
    assert [one.at for one in sent] == sorted(one.at for one in sent)
    # late ones come more than a tenth of two days after they happened; the others at once
    waited = [
        one.at - datetime.fromisoformat(one.event["occurred_at"]) for one in sent if one.event and not one.is_copy
    ]
    assert sum(one > timedelta(hours=4) for one in waited) == 100
    assert sum(one == timedelta(0) for one in waited) == 1_900


def test_the_shops_are_always_the_same_load() -> None:
    told = totals(stream(replace(RECIPE, is_shops=True, seed=3), REFERENCE))
    assert told["horses_by_size"] == {"large": 600, "medium": 1_100, "small": 800}
    assert told["swords"] == 2_130
    assert told["events_by_type"] == {"guild_action": 300, "purchase_a_horse": 2_300, "purchase_a_sword": 1_610}


def test_players_stay_for_a_while_and_not_twice_at_once() -> None:
    sent = stream(RECIPE, REFERENCE)
    players: dict[str, set[str]] = {}
    for one in sent:
        assert one.event is not None
        if "session_id" in one.event:
            players.setdefault(one.event["session_id"], set()).add(one.event["player_id"])
    assert {len(found) for found in players.values()} == {1}
    without = {one.event["player_id"] for one in sent if one.event and "session_id" not in one.event}
    assert without
    assert not without & {player for found in players.values() for player in found}


def test_the_first_players_are_those_of_minecraft() -> None:
    identity = Identity(name="Steve", minecraft_uuid="8667ba71-b85a-4004-af54-457a9734eed7")
    told = {
        (event["player_id"][-4:], event.get("minecraft_uuid"))
        for event in (json.loads(one.body) for one in stream(replace(RECIPE, identities=[identity]), REFERENCE))
    }
    assert [player for player, uuid in told if uuid] == ["0001"]


def test_a_live_stream_says_when_it_is_sent() -> None:
    live = replace(RECIPE, is_live=True, events=100, span=timedelta(seconds=50), late=0.1)
    for one in stream(live, REFERENCE):
        assert one.event is not None
        assert datetime.fromisoformat(one.event["sent_at"]) - one.at < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"events": 0}, "0 events"),
        ({"players": 0}, "0 players"),
        ({"players": 10**400}, "players: it has to be from 1 to 1,000,000"),
        ({"mix": {"kill_enemies": 1}}, "'kill_enemies'; there are accepted_a_quest"),
        ({"mix": {"kill_enemy": 0}}, "weight above 0"),
        ({"late": 1.5}, "late has to be from 0 to 1"),
        ({"span": timedelta(0)}, "no length"),
    ],
)
def test_a_recipe_that_cannot_be_followed_says_why(changes: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        stream(replace(RECIPE, **changes), REFERENCE)
