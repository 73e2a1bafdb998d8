"""A recording of each generation, written by hand, with what a person would say happened in it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from pteroassets.sources.arma3.positions import PositionCell, RollUp
from pteroassets.sources.arma3.records import Reading, Stint
from tests.sources.arma3.reading import GENERATIONS, golden, listed, recording, survivors, told


@pytest.fixture(scope="module")
def readings() -> dict[str, Reading]:
    return {name: recording(golden(name)) for name in GENERATIONS}


def test_each_generation_is_told_by_its_form(readings: dict[str, Reading]) -> None:
    assert {name: reading.replay.generation for name, reading in readings.items()} == {
        name: name for name in GENERATIONS
    }
    assert {name for name, reading in readings.items() if reading.replay.outcome != "ok"} == {"stream"}


def test_legacy(readings: dict[str, Reading]) -> None:
    found = readings["legacy"]
    assert [told(kill) for kill in found.kills] == [
        (2.0, "Falcon", "Heron", "M4A1", 286.0, False),
        (3.0, "O'Neil", None, None, None, None),
        (4.0, "Falcon", "UAZ", None, 0.0, None),
    ]
    assert (found.kills[0].victim_vehicle, found.kills[0].killer_vehicle) == ("UAZ", None)
    assert found.kills[1].killer_reason == "the recording names no killer"
    assert [kill.killer_kind for kill in found.kills] == ["unit", "unknown", "vehicle"]
    assert survivors(found) == {"Heron": True, "O'Neil": False, "Falcon": False}
    assert [unit.is_player for unit in found.units] == [True, True, False]
    assert [(one.second, one.is_connect, one.name) for one in found.connects] == [
        (0, True, "Heron"),
        (5, False, "Heron"),
    ]
    assert (found.replay.winner, found.replay.winner_reason) == (None, "the recording has no end of the mission")
    assert (found.replay.started_at, found.replay.clock, found.replay.duration_seconds) == (None, "unknown", 5.0)


def test_solidgames(readings: dict[str, Reading]) -> None:
    found = readings["solidgames"]
    assert [told(kill) for kill in found.kills] == [
        (0.0, "[GF]Otter", "Цапля", "AK-12", 10.0, True),
        (10.0, "Marten", "Offroad", None, 80.0, None),
    ]
    assert found.hits == ()
    assert survivors(found) == {"Цапля": True, "[GF]Otter": False, "Falcon": True, "Marten": False}
    # Lynx took the wheel from Falcon, who had left
    assert [stint for stint in found.stints if stint.unit_id == 2] == [
        Stint(unit_id=2, number=0, name="Falcon", is_player=True, first_second=0, last_second=5),
        Stint(unit_id=2, number=1, name="Lynx", is_player=True, first_second=10, last_second=20),
    ]
    assert {(side.side, side.players, side.slots) for side in found.sides} == {("EAST", 2, 2), ("WEST", 3, 2)}
    assert (found.replay.players, found.replay.slots) == (5, 4)
    # 666 is nobody, and a vehicle is no player whatever its memory holds
    assert [one.unit_id for one in found.connects] == [0, 2, None, 2]
    assert {one.vehicle_id for one in found.vehicles} == {4}
    assert (found.replay.winner, found.replay.end_message) == (None, "Победа Красных!")
    base = found.markers[1]
    dot = found.markers[0]
    assert (dot.text, dot.side, dot.first_second, dot.last_second, dot.moves) == ("Точка", "EAST", 0, 15, 1)
    assert (base.text, base.shape, base.x, base.owner_name) == ("База", "ICON", 10, None)


def test_extension_4(readings: dict[str, Reading]) -> None:
    found = readings["extension4"]
    assert [told(kill) for kill in found.kills] == [
        (3.0, "Otter", "Heron", "MX 6.5 mm", 292.0, False),
        (3.0, "Quitter", None, None, None, None),
        (4.5, "Offroad", None, None, None, None),
        (4.5, "Heron", "Heron", "Grenade", 0.0, False),
    ]
    assert [kill.is_suicide for kill in found.kills] == [False, None, None, True]
    assert "disconnected" in str(found.kills[1].killer_reason)
    assert [told(hit) for hit in found.hits] == [(1.5, "Offroad", "Heron", "MX 6.5 mm", 296.0, None)]
    # the recording ends before it could show that Heron died
    assert survivors(found) == {"Heron": False, "Otter": False, "Quitter": False}
    assert [unit.died_second for unit in found.units] == [4.5, 3.0, 3.0]
    assert [vehicle.survived for vehicle in found.vehicles] == [False]
    assert (found.replay.winner, found.replay.end_message) == ("WEST", "All opposing vehicles destroyed")
    assert found.replay.started_at == datetime(2026, 1, 17, 20, 59, 57, tzinfo=UTC)
    assert found.replay.ended_at == datetime(2026, 1, 17, 21, 0, 3, tzinfo=UTC)
    assert [marker.is_projectile for marker in found.markers] == [False, True]


def test_extension_5(readings: dict[str, Reading]) -> None:
    found = readings["extension5"]
    assert [told(kill) for kill in found.kills] == [
        (1.0, "Heron", "BTR", "BTR: KPVT [14.5 mm]", 100.0, False),
        (4.0, "Lynx", None, None, 0.0, None),  # the writer's 0: Heron was dead
    ]
    assert [told(hit) for hit in found.hits] == [
        (1.0, "Heron", "Otter", "BTR: KPVT [14.5 mm]", 100.4, False),
        (1.0, "Lynx", "Heron", None, 10.0, True),
    ]
    assert [hit.is_doubtful for hit in found.hits] == [False, True]
    assert found.hits[0].killer_vehicle == "BTR"
    assert survivors(found) == {"Heron": False, "Otter": True, "Lynx": False}
    assert (found.replay.winner, found.replay.winner_reason) == (None, "the end of the mission names no side")
    assert found.replay.started_at == datetime(2026, 5, 1, 18, tzinfo=UTC)
    assert [message.kind for message in found.messages] == ["generalEvent", "captured", "endMission"]
    assert (found.markers[0].side, found.markers[0].owner_unit_id, found.markers[0].last_second) == ("EAST", 1, None)
    assert found.replay.counts == {"placeholders": 1}


def test_positions_of_a_stream_have_no_frames_and_are_not_made_up(readings: dict[str, Reading]) -> None:
    found = readings["stream"]
    assert (found.replay.positions_are_reliable, found.positions, found.stints) == (False, (), ())
    assert "positions" in found.replay.missing
    assert [told(kill) for kill in found.kills] == [(6.0, "Otter", "Heron", "Quad: M2 [12.7 mm]", 700.0, False)]
    assert survivors(found) == {"Heron": None, "Otter": False}
    assert found.replay.winner == "WEST"


def test_reforger(readings: dict[str, Reading]) -> None:
    found = readings["reforger"]
    assert [told(kill) for kill in found.kills] == [
        (1.0, "Otter", "Heron", "M16A2", 100.0, False),
        (2.0, "Otter", None, None, 0.0, None),
    ]
    assert found.kills[0].killer_vehicle == "M151"
    assert survivors(found) == {"Heron": True, "Otter": False}
    assert found.replay.counts == {"placeholders": 1, "shots": 2}


def test_the_number_of_nobody_is_nobody_even_where_a_soldier_has_it() -> None:
    found = recording(golden("solidgames").replace(b'"id": 3,', b'"id": 666,'))
    assert 666 in {unit.unit_id for unit in found.units}
    assert [one.unit_id for one in found.connects] == [0, 2, None, 2]


def test_a_soldier_whom_its_player_leaves_to_nobody_keeps_its_name() -> None:
    left = golden("solidgames").replace(b'[[460, 100], 0, 1, 1, "Lynx", 1]', b'[[460, 100], 0, 1, 1, "", 0]')
    assert [(one.name, one.is_player, one.first_second) for one in recording(left).stints if one.unit_id == 2] == [
        ("Falcon", True, 0.0),
        ("Falcon", False, 10.0),
        ("Lynx", True, 15.0),
    ]


def test_a_soldier_who_comes_back_to_life_is_somewhere_again_and_survived() -> None:
    risen = golden("solidgames").replace(b'[[110, 100], 0, 0, 0, "", 0]]}', b'[[110, 100], 0, 1, 0, "[GF]Otter", 1]]}')
    found = recording(risen)
    assert survivors(found)["[GF]Otter"] is True
    assert sum(cell.seconds for cell in found.positions if cell.unit_id == 1) == 10


def test_positions_are_rolled_up_to_squares_and_steps() -> None:
    found = recording(golden("solidgames"), roll_up=RollUp(grid_metres=50, step_seconds=10))
    assert [cell for cell in found.positions if cell.unit_id == 2] == [
        PositionCell(unit_id=2, step=0, cell_x=10, cell_y=2, seconds=5.0, vehicle_seconds=5.0),
        PositionCell(unit_id=2, step=0, cell_x=9, cell_y=2, seconds=5.0, vehicle_seconds=5.0),
        PositionCell(unit_id=2, step=1, cell_x=9, cell_y=2, seconds=5.0, vehicle_seconds=5.0),
        PositionCell(unit_id=2, step=1, cell_x=8, cell_y=2, seconds=5.0, vehicle_seconds=5.0),
        PositionCell(unit_id=2, step=2, cell_x=8, cell_y=2, seconds=5.0, vehicle_seconds=5.0),
    ]
    # nobody is anywhere once dead
    assert sum(cell.seconds for cell in found.positions if cell.unit_id == 1) == 5.0


def test_every_position_is_kept_where_it_is_asked_for_a_row_as_long_as_nothing_stirs() -> None:
    assert recording(golden("extension4")).full_positions == ()
    found = recording(golden("extension4"), roll_up=RollUp(keeps_all=True)).full_positions
    rows = [tuple(row) for row in found]
    assert len(found) == len(rows)
    assert [row for row in rows if row[0] == 0] == [
        # entity, number, seconds, where, heading, life, in a vehicle
        (0, 0, 0.0, 0.0, 100.0, 200.0, 3.1, 90, 1, False),
        (0, 1, 1.5, 1.5, 104.0, 200.0, 3.1, 90, 2, False),
        (0, 2, 3.0, 3.0, 108.0, 200.0, 3.2, 90, 1, False),
        (0, 3, 4.5, 6.0, 108.0, 200.0, 3.2, 88, 1, False),
    ]
    assert [row for row in rows if row[0] == 2] == [
        (2, 0, 0.0, 4.5, 400.0, 200.0, 3.0, 270, 1, None),
        (2, 1, 6.0, 6.0, 400.0, 200.0, 3.0, 270, 0, None),
    ]
    # of a stream nobody knows which frame a position is of; its vehicles say it
    assert {row.entity_id for row in recording(golden("stream"), roll_up=RollUp(keeps_all=True)).full_positions} <= {
        vehicle.vehicle_id for vehicle in recording(golden("stream")).vehicles
    }


@pytest.mark.parametrize(
    ("name", "number", "day", "expected"),
    [
        (
            "2026_01_17__23_59_40_server_ocap",
            1_768_683_560,
            None,
            ("address", datetime(2026, 1, 17, 20, 59, 20, tzinfo=UTC)),
        ),
        ("2026_01_18__00_00_10_server_ocap", 7, None, ("file_name", datetime(2026, 1, 17, 20, 59, 50, tzinfo=UTC))),
        ("Ridge_20260118_000010", None, None, ("file_name", datetime(2026, 1, 17, 20, 59, 50, tzinfo=UTC))),
        ("Ridge", None, date(2026, 1, 18), ("upload_date", None)),
        ("Ridge_20269918_000010", None, None, ("unknown", None)),
    ],
)
def test_the_clock_is_the_best_there_is_and_says_which(
    name: str, number: int | None, day: date | None, expected: tuple[str, datetime | None]
) -> None:
    found = recording(golden("solidgames"), listed=listed(name, number, day), zone="Europe/Moscow").replay
    assert (found.clock, found.started_at) == expected
    assert found.clock_reason
    if found.started_at is not None and found.ended_at is not None:
        assert (found.ended_at - found.started_at).total_seconds() == found.duration_seconds == 20
        assert found.played_on == date(2026, 1, 17)
