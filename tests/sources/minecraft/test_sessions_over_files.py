"""Sessions over several files and clocks that are set back, and what holds of them whatever is said."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pteroassets.sources.minecraft.history import FileOfEvents, SessionBuild
from pteroassets.sources.minecraft.sessions import build_sessions, rebuild_from
from tests.sources.minecraft.saying import LATER, START, entry, events, gone, lost, only, said, start, switch
from tests.sources.minecraft.writing import at, build, file_of, login, paper, summary

# ---------- a clock that is set back


def test_a_start_on_a_clock_set_back_bounds_nothing_before_the_last_line_and_holds_nothing_back() -> None:
    built = build(
        events(start("12:00:00"), entry("12:01:00", "Al"), said("13:00:00", "player_chat", "Al")),
        events(start("12:30:00"), entry("12:31:00", "Al"), lost("13:30:00", "Al"), key="b"),
    )
    first, second = built.sessions
    assert (first.left_at_lower, first.left_at_upper) == (at("13:00:00"), at("13:00:00"))
    assert (second.joined_at, second.left_at) == (at("12:31:00"), at("13:30:00"))


def test_a_player_who_returned_on_a_clock_set_back_at_a_restart_was_there_for_as_long_as_he_was() -> None:
    built = build(
        events(start("22:30:00"), entry("22:31:00", "Al"), lost("22:35:00", "Al"), said("22:36:00", "server_stop")),
        events(start("21:55:00"), entry("21:58:00", "Al"), lost("22:11:00", "Al"), key="b"),
    )
    assert [(session.joined_at, session.left_at) for session in built.sessions] == [
        (at("22:31:00"), at("22:35:00")),
        (at("21:58:00"), at("22:11:00")),
    ]


def test_on_a_clock_set_back_within_a_run_its_sessions_do_not_overlap() -> None:
    built = build(
        events(
            start("11:00:00"),
            entry("12:00:00", "Al", 1),
            lost("12:30:00", "Al"),
            said("12:00:05", "server_overload"),
            entry("12:00:10", "Al", 2),
            lost("12:40:00", "Al"),
        )
    )
    assert [(session.joined_at, session.left_at) for session in built.sessions] == [
        (at("12:00:00"), at("12:30:00")),
        (at("12:30:00"), at("12:40:00")),
    ]


def test_a_connect_that_failed_on_a_clock_set_back_does_not_move_the_last_end() -> None:
    built = build(
        events(
            start("11:00:00"),
            switch("12:00:00", "Al", "lobby"),
            gone("12:30:00", "Al"),
            switch("12:00:00", "Al", "lobby"),
            lost("12:00:00", "Al", "Kicked whilst connecting to lobby: Full"),
            switch("12:00:10", "Al", "lobby"),
        )
    )
    assert [(session.joined_at, session.left_at) for session in built.sessions] == [
        (at("12:00:00"), at("12:30:00")),
        (at("12:30:00"), None),
    ]


def test_a_file_that_begins_with_a_start_is_a_rebuild_point_whatever_the_clock_did() -> None:
    files = [
        events(start("12:00:00"), lost("13:00:00", "Al")),
        events(start("12:30:00"), lost("12:40:00", "Al"), key="b"),
        events(start("13:10:00"), key="c"),
        events(lost("13:20:00", "Al"), key="d"),
    ]
    assert [rebuild_from(files, key) for key in "abcd"] == [0, 0, 1, 2]


# ---------- files


def test_the_end_of_a_file_closes_nothing() -> None:
    files = [
        file_of(paper(START, login("23:00:00", "Al")), key="a"),
        file_of(paper("00:00:01 noise", "00:30:00 Al left the game"), key="b", day="2026-03-13"),
    ]
    session = only(build(*files))
    assert (session.joined_at, session.left_at) == (at("23:00:00"), at("2026-03-13T00:30:00"))
    assert (session.join_file_key, session.leave_file_key, session.session_key) == ("a", "b", "a:2")


def test_missing_files_close_what_was_open_with_bounds() -> None:
    files = [
        file_of(paper(START, login("12:01:00", "Al"), login("12:02:00", "Bo"), "12:10:00 noise"), key="a"),
        file_of(paper("09:00:00 noise", "09:05:00 Al left the game"), key="b", day="2026-03-14", gap_before=True),
    ]
    built = build(*files)
    assert summary(built) == [("Al", "log_gap"), ("Bo", "log_gap"), ("Al", "left")]
    first, _, last = built.sessions
    assert (first.left_at, first.left_at_lower, first.left_at_upper) == (
        None,
        at("12:10:00"),
        at("2026-03-14T09:00:00"),
    )
    assert (last.joined_at, last.is_join_observed, last.left_at) == (None, False, at("2026-03-14T09:05:00"))
    assert [run.end_reason for run in built.runs] == ["log_gap", None]


def test_a_run_that_stopped_before_the_gap_stopped() -> None:
    files = [
        file_of(paper(START, login("12:01:00", "Al"), "12:10:00 Stopping server"), key="a"),
        file_of(paper(LATER), key="b", day="2026-03-14", gap_before=True),
    ]
    assert [run.end_reason for run in build(*files).runs] == ["stopped", None]
    assert only(build(*files)).close_reason == "server_stopped"


# ---------- properties


NAMES = ("Al", "Alex", "Big Al")


@st.composite
def histories(draw: st.DrawFn) -> list[FileOfEvents]:
    """Files of a server on which anything may be said in any order, with time moving on."""
    seconds, files = 0, []
    for number in range(draw(st.integers(min_value=1, max_value=4))):
        lines = []
        for _ in range(draw(st.integers(min_value=0, max_value=12))):
            seconds += draw(st.sampled_from([0, 1, 2, 3, 50, 100]))
            time = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
            name = draw(st.sampled_from(NAMES))
            line = draw(
                st.sampled_from(
                    [
                        login(time, name),
                        login(time, name),
                        f"{time} {name} joined the game",
                        f"{time} {name} left the game",
                        f"{time} {name} lost connection: Disconnected",
                        f"{time} {name} lost connection: Server closed",
                        f"{time} {name} drowned",
                        f"{time} noise",
                        f"{time} Stopping server",
                        f"{time} Encountered an unexpected exception",
                        f"{time} Starting minecraft server version 1.21.4",
                    ]
                )
            )
            lines.append(line)
        files.append(file_of(paper(*lines), key=f"f{number}", gap_before=draw(st.booleans())))
    return files


def _key_of_file(key: str) -> str:
    return key.partition(":")[0]


@given(histories())
def test_whatever_is_said_sessions_of_one_player_do_not_overlap(files: list[FileOfEvents]) -> None:
    for name in NAMES:
        of_player = [session for session in build_sessions(files).sessions if session.player_name == name]
        for earlier, later in itertools.pairwise(of_player):
            assert earlier.close_reason is not None
            end = earlier.left_at or earlier.left_at_lower
            begin = later.joined_at or later.left_at
            assert end is not None
            assert begin is not None
            assert end <= begin
            assert earlier.left_at_upper is None or later.joined_at is None or earlier.left_at_upper <= later.joined_at


@given(histories())
def test_whatever_is_said_a_session_lies_within_its_run(files: list[FileOfEvents]) -> None:
    built = build_sessions(files)
    for session in built.sessions:
        runs = [run for run in built.runs if run.started_at == session.run_started_at]
        assert runs
        for moment in (session.joined_at, session.left_at, session.left_at_lower, session.left_at_upper):
            if moment is None:
                continue
            assert session.run_started_at is None or moment >= session.run_started_at
            last = max((run.ended_at_upper or run.ended_at or moment) for run in runs)
            assert moment <= last
        if session.joined_at is not None and session.left_at_lower is not None:
            assert session.joined_at <= session.left_at_lower
        if session.left_at_lower is not None and session.left_at_upper is not None:
            assert session.left_at_lower <= session.left_at_upper
        assert (session.close_reason is None) == (session.left_at is None and session.left_at_lower is None)
        assert session.is_end_observed == (session.left_at is not None)
    keys = [session.session_key for session in built.sessions]
    assert len(keys) == len(set(keys))
    assert len(built.runs) == len({run.run_key for run in built.runs})


@given(histories(), st.data())
def test_deriving_again_from_the_rebuild_point_gives_what_deriving_all_gives(
    files: list[FileOfEvents], data: st.DataObject
) -> None:
    touched = data.draw(st.integers(min_value=0, max_value=len(files) - 1))
    change = data.draw(st.sampled_from(["added", "grew"]))
    old_file = files[touched]
    if change == "added":
        before = files[:touched] + files[touched + 1 :]
    else:
        kept = old_file.events[: data.draw(st.integers(min_value=0, max_value=len(old_file.events)))]
        last = kept[-1].logged_at if kept else old_file.first_line_at
        before = [
            *files[:touched],
            dataclasses.replace(old_file, events=kept, last_line_at=last),
            *files[touched + 1 :],
        ]
    index = rebuild_from(files, old_file.file_key)
    rebuilt = {file.file_key for file in files[index:]}

    def kept_rows(rows: Sequence[tuple[str, object]]) -> list[tuple[str, object]]:
        return [row for row in rows if _key_of_file(row[0]) not in rebuilt]

    def rows(built: SessionBuild) -> list[tuple[str, object]]:
        return [(s.session_key, s) for s in built.sessions] + [(r.run_key, r) for r in built.runs]

    merged = kept_rows(rows(build_sessions(before))) + rows(build_sessions(files[index:]))
    assert dict(merged) == dict(rows(build_sessions(files)))


def test_a_touched_file_that_is_not_known_is_an_error() -> None:
    with pytest.raises(ValueError, match="no file x"):
        rebuild_from([], "x")


def test_the_rebuild_point_lies_before_the_touched_file_even_if_that_begins_with_a_start() -> None:
    files = [
        file_of(paper(START), key="a"),
        file_of(paper("12:30:00 noise"), key="b"),
        file_of(paper(LATER), key="c"),
        file_of(paper("14:00:00 noise"), key="d"),
    ]
    assert [rebuild_from(files, key) for key in "abcd"] == [0, 0, 0, 2]


def test_the_same_events_in_other_cuts_of_files_give_the_same_sessions() -> None:
    lines = [START, login("12:01:00", "Al"), "12:02:00 noise", login("12:03:00", "Bo"), "12:04:00 Al left the game"]
    whole = build(paper(*lines))
    for cut in range(1, len(lines)):
        parts = [file_of(paper(*lines[:cut]), key="a"), file_of(paper(*lines[cut:]), key="b")]
        moments = [(s.player_name, s.joined_at, s.left_at, s.close_reason) for s in build(*parts).sessions]
        assert moments == [(s.player_name, s.joined_at, s.left_at, s.close_reason) for s in whole.sessions]
    assert at("12:04:00") - at("12:01:00") == timedelta(minutes=3)
