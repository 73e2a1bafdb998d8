"""Where readers of such a site go wrong, each beside what that way makes of the same game.

Pages are matched by regular expressions, texts become part of SQL, times have no zone, and keys of a game's digest are
taken for keys of everything.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime, time, timedelta

from pteroassets.simulator.arma3.game import Game, play
from pteroassets.simulator.arma3.pages import digest, game_page, list_page
from pteroassets.simulator.arma3.truth import TrueKill, figures
from pteroassets.sources.arma3.records import Reading
from pteroassets.sources.arma3.wog import read_list
from pteroassets.sources.arma3.wog_game import read_game

EVENING = datetime(2026, 1, 17, 20, 50, tzinfo=UTC)


def game(number: int = 3405, seed: int = 1, players: int = 24) -> Game:
    return play(seed, number, EVENING + timedelta(hours=number % 5), players=players)


def read(one: Game) -> Reading:
    return read_game(game_page(one), digest(one), game=one.number)


def test_no_game_is_skipped_by_a_mark_of_the_highest_number() -> None:
    games = [game(number) for number in (3407, 3406, 3405)]
    found = [one.site_number for one in read_list(list_page(games)).replays]
    posted = 3404
    wrong = next(number for number in found if number is not None and number > posted)
    assert [number for number in found if number is not None and number > wrong] == []  # the other two are lost
    assert found == [3407, 3406, 3405]


def test_games_below_a_hundred_players_are_listed_and_read() -> None:
    small = game(players=9)
    (found,) = read_list(list_page([small])).replays
    assert found.players == len(small.players) < 100
    assert len(read(small).units) == len(small.players)


def test_the_same_number_of_a_vehicle_in_two_games_is_two_vehicles() -> None:
    one, other = read(game(1)), read(game(2, seed=2))
    shared = {vehicle.vehicle_id for vehicle in one.vehicles} & {vehicle.vehicle_id for vehicle in other.vehicles}
    assert shared  # a key that is met again would stop a load
    assert all(reading.vehicles for reading in (one, other))
    assert len({(reading.replay.replay_id, v.vehicle_id) for reading in (one, other) for v in reading.vehicles}) == len(
        one.vehicles
    ) + len(other.vehicles)


def test_survivors_are_those_of_this_game_and_a_victim_that_is_nobody_takes_none_away() -> None:
    one, other = game(1), game(2, seed=2)
    readings = [read(one), read(other)]
    dead_anywhere = {kill.victim_id for reading in readings for kill in reading.kills}
    for reading in readings:
        ours = {unit.unit_id for unit in reading.units if unit.survived}
        wrong = {unit.unit_id for unit in reading.units if unit.unit_id not in dead_anywhere}
        assert ours == {unit.unit_id for unit in reading.units} - {kill.victim_id for kill in reading.kills}
        assert wrong < ours
    told = json.loads(digest(one))
    told["playersDead"]["5"] = {"null": ["", None, "", "", None, 0]}
    found = read_game(game_page(one), json.dumps(told).encode(), game=1)
    assert [unit.survived for unit in found.units] == [unit.survived for unit in readings[0].units]


def test_quotes_and_letters_of_any_script_are_kept() -> None:
    one = game()
    found = read(one)
    names = {unit.name for unit in found.units}
    assert names == {player.name for player, _ in one.players.values()}
    assert any("'" in str(name) for name in names)
    assert any('"' in str(name) for name in names)
    assert {kill.victim_name for kill in found.kills} <= names


def test_changed_markup_costs_a_field_where_an_expression_would_raise() -> None:
    page = game_page(game())
    expression = re.compile("Остров</td><td>(.+?)</td>")
    flat = page.decode().replace("\n", "").replace("\t", "")
    assert expression.search(flat)
    changed = page.replace("<td>Остров</td>".encode(), "<th class=a><b>Остров:</b></th>".encode())
    assert expression.search(changed.decode().replace("\n", "").replace("\t", "")) is None
    before, after = read(game()), read_game(changed, digest(game()), game=3405)
    assert after == before


def test_squads_commanders_and_factions_are_kept() -> None:
    one = game()
    found = read(one)
    assert all(unit.squad and unit.role for unit in found.units)
    assert all(side.commander_id and side.faction for side in found.sides)


def test_times_have_a_zone_and_a_game_over_midnight_ends_after_it_began() -> None:
    found = read(game()).replay
    assert found.started_at is not None
    assert found.ended_at is not None
    assert (found.ended_at - found.started_at).total_seconds() == found.duration_seconds
    wrong = found.started_at.time(), found.ended_at.time()
    assert wrong == (time(23, 50), time(0, 10))
    assert wrong[1] < wrong[0]


def test_a_kill_after_a_day_of_play_has_its_second() -> None:
    told = json.loads(digest(game()))
    victim = next(iter(told["players"]))
    told["playersDead"] = {str(26 * 3600): {victim: ["", None, "", "", None, 0]}}
    found = read_game(game_page(game()), json.dumps(told).encode(), game=3405)
    assert [kill.second for kill in found.kills] == [93_600]  # no time of day goes beyond 23:59:59


def test_a_team_kill_is_none_of_a_killer_s_kills() -> None:
    found = read(game())
    team_kills = [kill for kill in found.kills if kill.is_team_kill]
    assert team_kills
    assert all(kill.killer_side == kill.victim_side for kill in team_kills)
    others = [kill for kill in found.kills if kill.is_team_kill is False and not kill.is_suicide]
    assert all(kill.killer_side != kill.victim_side for kill in others)


def test_the_figures_of_a_game_are_those_that_people_who_were_there_tell() -> None:
    for seed in range(1, 6):
        one = game(seed=seed)
        found, true = read(one), figures(one)
        told = [
            TrueKill(
                second=int(kill.second),
                victim=kill.victim_name or "",
                victim_vehicle=kill.victim_vehicle,
                killer=kill.killer_name,
                killer_vehicle=kill.killer_vehicle,
                weapon=kill.weapon,
                metres=None if kill.distance_metres is None else int(kill.distance_metres),
                is_team_kill=kill.is_team_kill,
                is_suicide=kill.is_suicide,
            )
            for kill in found.kills
        ]
        assert told == list(true.all_kills)
        assert {side.side: side.players for side in found.sides} == true.heads
        living = Counter(unit.side for unit in found.units if unit.survived)
        assert {side: living[side] for side in true.heads} == true.survivors
        assert Counter((one.vehicle_class, one.name) for one in found.vehicles) == true.vehicles
