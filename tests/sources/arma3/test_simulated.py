"""What is read of a simulated game is what happened in it, but for what a generation does not tell."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from pteroassets.simulator.arma3.game import Death, Game, Soldier, play
from pteroassets.simulator.arma3.pages import digest, game_page
from pteroassets.simulator.arma3.recordings import GENERATIONS, file_name, recording
from pteroassets.sources.arma3.ocap import read_recording
from pteroassets.sources.arma3.ocap_list import stem
from pteroassets.sources.arma3.records import Harm, Reading
from pteroassets.sources.arma3.wog_game import read_game
from tests.sources.arma3.reading import listed

EVENING = datetime(2026, 1, 17, 20, 50, tzinfo=UTC)
SEEDS = (1, 2, 3)
EACH = [(seed, generation) for seed in SEEDS for generation in GENERATIONS]


@cache
def game_of(seed: int) -> Game:
    return play(seed, 3400 + seed, EVENING, minutes=6, delay=(1.23, 5.0, 1.0)[seed % 3])


@cache
def read(seed: int, generation: str) -> Reading:
    game = game_of(seed)
    of = listed(stem(file_name(game, generation)), int(EVENING.timestamp()))
    return read_recording(recording(game, generation), of, zone="Europe/Moscow")


def second(game: Game, frame: int) -> float:
    return round(frame * game.delay, 3)


def true_harm(game: Game, death: Death, generation: str) -> tuple[Any, ...]:
    """Return when, whom in which vehicle, who in which vehicle, with what and how far."""

    def named(unit: int | None, machine: int | None) -> tuple[str | None, str | None]:
        if unit is not None:
            soldier = game.soldier(unit)
            aboard = soldier.vehicle_at(death.frame)
            # the first generation has no names by frame, and a stream has them of frames that nobody knows
            name = soldier.name if generation in {"legacy", "stream"} else soldier.name_at(death.frame)
            return name, None if aboard is None else game.machine(aboard).name
        return None, None if machine is None else game.machine(machine).name

    metres = death.metres
    return (
        second(game, death.frame),
        *named(death.victim, death.victim_machine),
        *named(death.killer, death.killer_machine),
        death.weapon or None,
        None if metres is None else float(metres),
    )


def said(harm: Harm) -> tuple[Any, ...]:
    return (
        harm.second,
        harm.victim_name,
        harm.victim_vehicle,
        harm.killer_name,
        harm.killer_vehicle,
        harm.weapon,
        harm.distance_metres,
    )


def order(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=str)


@pytest.mark.parametrize(("seed", "generation"), EACH)
def test_every_kill_is_told_and_nothing_else(seed: int, generation: str) -> None:
    game, found = game_of(seed), read(seed, generation)
    deaths = [
        death
        for death in game.deaths
        if generation != "extension5" or death.killer is not None or death.killer_machine is not None
    ]
    expected = [true_harm(game, death, generation) for death in deaths]
    if generation == "extension4":  # the engine kills who leaves
        expected += [
            (second(game, one.left_at), one.name, None, None, None, None, None)
            for one in game.soldiers
            if one.left_at is not None
        ]
    assert order([said(kill) for kill in found.kills]) == order(expected)
    assert [kill.second for kill in found.kills] == sorted(kill.second for kill in found.kills)
    by_victim = {(death.frame, death.victim): game.is_team_kill(death) for death in deaths if death.victim is not None}
    for kill in found.kills:
        key = (round(kill.second / game.delay), kill.victim_id)
        if kill.killer_kind == "unit" and kill.victim_kind == "unit":
            assert kill.is_team_kill == by_victim[key]
            assert kill.is_suicide == (kill.victim_id == kill.killer_id)
        elif kill.killer_kind == "unknown":
            assert (kill.killer_id, kill.is_team_kill, kill.is_suicide) == (None, None, None)
            assert kill.killer_reason


@pytest.mark.parametrize(("seed", "generation"), EACH)
def test_every_hit_is_told(seed: int, generation: str) -> None:
    game, found = game_of(seed), read(seed, generation)
    expected = [] if generation == "solidgames" else [true_harm(game, hit, generation)[:3] for hit in game.hits]
    assert order([said(hit)[:3] for hit in found.hits]) == order(expected)


@pytest.mark.parametrize(("seed", "generation"), EACH)
def test_who_survived(seed: int, generation: str) -> None:
    game, found = game_of(seed), read(seed, generation)
    for unit in found.units:
        soldier = game.soldier(unit.unit_id)
        is_killed = soldier.killed_at is not None or (generation == "extension4" and soldier.left_at is not None)
        if generation == "stream":
            assert unit.survived in {False if is_killed else None, None}
            continue
        assert unit.survived is not is_killed
        if soldier.killed_at is not None:
            assert unit.died_second is not None
            # of a kill that nobody sent, the frame after tells
            late = second(game, soldier.killed_at + 1)
            assert unit.died_second in {second(game, soldier.killed_at), late}
            is_unsent = generation == "extension5" and unit.died_second == late
            assert unit.death_without_kill == is_unsent


@pytest.mark.parametrize(("seed", "generation"), EACH)
def test_who_held_which_soldier(seed: int, generation: str) -> None:
    game, found = game_of(seed), read(seed, generation)
    if generation == "stream":
        assert found.stints == ()
        return

    def held(soldier: Soldier) -> list[tuple[float, str, bool]]:
        if not soldier.stints or generation == "legacy":
            return [(second(game, soldier.start), soldier.name, bool(soldier.stints))]
        return [(second(game, frame), player.name, True) for frame, player in soldier.stints]

    for soldier in game.soldiers:
        stints = [one for one in found.stints if one.unit_id == soldier.unit_id]
        assert [(one.first_second, one.name, one.is_player) for one in stints] == held(soldier)
        assert all(one.last_second < other.first_second for one, other in pairwise(stints))


@pytest.mark.parametrize(("seed", "generation"), EACH)
def test_the_head(seed: int, generation: str) -> None:
    game, found = game_of(seed), read(seed, generation)
    head = found.replay
    assert (head.mission, head.island, head.generation) == (game.mission, game.island, generation)
    assert head.counts == {}
    assert head.winner == (None if generation in {"legacy", "solidgames"} else game.winner)
    assert (head.winner is None) == (head.winner_reason is not None)
    expected = {"solidgames": "address", "legacy": "file_name", "reforger": "file_name"}.get(generation, "recording")
    assert head.clock == expected
    assert head.started_at is not None
    assert abs((head.started_at - game.started_at).total_seconds()) <= (60 if generation == "legacy" else 1)
    hidden = {player.name for one in game.soldiers for _, player in one.stints[1:]}
    if generation in {"legacy", "stream"}:
        assert head.players == len(game.players) - len(hidden)
    else:
        assert head.players == len(game.players)
        assert {side.side: side.players for side in found.sides} == {side: game.heads(side) for side in game.sides}
    assert len(found.vehicles) == len(game.machines)
    for machine in found.vehicles:
        assert machine.survived == (game.machine(machine.vehicle_id).destroyed_at is None)
    assert len(found.connects) == len(game.comings)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("generation", [one for one in GENERATIONS if one != "stream"])
def test_time_in_squares_is_time_alive(seed: int, generation: str) -> None:
    game, found = game_of(seed), read(seed, generation)
    for soldier in game.soldiers:
        ends = [one for one in (soldier.killed_at, soldier.left_at) if one is not None]
        frames = min([game.end, *ends]) - soldier.start + 1
        cells = [one for one in found.positions if one.unit_id == soldier.unit_id]
        assert sum(one.seconds for one in cells) == pytest.approx(frames * game.delay)
        driven = sum(soldier.vehicle_at(frame) is not None for frame in range(soldier.start, soldier.start + frames))
        assert sum(one.vehicle_seconds for one in cells) == pytest.approx(driven * game.delay)


@pytest.mark.parametrize("seed", SEEDS)
def test_wog_tells_the_same_game(seed: int) -> None:
    game = game_of(seed)
    found = read_game(game_page(game), digest(game), game=game.number)
    head = found.replay
    assert (head.outcome, head.reason) == ("ok", None)
    assert (head.mission, head.island, head.winner) == (game.mission, game.island, game.winner)
    assert (head.players, head.slots) == (len(game.players), game.slots)
    assert head.started_at == game.started_at
    assert head.ended_at is not None
    assert 0 <= (game.ended_at - head.ended_at).total_seconds() < 1
    assert {side.side: (side.players, side.commander_id) for side in found.sides} == {
        side: (game.heads(side), game.commanders[side].player_id) for side in game.sides
    }
    assert {(unit.player_id, unit.name) for unit in found.units} == {
        (number, player.name) for number, (player, _) in game.players.items()
    }
    expected = []
    for death in game.deaths:
        victim = None if death.victim is None else game.soldier(death.victim).player_at(death.frame)
        killer = None if death.killer is None else game.soldier(death.killer).player_at(death.frame)
        if victim is not None:
            is_team_kill = None if killer is None else game.is_team_kill(death)
            who = None if killer is None else killer.name
            expected.append((int(death.frame * game.delay), victim.name, who, is_team_kill))
    assert order([(one.second, one.victim_name, one.killer_name, one.is_team_kill) for one in found.kills]) == order(
        expected
    )
    dead = {name for _, name, _, _ in expected}
    assert {unit.name for unit in found.units if unit.survived} == {
        player.name for player, _ in game.players.values() if player.name not in dead
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_both_sources_agree_on_the_kills_between_people(seed: int) -> None:
    game = game_of(seed)
    wog = read_game(game_page(game), digest(game), game=game.number)
    ocap = read(seed, "extension4")
    people = {player.name for player, _ in game.players.values()}

    def between(reading: Reading) -> list[tuple[str | None, str | None, bool | None]]:
        return sorted(
            (one.victim_name, one.killer_name, one.is_team_kill)
            for one in reading.kills
            if one.victim_name in people and one.killer_name in people
        )

    assert between(wog) == between(ocap)
    assert len(between(wog)) > 3
