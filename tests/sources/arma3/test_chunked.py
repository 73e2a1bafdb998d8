"""Recordings in the chunks of newest servers: a golden one, games of which all is known, and what is damaged."""

from __future__ import annotations

import gzip
import random
import zipfile
from datetime import UTC, datetime
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pteroassets.simulator.arma3.chunks import converted, message
from pteroassets.simulator.arma3.game import play
from pteroassets.simulator.arma3.recordings import recording as recorded
from pteroassets.sources.arma3.ocap_chunked import bundle, chunk_count, is_chunked, with_texts
from pteroassets.sources.arma3.positions import PositionCell, RollUp
from pteroassets.sources.arma3.records import Reading
from pteroassets.sources.arma3.unpacking import Limits, Unreadable
from tests.sources.arma3.reading import recording, survivors, told
from tests.sources.arma3.test_fuzz import judge, mangled

# field numbers and values, by the server's schema
HERON = [(1, 0), (2, 1), (3, "Heron"), (4, 1), (5, "Alpha"), (6, "Leader@Alpha"), (9, True)]
OTTER = [(1, 1), (2, 1), (3, "Otter"), (4, 2), (5, "Red"), (9, True)]
LYNX = [(1, 2), (2, 1), (3, "Lynx"), (4, 1), (5, "Alpha"), (7, 1), (9, True)]
BTR = [(1, 3), (2, 2), (3, "BTR"), (4, 2), (10, "apc")]
EVENTS = [
    [(1, 0), (2, "connected"), (5, "Heron")],
    [(1, 1), (2, "killed"), (3, 3), (4, 0), (6, 100.0), (7, "BTR: KPVT")],  # the vehicle killed Heron
    [(1, 2), (2, "killed"), (3, 0), (4, 2), (6, -1.0)],  # nobody killed Lynx
    [(1, 2), (2, "hit"), (3, 1), (4, 3), (6, 12.5), (7, "RPG")],
    [(1, 3), (2, "endMission")],
]
MARKER = [
    (1, "mil_dot"), (2, "Hill"), (4, 2**32 - 1), (5, -1), (6, "800000"), (7, 2),
    (8, message([(2, 250.0), (3, 210.0)])), (9, [1.0, 1.0]), (10, "ICON"),
]  # fmt: skip


def state(entity: int, x: float, y: float, life: int, *more: tuple[int, object]) -> bytes:
    return message([(1, entity), (2, x), (3, y), (4, 90), (5, life), *more])


IS_HERON, IS_OTTER, IS_LYNX = ([(9, name), (10, True)] for name in ("Heron", "Otter", "Lynx"))
ABOARD = [(7, 3), (8, True)]
FRAMES = [
    [
        state(0, 100.0, 100.0, 1, *IS_HERON),
        state(1, 200.5, 100.0, 1, *ABOARD, *IS_OTTER),
        state(3, 200.5, 100.0, 1, (6, [1])),
    ],
    [
        state(0, 110.0, 100.0, 1, *IS_HERON),
        state(1, 200.5, 100.0, 1, *ABOARD, *IS_OTTER),
        state(2, 120.0, 100.0, 1, *IS_LYNX),
        state(3, 200.5, 100.0, 1, (6, [1])),
    ],
    [
        state(0, 110.0, 100.0, 0),
        state(1, 200.5, 100.0, 1, *IS_OTTER),
        state(2, 120.0, 100.0, 2, *IS_LYNX),
        state(3, 200.5, 100.0, 1),
    ],
]


def manifest(*more: tuple[int, object], chunks: int = 2) -> bytes:
    return message(
        [
            (1, 1), (2, "Malden"), (3, "Harbour"), (4, 3), (5, 2), (6, 1500), (7, chunks),
            *((8, message(one)) for one in (HERON, OTTER, LYNX, BTR)),
            (9, message([(2, "2026-05-01T18:00:00.000")])),
            *((10, message(event)) for event in EVENTS),
            (11, message(MARKER)), (12, "5.0.0-rc.2"), (13, "2.1.0"), *more,
        ]
    )  # fmt: skip


def chunk(first: int, frames: list[list[bytes]]) -> bytes:
    told = [(4, message([(1, at), *((2, one) for one in frame)])) for at, frame in enumerate(frames, first)]
    return message([(1, first // 2), (2, first), (3, len(frames)), *told])


PREFIX = b"\x01\0\0\0"
GOLDEN = bundle(PREFIX + manifest(), [PREFIX + chunk(0, FRAMES[:2]), chunk(2, FRAMES[2:])])


def test_the_golden_recording() -> None:
    found = recording(GOLDEN)
    head = found.replay
    assert (head.generation, head.outcome, head.mission, head.island) == ("chunked", "ok", "Harbour", "Malden")
    assert (head.capture_delay, head.duration_seconds, head.started_at) == (
        1.5,
        4.5,
        datetime(2026, 5, 1, 18, tzinfo=UTC),
    )
    assert [told(kill) for kill in found.kills] == [
        (1.5, "Heron", "BTR", "BTR: KPVT", 100.0, False),
        (3.0, "Lynx", None, None, None, None),
    ]
    assert [told(hit) for hit in found.hits] == [(3.0, "BTR", "Otter", "RPG", 12.5, True)]
    assert found.kills[1].killer_reason == "the recording names no killer"
    # Lynx lay unconscious when it was killed, and the last frame is in no chunk
    assert survivors(found) == {"Heron": False, "Otter": True, "Lynx": False}
    assert (head.winner, head.winner_reason) == (None, "the end of the mission names no side")
    assert [(unit.first_second, unit.side, unit.squad, unit.role) for unit in found.units] == [
        (0.0, "WEST", "Alpha", "Leader@Alpha"),
        (0.0, "EAST", "Red", None),
        (1.5, "WEST", "Alpha", None),
    ]
    assert [(one.vehicle_id, one.name, one.vehicle_class, one.side, one.survived) for one in found.vehicles] == [
        (3, "BTR", "apc", "EAST", True)
    ]
    (marker,) = found.markers
    assert (marker.text, marker.side, marker.owner_unit_id, marker.last_second, marker.x) == (
        "Hill",
        "EAST",
        None,
        None,
        250,
    )
    assert head.versions == {"addon": "2.1.0", "extension": "5.0.0-rc.2"}
    cells = recording(GOLDEN, roll_up=RollUp(grid_metres=10, step_seconds=60)).positions
    assert [cell for cell in cells if cell.unit_id == 1] == [
        PositionCell(unit_id=1, step=0, cell_x=20, cell_y=10, seconds=4.5, vehicle_seconds=3.0)
    ]
    assert is_chunked(GOLDEN)
    assert chunk_count(PREFIX + manifest()) == chunk_count(manifest()) == 2


def rolled(found: Reading) -> dict[tuple[int, int, int, int], float]:
    return {(one.unit_id, one.step, one.cell_x, one.cell_y): one.seconds for one in found.positions}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("generation", ["extension4", "extension5"])
def test_a_game_says_in_chunks_what_its_json_says(generation: str, seed: int) -> None:
    content = recorded(play(seed, seed, datetime(2026, 1, 17, 18, tzinfo=UTC), minutes=30.0), generation)
    first, *chunks = converted(content).values()
    assert len(chunks) == 2
    found, expected = recording(bundle(first, chunks)), recording(content)
    assert [unit.name for unit in found.units] == [unit.name for unit in expected.units]
    assert [(one.victim_id, one.second, one.weapon) for one in found.kills] == [
        (one.victim_id, one.second, one.weapon) for one in expected.kills
    ]
    for one, other in zip(found.kills, expected.kills, strict=True):
        # 0 is somebody and nobody here; what is not 0 is known
        assert one.killer_id == other.killer_id or one.is_doubtful or "0 is nobody" in str(one.killer_reason)
    assert [one.name for one in found.connects] == [one.name for one in expected.connects]
    assert found.replay.started_at == expected.replay.started_at
    last = round(expected.replay.duration_seconds or 0)
    delay = expected.replay.capture_delay or 0
    cells, there = rolled(found), rolled(expected)
    lost = {key: round(there[key] - cells.get(key, 0), 3) for key in there if cells.get(key) != there[key]}
    # but for the last frame, which the server leaves out
    assert set(lost.values()) <= {delay}
    assert all(key[1] == last // 60 for key in lost)
    stints = [(one.unit_id, one.name, one.first_second) for one in expected.stints if one.first_second < last]
    assert [(one.unit_id, one.name, one.first_second) for one in found.stints] == stints


def test_a_chunk_that_is_lost_is_said() -> None:
    found = recording(bundle(manifest(), [chunk(0, FRAMES[:2])]))
    assert (found.replay.outcome, found.replay.missing["positions"]) == ("incomplete", "1 of 2 chunks are not there")
    assert len(found.kills) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bundle(b"\x02\0\0\0" + manifest(), []), "manifest.pb is of schema 2, and schema 1 is read"),
        (bundle(manifest()[:-3], []), "manifest.pb is damaged"),
        (bundle(manifest(), [b"\xff" * 9]), "chunks/0000.pb is damaged"),
        (GOLDEN[: len(GOLDEN) // 2], "its archive is damaged"),
    ],
)
def test_what_is_damaged_or_of_another_schema_is_said(content: bytes, words: str) -> None:
    found = recording(content).replay
    assert found.outcome == "unreadable"
    assert words in str(found.reason)


def test_an_archive_without_a_manifest_is_no_recording() -> None:
    held = BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.txt", b"")
    assert recording(held.getvalue()).replay.outcome == "not_a_replay"


def test_an_archive_that_unpacks_to_too_much_is_refused() -> None:
    held = BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.pb", bytes(9 << 20))
    assert recording(held.getvalue(), limits=Limits(unpacked_bytes=8 << 20)).replay.outcome == "too_large"


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_archive_that_is_packed_is_no_recording(packing: int) -> None:
    held = BytesIO()
    with zipfile.ZipFile(held, "w", packing) as archive:
        archive.writestr("manifest.pb", bytes(range(256)) * 40)
    content = bytearray(held.getvalue())
    content[45:80] = bytes(35)
    found = recording(bytes(content)).replay
    assert (found.outcome, found.reason) == ("not_a_replay", "it is an archive that is no recording in chunks")


@pytest.mark.parametrize("count", [0, 10**6])
def test_a_manifest_of_no_or_countless_chunks_is_refused(count: int) -> None:
    with pytest.raises(Unreadable, match=f"tells of {count:,} chunks"):
        chunk_count(manifest(chunks=count))


def test_a_frame_far_beyond_the_end_costs_nothing() -> None:
    far = message([(4, message([(1, 2**31 - 1), (2, state(0, 1.0, 1.0, 1))]))])
    found = recording(bundle(manifest(), [chunk(0, FRAMES[:2]), far]))
    assert found.replay.counts["positions_beyond_the_end"] == 1
    long = message([(4, 400_000)])
    apart = [message([(4, message([(1, at), (2, state(0, 1.0, 1.0, 1))]))]) for at in (0, 399_999)]
    found = recording(bundle(manifest() + long, apart))
    assert found.replay.counts["entities_with_gaps"] == 1
    assert survivors(found)["Heron"] is False, "its kill is told all the same"


def test_a_player_is_forgotten_in_an_archive_and_what_is_not_known_stays() -> None:
    unknown = (77, "kept")
    content = bundle(PREFIX + manifest(unknown), [PREFIX + chunk(0, FRAMES[:2]), chunk(2, FRAMES[2:])])
    assert with_texts(content, str) == content
    changed = with_texts(content, lambda said: said.replace("Heron", "_aB3d"))
    assert b"Heron" not in changed
    assert b"kept" in changed
    assert survivors(recording(changed)) == {"_aB3d": False, "Otter": True, "Lynx": False}
    assert with_texts(b"PK\x03\x04 no archive", str.upper) == b"PK\x03\x04 no archive"


@given(seed=st.integers(min_value=0))
def test_mutated_archives(seed: int) -> None:
    chance = random.Random(seed)
    files = [PREFIX + manifest(), PREFIX + chunk(0, FRAMES[:2]), chunk(2, FRAMES[2:])]
    for _ in range(6):
        first, *chunks = [mangled(one, chance) if chance.random() < 0.5 else one for one in files]
        content = bundle(first, chunks)
        content = mangled(content, chance) if chance.random() < 0.2 else content
        judge(recording(content, roll_up=RollUp(keeps_all=chance.random() < 0.5)))
        with_texts(content, str.upper)
    judge(recording(gzip.compress(content)))
