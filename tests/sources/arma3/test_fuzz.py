"""Whatever the bytes are, there is a reading that says what came of them, and every value of it can be stored."""

from __future__ import annotations

import copy
import dataclasses
import gzip
import json
import math
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pteroassets.sources.arma3.ocap_list import read_operations
from pteroassets.sources.arma3.positions import RollUp
from pteroassets.sources.arma3.records import Harm, Listing, Reading
from pteroassets.sources.arma3.unpacking import Limits
from pteroassets.sources.arma3.wog import read_list
from tests.sources.arma3.reading import DIGEST, GENERATIONS, LIST, PAGE, golden, listed, recording, wog

RECORDINGS = [golden(name) for name in GENERATIONS]
OPERATIONS = json.dumps(
    [
        {
            "id": 1,
            "world_name": "Altis",
            "mission_name": "A",
            "mission_duration": 9.5,
            "filename": "a.json.gz",
            "date": "2026-01-17",
            "tag": "TvT",
            "focusStart": 0,
            "focusEnd": 4,
        }
    ]
).encode()
PIECES = [b'"', b"[", b"]", b"{", b"}", b",", b":", b"<", b">", b"\x00", b"\xff", b"NaN", b"-1", b"1e999", b"null", b"\\ud800", b"&#0;", b"</td>", b"<tr><td>"]  # fmt: skip # noqa: E501
ODD: list[Any] = [None, True, False, -1, 0, 1, 0.5, 2**31, 2**63, 2**70, -(2**40), 1e308, -1e300, math.nan, math.inf, "", "x", "\x00", "\ud800", "9" * 400, "GUER", [], {}, [[]], [None] * 12, {"a": []}, [[[]]], "17.01.9999", "null", 666]  # fmt: skip # noqa: E501


def mangled(content: bytes, chance: random.Random) -> bytes:
    """Return *content* with some bytes put in, taken out or changed."""
    changed = bytearray(content)
    for _ in range(1 + chance.randrange(4)):
        place = chance.randrange(len(changed) + 1)
        match chance.randrange(5):
            case 0:
                changed[place:place] = chance.choice(PIECES)
            case 1:
                del changed[place : place + chance.randrange(1, 60)]
            case 2:
                changed[place : place + 1] = bytes([chance.randrange(256)])
            case 3:
                changed[place:place] = changed[place : place + chance.randrange(80)]
            case _:
                del changed[place:]
    return bytes(changed)


def twisted(content: bytes, chance: random.Random) -> bytes:
    """Return JSON with some values in the place of others; as JSON it stays whole, but for NaN."""
    document = json.loads(content)
    for _ in range(1 + chance.randrange(3)):
        holder: Any = document
        while True:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            if not keys:
                break
            key = chance.choice(keys)
            if isinstance(holder[key], dict | list) and holder[key] and chance.random() < 0.8:
                holder = holder[key]
                continue
            match chance.randrange(4):
                case 0:
                    del holder[key]
                case 1:
                    other = chance.choice(keys)
                    holder[key], holder[other] = holder[other], holder[key]
                case _:
                    holder[key] = copy.deepcopy(chance.choice(ODD))
            break
    return json.dumps(document).encode()


def check(value: Any) -> None:
    """Assert that Postgres takes a value, and everything in it."""
    if dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            check(getattr(value, each.name))
    elif isinstance(value, dict):
        check([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple):
        for one in value:
            check(one)
    elif isinstance(value, str):
        assert "\x00" not in value
        value.encode()
    elif isinstance(value, float):
        assert math.isfinite(value)
    elif isinstance(value, int):
        assert abs(value) < 2**31
    elif isinstance(value, datetime):
        assert value.tzinfo is not None
        assert 1900 < value.astimezone(UTC).year < 2300


def judge(found: Reading) -> None:
    check(found)
    head = found.replay
    assert (head.outcome == "ok") == (head.reason is None)
    assert head.outcome != "ok" or not head.missing
    assert head.winner is not None or head.winner_reason
    if head.started_at is not None and head.ended_at is not None:
        assert head.ended_at >= head.started_at
    harms: list[Harm] = [*found.kills, *found.hits]
    for harm in harms:
        assert (harm.killer_id is not None) == (harm.killer_kind == "unit")
        assert harm.killer_kind == "unit" or harm.killer_reason
        assert harm.second >= 0
    for rows in (found.kills, found.hits, found.messages, found.connects, found.markers):
        assert [row.number for row in rows] == list(range(len(rows)))
    ids = [unit.unit_id for unit in found.units] + [one.vehicle_id for one in found.vehicles]
    assert head.source == "wog" or len(ids) == len(set(ids))
    stints = [(one.unit_id, one.number) for one in found.stints]
    assert len(stints) == len(set(stints))
    places = list(found.full_positions)
    check([list(one) for one in places])
    assert len({(one.entity_id, one.number) for one in places}) == len(places) == len(found.full_positions)


@given(seed=st.integers(min_value=0))
def test_recordings(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(12):
        content = chance.choice((mangled, twisted))(chance.choice(RECORDINGS), chance)
        packed = gzip.compress(content, 1) if chance.random() < 0.2 else content
        roll_up = RollUp(keeps_all=chance.random() < 0.5)
        judge(recording(mangled(packed, chance) if chance.random() < 0.1 else packed, roll_up=roll_up))


@given(seed=st.integers(min_value=0))
def test_pages_and_digests(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(12):
        page = mangled(PAGE, chance) if chance.random() < 0.7 else PAGE
        judge(wog(page, chance.choice((mangled, twisted))(DIGEST, chance)))


@given(seed=st.integers(min_value=0))
def test_lists(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(8):
        found: list[Listing] = [
            read_list(mangled(LIST, chance)),
            read_operations(chance.choice((mangled, twisted))(OPERATIONS, chance), "http://ocap.test"),
        ]
        for listing in found:
            check(listing)
            assert (listing.outcome == "ok") == (listing.reason is None)
            names = [one.replay_id for one in listing.replays]
            assert len(names) == len(set(names))


@given(content=st.binary(max_size=400))
def test_any_bytes(content: bytes) -> None:
    judge(recording(content))
    judge(recording(b"\x1f\x8b" + content))
    judge(wog(content, content))
    check(read_list(content))
    check(read_operations(content, "http://ocap.test"))


# ------------------------------------------------------------------ limits


def test_ten_gigabytes_in_ten_megabytes_are_not_unpacked() -> None:
    bomb = gzip.compress(b" " * (64 << 20), 9)
    assert len(bomb) < 100_000
    found = recording(bomb, limits=Limits(unpacked_bytes=8 << 20)).replay
    assert (found.outcome, found.reason) == ("too_large", "it unpacks to more than 8 MiB: raise the limit to read it")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"entities": [{}] * 11}, "it has 11 entities, and at most 10 are read: raise the limit"),
        ({"events": [[0, "a"]] * 11}, "it has 11 events, and at most 10 are read: raise the limit"),
        ({"endFrame": 11}, "it has 11 frames, and at most 10 are read: raise the limit"),
    ],
)
def test_more_than_is_read(more: dict[str, Any], reason: str) -> None:
    document = {"captureDelay": 1, "endFrame": 5, "entities": [], "events": []} | more
    found = recording(json.dumps(document).encode(), limits=Limits(entities=10, events=10, frames=10)).replay
    assert (found.outcome, found.reason) == ("too_large", reason)


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (b"", "truncated"),
        (b"   ", "truncated"),
        (b"<!DOCTYPE html><html></html>", "not_a_replay"),
        (golden("legacy")[:-30], "truncated"),
        (gzip.compress(golden("legacy"))[:-30], "truncated"),
        (gzip.compress(golden("legacy")) + b"\x00" * 512, "ok"),
        (gzip.compress(gzip.compress(golden("legacy"))), "ok"),
        (gzip.compress(golden("legacy")[:400]) + gzip.compress(golden("legacy")[400:]), "ok"),
        (b"\xef\xbb\xbf" + golden("legacy"), "ok"),
        (golden("legacy").replace(b"[20, 20]", b"[NaN, -nan(ind)]"), "ok"),
        (golden("legacy") + b" and more", "unreadable"),
        (b'{"entities": ' + b"[" * 100_000, "unreadable"),
        (b'{"entities": {}}', "not_a_replay"),
        (b'["not", "a", "replay"]', "not_a_replay"),
        (b"{}", "not_a_replay"),
    ],
)
def test_what_a_damaged_recording_is_called(content: bytes, outcome: str) -> None:
    assert recording(content).replay.outcome == outcome


@pytest.mark.parametrize("cut", [b"Qui\\ud83d", b"Qui\\ude00", b"Qui\xf0\x9f", b"Qui\\ud83dx"])
def test_a_name_that_was_cut_in_the_middle_of_a_letter_costs_that_letter(cut: bytes) -> None:
    found = recording(golden("extension4").replace(b"Quitter", cut))
    assert (found.replay.outcome, found.replay.counts) == ("ok", {})
    (name,) = {unit.name for unit in found.units} - {"Heron", "Otter"}
    assert str(name).startswith("Qui\N{REPLACEMENT CHARACTER}")
    assert [kill.victim_name for kill in found.kills] == ["Otter", name, None, "Heron"]
    assert name in {one.name for one in found.connects}


def test_letters_beyond_the_first_plane_are_kept() -> None:
    found = recording(golden("extension4").replace(b"Quitter", b"Q\\ud83d\\ude00").replace(b"Otter", b"\xff"))
    assert {unit.name for unit in found.units} == {"Heron", "\N{REPLACEMENT CHARACTER}", "Q\N{GRINNING FACE}"}


def test_one_bad_entity_costs_itself() -> None:
    document = json.loads(golden("extension4"))
    document["entities"][3] = {"id": [], "type": "unit", "positions": "none", "name": 5}
    document["entities"].append("text")
    document["entities"].append({"id": 0, "type": "unit"})
    found = recording(json.dumps(document).encode())
    assert len(found.kills) == 4
    assert [unit.name for unit in found.units] == ["Heron", "Otter", None]
    assert found.replay.counts == {"entities_twice": 1, "entities_unreadable": 1}


def test_what_the_list_said_stays_where_the_recording_is_unreadable() -> None:
    found = recording(b"{", listed=dataclasses.replace(listed("a", 7), mission="Ridge", island="Altis")).replay
    assert (found.mission, found.island, found.site_number) == ("Ridge", "Altis", 7)
