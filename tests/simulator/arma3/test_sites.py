"""The game that the dice play, and the stub that shows it: what is there, when, and what is wrong with it."""

from __future__ import annotations

import gzip
import json
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from pteroassets.clock import ManualClock
from pteroassets.simulator.arma3.game import Game, play
from pteroassets.simulator.arma3.recordings import GENERATIONS, file_name, large, recording
from pteroassets.simulator.arma3.serve import FakeReplaySites

EVENING = datetime(2026, 1, 17, 20, 50, tzinfo=UTC)


def game(seed: int = 1, number: int = 3405) -> Game:
    return play(seed, number, EVENING)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(EVENING + timedelta(hours=2))


@pytest.fixture
def running(clock: ManualClock) -> Iterator[FakeReplaySites]:
    with FakeReplaySites(clock) as fake:
        yield fake


def get(running: FakeReplaySites, path: str, **headers: str) -> requests.Response:
    return requests.get(f"{running.url}{path}", headers=headers, timeout=10)


def listed(running: FakeReplaySites) -> list[str]:
    page = get(running, "/projects/wog-a3/games/").text
    return [part.split("/")[0] for part in page.split('"/games/')[1:]]


def test_the_same_seed_plays_the_same_game_and_another_one_another() -> None:
    assert recording(game(), "extension5") == recording(game(), "extension5")
    assert recording(game(), "extension5") != recording(game(seed=2), "extension5")


@pytest.mark.parametrize("seed", range(12))
def test_every_game_has_the_odd_cases(seed: int) -> None:
    played = game(seed)
    deaths = played.deaths
    assert any(one.killer is None and one.killer_machine is None for one in deaths)
    assert any(one.killer is None and one.killer_machine is not None for one in deaths)
    assert any(one.victim == one.killer for one in deaths)
    assert any(played.is_team_kill(one) for one in deaths)
    assert any(one.victim_machine is not None for one in deaths)
    assert any(len(one.stints) > 1 for one in played.soldiers)
    assert any(one.left_at is not None for one in played.soldiers)
    assert any(not one.stints for one in played.soldiers)
    assert any(one.swoon for one in played.soldiers)
    names = "".join(player.name for player, _ in played.players.values())
    assert "'" in names
    assert any("CYRILLIC" in unicodedata.name(letter, "") for letter in names)
    # nobody dies twice, and nobody kills once dead
    victims = [one.victim for one in deaths if one.victim is not None]
    assert len(victims) == len(set(victims))
    for one in deaths:
        if one.killer is not None:
            assert played.soldier(one.killer).is_there(one.frame)


def test_a_game_over_midnight_of_its_community() -> None:
    end = game().ended_at
    assert (end - EVENING, file_name(game(), "solidgames")[:20]) == (timedelta(minutes=20), "2026_01_18__00_10_00")


def test_two_games_appear_at_once_and_one_late(running: FakeReplaySites, clock: ManualClock) -> None:
    running.sites.publish(game(number=1))
    running.sites.publish(game(number=3))
    running.sites.publish(game(number=2), at=clock.now() + timedelta(minutes=30))
    assert listed(running) == ["3", "1"]
    assert "Ошибка" in get(running, "/games/2/").text
    clock.sleep(1800)
    assert listed(running) == ["3", "2", "1"]
    assert "Ошибка" not in get(running, "/games/2/").text
    running.sites.withdraw(3)
    assert listed(running) == ["2", "1"]


def test_a_page_that_did_not_change_is_not_sent_again_and_a_corrected_one_is(running: FakeReplaySites) -> None:
    running.sites.publish(game())
    first = get(running, "/games/3405/")
    again = get(running, "/games/3405/", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    changed = game()
    changed.winner = "CIV"
    running.sites.publish(changed)
    corrected = get(running, "/games/3405/", **{"If-None-Match": first.headers["ETag"]})
    assert corrected.status_code == 200
    assert "text-purple" in corrected.text


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_recording_is_found_by_its_list(running: FakeReplaySites, generation: str) -> None:
    running.sites.upload(game(), generation)
    (row,) = get(running, "/api/v1/operations?newer=2026-01-18").json()
    assert get(running, "/api/v1/operations?newer=2026-01-19").json() == []
    answer = get(running, f"/data/{row['filename']}.json.gz")
    assert answer.json() == json.loads(recording(game(), generation))


def test_an_upload_anew_replaces_the_one_before(running: FakeReplaySites) -> None:
    running.sites.upload(game(), "extension5")
    running.sites.upload(game(), "extension5")
    running.sites.upload(game(number=7), "extension5")
    assert [row["id"] for row in get(running, "/api/v1/operations").json()] == [2, 3]


def test_faults_are_used_up_one_by_one(running: FakeReplaySites) -> None:
    running.sites.publish(game())
    path = "/json/replay-data.json?game=3405"
    running.sites.fail(path, 503, "html", "half", "cut")
    assert get(running, path).status_code == 503
    assert get(running, path).text.startswith("<!DOCTYPE")
    with pytest.raises(json.JSONDecodeError):
        get(running, path).json()
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        get(running, path)
    assert get(running, path).json()["players"]


def test_a_login_hides_recordings_and_not_the_health(running: FakeReplaySites) -> None:
    running.sites.access = "password"
    assert get(running, "/api/v1/operations").status_code == 401
    assert get(running, "/api/healthcheck").status_code == 200


def test_a_large_recording_is_about_as_large_as_asked() -> None:
    content = large(3)
    assert 2.8 < len(content) / 2**20 < 3.6
    assert json.loads(content)["endFrame"] == 3999
    assert len(gzip.compress(content, 1)) < len(content) / 4
