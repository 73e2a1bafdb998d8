"""Ratings against the formula of the paper, worked out by hand, and what rates nobody."""

from __future__ import annotations

import math
from datetime import date

import pytest

from pteroassets.landing.arma3.ratings import SCALE, START, RatedGame, rate

DAY = date(2026, 1, 17)
SIGMA, BETA, TAU = 25 / 3, 25 / 6, 1 / 12


def game(winner: str, day: date = DAY, **sides: str) -> RatedGame:
    return RatedGame(played_on=day, winner=winner, sides={side: tuple(names) for side, names in sides.items()})


def test_a_first_game_moves_ratings_as_the_paper_says() -> None:
    """Algorithm 4 of Weng and Lin for two teams: omega and delta of each, dealt out by the variances of the players."""
    found = {one.player: one for one in rate([game("EAST", EAST="ab", WEST="cde")])}
    variance = SIGMA**2 + TAU**2
    east, west = 2 * variance, 3 * variance
    c = math.sqrt(east + west + 2 * BETA**2)
    chance = 0.5  # both sides are of means of 0, however many they are
    for name, side, score in (("a", east, 1 - chance), ("c", west, -chance)):
        omega = side / c * score
        gamma = math.sqrt(side) / c
        delta = gamma * side / c**2 * chance * (1 - chance)
        assert found[name].rating == pytest.approx(START + SCALE * variance / side * omega)
        assert found[name].deviation == pytest.approx(SCALE * math.sqrt(variance * (1 - variance / side * delta)))
    assert found["a"].rating == found["b"].rating > START > found["d"].rating
    assert {name: (one.games, one.wins) for name, one in found.items()} == {
        "a": (1, 1), "b": (1, 1), "c": (1, 0), "d": (1, 0), "e": (1, 0)
    }  # fmt: skip


def test_who_beats_the_stronger_gains_more() -> None:
    history = [game("EAST", EAST="a", WEST="b")] * 20
    before = {one.player: one for one in rate(history)}
    expected = {one.player: one for one in rate([*history, game("EAST", EAST="a", WEST="b")])}
    surprise = {one.player: one for one in rate([*history, game("WEST", EAST="a", WEST="b")])}
    assert surprise["b"].rating - before["b"].rating > expected["a"].rating - before["a"].rating > 0
    assert before["a"].deviation < SCALE * SIGMA


def test_all_but_the_winner_of_three_sides_share_the_second_place() -> None:
    found = {one.player: one for one in rate([game("GUER", EAST="a", WEST="b", GUER="c")])}
    assert found["a"].rating == pytest.approx(found["b"].rating)
    assert found["c"].rating > START > found["a"].rating


@pytest.mark.parametrize(
    "nobody",
    [game("EAST", EAST="ab"), game("EAST", WEST="ab", GUER="c"), game("EAST", EAST="ab", WEST="")],
    ids=["one side", "a winner without players", "a side without players"],
)
def test_a_game_against_nobody_rates_nobody(nobody: RatedGame) -> None:
    assert rate([nobody]) == []


def test_a_day_has_the_rating_after_its_last_game_and_the_same_games_give_the_same() -> None:
    games = [
        game("EAST", EAST="ab", WEST="cd"),
        game("WEST", EAST="ac", WEST="bd"),
        game("WEST", date(2026, 1, 18), EAST="ab", WEST="cd"),
    ]
    found = rate(games)
    assert found == rate(games)
    of_a = [(one.played_on.day, one.games, one.wins) for one in found if one.player == "a"]
    assert of_a == [(17, 2, 1), (18, 3, 1)]
    assert rate(games[:2]) == [one for one in found if one.played_on == DAY]
    # an old game that is corrected moves all that came after it
    corrected = rate([game("WEST", EAST="ab", WEST="cd"), *games[1:]])
    assert all(new.rating != old.rating for new, old in zip(corrected, found, strict=True))
