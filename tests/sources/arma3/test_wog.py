"""The WOG site's list, a game's page and its digest, written by hand after the site."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime

import pytest

from pteroassets.sources.arma3.records import Side
from pteroassets.sources.arma3.wog import read_list
from tests.sources.arma3.reading import DIGEST, LIST, PAGE, survivors, told, wog


def test_the_list_has_every_game_in_its_order_small_ones_too() -> None:
    found = read_list(LIST)
    assert [(one.replay_id, one.players, one.slots) for one in found.replays] == [
        ("3406", 64, 90),
        ("3405", 187, 190),
        ("3404", None, None),
    ]
    assert found.replays[1].url == "https://stats.wogames.info/games/3405/"
    assert found.replays[1].data_urls == ("https://stats.wogames.info/json/replay-data.json?game=3405",)
    assert (found.outcome, [one.position for one in found.replays]) == ("ok", [0, 1, 2])


def test_a_list_without_games_is_told_from_an_empty_one() -> None:
    assert read_list(b"<html><body>503</body></html>").outcome == "not_a_replay"
    assert read_list(b"").outcome == "truncated"
    assert read_list(b"{}").outcome == "not_a_replay"


def test_a_game() -> None:
    found = wog()
    head = found.replay
    assert (head.mission, head.mission_id, head.island) == ('Высота 88 "O\'Hara"', 77, "Taūnus Альтис")
    assert (head.players, head.slots, head.winner, head.duration_seconds) == (187, 190, "WEST", 4505)
    assert (head.clock, head.zone) == ("page", "Europe/Moscow")
    assert found.sides == (
        Side(side="EAST", faction="Blue Ridge Militia", players=2, commander_name="Heron", commander_id=7001),
        Side(side="WEST", players=1, commander_name="D'Artagnan", commander_id=7003),
        Side(side="GUER", players=1),
    )
    assert [told(kill) for kill in found.kills] == [
        (95.0, "D'Artagnan", "Heron", "AK-12", 240.0, False),
        (1310.0, "Выдра", "Heron", None, 12.0, True),
        (1544.0, "Heron", None, None, None, None),
    ]
    assert (found.kills[1].victim_vehicle, found.kills[1].killer_vehicle) == ("Offroad (HMG)", "Offroad (HMG)")
    assert found.kills[2].killer_reason == "the digest names no killer"
    assert survivors(found) == {"Heron": False, "Выдра": False, "D'Artagnan": False, "Lynx": True}
    assert [(unit.player_id, unit.squad, unit.role) for unit in found.units][:2] == [
        (7001, "BRM", "Squad leader"),
        (7002, "BRM", "Medic"),
    ]
    assert [(one.vehicle_id, one.vehicle_class) for one in found.vehicles] == [(41, "car"), (42, "heli")]
    assert (head.outcome, head.missing) == ("incomplete", {"commander_guer": "the row names no player"})


def test_a_game_over_midnight_ends_after_its_begin_whether_the_page_dates_its_end_or_not() -> None:
    begin, end = datetime(2026, 1, 17, 20, 10, 5, tzinfo=UTC), datetime(2026, 1, 17, 21, 25, 10, tzinfo=UTC)
    for page in (PAGE, PAGE.replace(b"17.01.2026, 23", b"23").replace(b"18.01.2026, 00", b"00")):
        head = wog(page).replay
        assert (head.started_at, head.ended_at, head.played_on) == (begin, end, date(2026, 1, 17))
        assert wog(page.replace(b"01:15:05", b"")).replay.ended_at == end
    for label in ("старта", "окончания"):  # the other one and the duration tell it
        row = re.compile(f"<tr><td>Дата и время {label}.*?</tr>".encode(), re.DOTALL)
        head = wog(row.sub(b"", PAGE)).replay
        assert (head.started_at, head.ended_at, head.missing.keys()) == (begin, end, {"commander_guer"})


@pytest.mark.parametrize("day", ["17.01.2025", "20.01.2026"])
def test_an_end_that_cannot_be_is_counted_from_the_duration_or_unknown(day: str) -> None:
    page = PAGE.replace(b"18.01.2026", day.encode())
    counted = wog(page).replay
    assert counted.ended_at == datetime(2026, 1, 17, 21, 25, 10, tzinfo=UTC)
    unknown = wog(page.replace(b"01:15:05", b"")).replay
    assert unknown.ended_at is None
    assert unknown.missing["ended_at"] == "no date and time of day in the row that fit the other one"


@pytest.mark.parametrize(
    ("label", "lost"),
    [
        ("Остров", {"island"}),
        ("Сторона-победитель", {"winner"}),
        ("Количество игроков / слотов", {"players"}),
        ("Длительность миссии", {"duration_seconds"}),
    ],
)
def test_a_changed_label_costs_its_field_and_says_so(label: str, lost: set[str]) -> None:
    found = wog(PAGE.replace(label.encode(), b"Something else"))
    assert found.replay.missing.keys() - {"commander_guer"} == lost
    assert found.replay.outcome == "incomplete"
    assert len(found.kills) == 3
    assert [name for name in lost - {"players"} if getattr(found.replay, name) is not None] == []
    if label == "Количество игроков / слотов":
        assert found.replay.players == 4  # of the roster


def test_other_markup_with_the_same_labels_is_read() -> None:
    page = PAGE.replace(b"<td>", b"<th scope=row>").replace(b"</td>", b"</th>")
    assert wog(page).replay == wog().replay
    terms = re.sub(
        rb"<tr><td>(.*?)</td>\s*<td>(.*?)</td></tr>", rb"<dl><dt>\1</dt> <dd>\2</dd></dl>", PAGE, flags=re.DOTALL
    )
    terms = terms.replace(b'<table class="table">', b"<div>").replace(b"</table>", b"</div>")
    assert b"<dt>" in terms
    assert wog(terms).replay == wog().replay


@pytest.mark.parametrize(
    ("page", "digest", "outcome", "kills"),
    [
        ("<title>Ошибка / WOG Stats</title>".encode(), DIGEST, "not_found", 3),
        ("<title>Ошибка / WOG Stats</title>".encode(), b"<html>", "not_found", 0),
        (PAGE, DIGEST[:200], "truncated", 0),
        (PAGE, b"<!DOCTYPE html><p>502", "not_a_replay", 0),
        (PAGE, b"{}", "not_a_replay", 0),
        (PAGE, b"[1]", "not_a_replay", 0),
        (PAGE, None, "incomplete", 0),
        (None, DIGEST, "incomplete", 3),
        (b"<p>502</p>", DIGEST, "not_a_replay", 3),
    ],
)
def test_what_could_not_be_read_is_said_and_the_rest_is_kept(
    page: bytes | None, digest: bytes | None, outcome: str, kills: int
) -> None:
    found = wog(page, digest)
    assert (found.replay.outcome, len(found.kills)) == (outcome, kills)
    assert found.replay.reason
    assert (found.replay.mission is not None) == (page == PAGE)


def test_odd_kills() -> None:
    kills = {
        "10": {"7002": ["", 7002, "", "Grenade", 0, 0]},
        "20": {"7003": ["", 9999, "", "AK", "31", 0], "oops": ["", 7001, "", "AK", 5, False]},
        "later": {"7001": []},
        "30": {"7001": ["", "null", "", "", -1, 0]},
    }
    digest = json.dumps(json.loads(DIGEST) | {"playersDead": kills}).encode()
    found = wog(digest=digest)
    suicide, stranger, nobody, unknown = found.kills
    assert (suicide.is_suicide, suicide.is_team_kill) == (True, False)
    assert (stranger.killer_id, stranger.killer_name, stranger.is_doubtful) == (9999, None, True)
    assert stranger.distance_metres == 31
    assert (nobody.victim_id, nobody.victim_kind) == (None, "unknown")
    assert (unknown.killer_id, unknown.distance_metres) == (None, None)
    assert found.replay.counts == {"kills_without_second": 1}


def test_objects_that_php_writes_as_arrays() -> None:
    digest = json.loads(DIGEST) | {"playersDead": [], "vehiclesUnits": [["car", "Offroad"]]}
    found = wog(digest=json.dumps(digest).encode())
    assert found.kills == ()
    assert all(unit.survived for unit in found.units)
    assert [(one.vehicle_id, one.name) for one in found.vehicles] == [(0, "Offroad")]


def test_survivors_are_unknown_and_not_all_where_the_digest_has_no_deaths() -> None:
    digest = json.loads(DIGEST)
    del digest["playersDead"]
    found = wog(digest=json.dumps(digest).encode())
    assert {unit.survived for unit in found.units} == {None}
    assert found.replay.missing["playersDead"] == "the digest has no object 'playersDead'"
