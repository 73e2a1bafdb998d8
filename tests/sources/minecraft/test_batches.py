"""In whatever pieces and order a log arrives, it gives the same events, sessions and runs."""

from __future__ import annotations

import dataclasses
import itertools
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from pteroassets.sources.minecraft.events import LogEvent, ParserState
from pteroassets.sources.minecraft.history import FileOfEvents, PlayerSession, ServerRun, SessionBuild, SessionEvent
from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.minecraft.sessions import begins_with_start, build_sessions, rebuild_from
from tests.sources.minecraft.writing import at, parse

GOLDEN = sorted((Path(__file__).parents[2] / "fixtures" / "minecraft" / "golden").glob("*.log"))

# ---------- blocks of one file


@given(path=st.sampled_from(GOLDEN), data=st.data())
def test_blocks_cut_anywhere_give_the_events_of_the_whole(path: Path, data: st.DataObject) -> None:
    content = path.read_bytes()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=8)))
    parser = LogParser()
    events: list[LogEvent] = []
    for start, end in itertools.pairwise([0, *cuts, len(content)]):
        events += parser.feed(content[start:end])
    assert [*events, *parser.finish()] == parse(content)


@given(path=st.sampled_from(GOLDEN), data=st.data())
def test_a_file_that_grows_gives_the_events_of_the_whole(path: Path, data: st.DataObject) -> None:
    content = path.read_bytes()
    events: list[LogEvent] = []
    state = ParserState()
    for size in [*sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=5))), len(content)]:
        parser = LogParser(ParserState.from_json(state.to_json()))
        events += parser.feed(content[state.bytes_consumed : size])
        state = parser.state
    assert [*events, *parser.finish()] == parse(content)


# ---------- files of one server

NAMES = ("Al", "Alex", "Big Al", ".Bo_Ray")
SECONDS = (0, 1, 2, 3, 50, 100, 4000, -1, -700)  # a clock that goes on, but for corrections
UUIDS = tuple(UUID(int=number) for number in (1, 2))


@st.composite
def events_of_file(draw: st.DrawFn, key: str, first: datetime, earliest: datetime | None) -> list[SessionEvent]:
    events: list[SessionEvent] = []
    clock = first
    for number in range(draw(st.integers(0, 12))):
        clock += timedelta(seconds=draw(st.sampled_from(SECONDS)))
        clock = max(filter(None, (clock, earliest)))
        kind, detail, has_player = draw(st.sampled_from(LINES))
        name = draw(st.sampled_from(NAMES))
        events.append(
            SessionEvent(
                file_key=key,
                line_number=number + 2,
                logged_at=clock,
                kind=kind,
                player=name if has_player else None,
                player_uuid=draw(st.sampled_from(UUIDS)) if kind == "player_uuid" else None,
                detail=detail,
            )
        )
    return events


LINES: tuple[tuple[str, dict[str, str | int | float] | None, bool], ...] = (
    ("server_start", {"game_version": "1.21.4"}, False),
    ("server_start", {"game_version": "1.21.4"}, False),
    ("server_software", {"software": "Paper", "game_version": "1.21.4"}, False),
    ("server_software", {"software": "Forge"}, False),
    ("server_ready", {"startup_seconds": 7.5}, False),
    ("server_stop", None, False),
    ("server_crash", {"cause": "exception", "exception": "java.lang.Error"}, False),
    ("server_crash", {"cause": "crash_report", "report": "crash.txt"}, False),
    ("server_overload", {"ticks": 46}, False),
    ("player_uuid", None, True),
    ("player_login", {"entity_id": 1}, True),
    ("player_login", {"entity_id": 2}, True),
    ("player_login", None, True),
    ("player_join", None, True),
    ("player_join", {"formerly": "Al"}, True),
    ("player_leave", None, True),
    ("player_lost_connection", {"reason": "Disconnected"}, True),
    ("player_lost_connection", {"reason": "Server closed"}, True),
    ("player_lost_connection", {"reason": "Server Mod rejections:"}, True),
    ("player_lost_connection", None, True),
    ("login_refused", {"cause": "mods"}, True),
    ("player_kick", {"reason": "spam"}, True),
    ("player_switch", {"server": "lobby"}, True),
    ("player_switch", {"server": "games"}, True),
    ("player_switch_failed", {"server": "games"}, True),
    ("player_arrival", None, True),
    ("player_lost_connection", {"reason": "Kicked whilst connecting to games: Full"}, True),
    ("player_chat", None, True),
    ("player_death", None, True),
)


@st.composite
def histories(draw: st.DrawFn, *, catches_up: bool = False) -> list[FileOfEvents]:
    """Files of a server on which anything may be said in any order; the clock may be set back.

    *catches_up*: within a file it never goes before the first line, and the last line is the latest.
    """
    files, clock = [], at("2026-03-12T12:00:00")
    for number in range(draw(st.integers(1, 5))):
        clock += timedelta(seconds=draw(st.sampled_from((0, 5, 900, -900))))
        first, key = clock, f"f{number}"
        events = draw(events_of_file(key, first, first if catches_up else None))
        if draw(st.booleans()):
            start = SessionEvent(file_key=key, line_number=1, logged_at=first, kind="server_start")
            events = [start, *events]
        instants = [event.logged_at for event in events] or [first]
        clock = (max(instants) if catches_up else instants[-1]) + timedelta(seconds=draw(st.sampled_from((0, 3))))
        files.append(FileOfEvents(file_key=key, first_line_at=first, last_line_at=clock, events=events))
    return files


Rows = dict[str, PlayerSession | ServerRun]


def _rows(build: SessionBuild) -> Rows:
    runs = {f"{run.run_key} run": run for run in build.runs}
    return {**{session.session_key: session for session in build.sessions}, **runs}


def _known(files: Sequence[FileOfEvents], sizes: dict[int, int]) -> list[FileOfEvents]:
    """Return what is known of the files: *sizes* events of each; a gap where the one before is not known."""
    known = []
    for number in sorted(sizes):
        file, size = files[number], sizes[number]
        is_whole = size >= len(file.events)
        read_to = file.events[size - 1].logged_at if size else file.first_line_at
        known.append(
            dataclasses.replace(
                file,
                events=file.events[:size],
                last_line_at=file.last_line_at if is_whole else read_to,
                gap_before=bool(known) and number - 1 not in sizes,
            )
        )
    return known


def _shape(file: FileOfEvents) -> FileOfEvents:
    """Leave of a file what the warehouse asks for first: the first event that names no software."""
    first = [event for event in file.events if event.kind != "server_software"][:1]
    return dataclasses.replace(file, events=first)


@given(histories(), st.data())
def test_files_in_any_batches_and_order_give_the_rows_of_all_at_once(
    files: list[FileOfEvents], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(files))))
    # each file comes once or twice, the first time perhaps only its beginning
    arrivals = [(number, data.draw(st.integers(0, len(files[number].events)))) for number in order]
    arrivals += [(number, len(files[number].events)) for number in data.draw(st.permutations(order))]
    sizes: dict[int, int] = {}
    rows: Rows = {}
    while arrivals:
        count = data.draw(st.integers(1, len(arrivals)))
        batch, arrivals = arrivals[:count], arrivals[count:]
        for number, size in batch:
            sizes[number] = max(size, sizes.get(number, 0))
        known = _known(files, sizes)
        shapes = [_shape(file) for file in known]
        index = min(rebuild_from(shapes, files[number].file_key) for number, _ in batch)
        rebuilt = {file.file_key for file in known[index:]}
        kept = {key: row for key, row in rows.items() if key.partition(":")[0] not in rebuilt}
        rows = kept | _rows(build_sessions(known[index:]))
    assert rows == _rows(build_sessions(files))


@given(histories(catches_up=True))
def test_sessions_of_one_player_in_one_run_never_overlap(files: list[FileOfEvents]) -> None:
    built = build_sessions(files)
    place = _order_of_entry(files)
    starts = sorted(place(run.run_key) for run in built.runs)
    by_player: dict[tuple[str, int], list[PlayerSession]] = {}
    for session in built.sessions:
        run = bisect_right(starts, place(session.session_key))
        by_player.setdefault((session.player_name, run), []).append(session)
    for sessions in by_player.values():
        for earlier, later in itertools.pairwise(sorted(sessions, key=lambda session: place(session.session_key))):
            end = earlier.left_at or earlier.left_at_upper or earlier.left_at_lower
            begin = later.joined_at or later.left_at
            assert end is not None
            assert begin is not None
            assert end <= begin


def _order_of_entry(files: Sequence[FileOfEvents]) -> Callable[[str], tuple[int, int]]:
    places = {file.file_key: number for number, file in enumerate(files)}

    def place(key_of_row: str) -> tuple[int, int]:
        key, _, line = key_of_row.partition(":")
        return places[key], int(line)

    return place


@given(histories())
def test_no_session_outlives_its_run_or_comes_before_it(files: list[FileOfEvents]) -> None:
    built = build_sessions(files)
    for session in built.sessions:
        assert (
            session.run_started_at is None or session.joined_at is None or session.joined_at >= session.run_started_at
        )
        moments = [session.joined_at, session.left_at, session.left_at_lower, session.left_at_upper]
        runs = [run for run in built.runs if run.started_at == session.run_started_at]
        assert runs
        if all(run.end_reason is not None for run in runs):
            last = [run.ended_at_upper or run.ended_at or run.ended_at_lower for run in runs]
            assert all(moment <= max(filter(None, last)) for moment in moments if moment is not None)
        if session.left_at_lower is not None and session.joined_at is not None:
            assert session.joined_at <= session.left_at_lower
        if session.left_at_lower is not None and session.left_at_upper is not None:
            assert session.left_at_lower <= session.left_at_upper


@given(histories())
def test_the_first_event_that_names_no_software_tells_whether_a_file_begins_with_a_start(
    files: list[FileOfEvents],
) -> None:
    for file in files:
        assert begins_with_start(file) == begins_with_start(_shape(file))
        first = next((event for event in file.events if event.kind != "server_software"), None)
        assert begins_with_start(file) == (first is not None and first.kind == "server_start")
