"""How sessions open and close, one rule a test; and what holds whatever a log says."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pteroassets.sources.minecraft.reasons import close_reason
from pteroassets.sources.minecraft.sessions import (
    FileOfEvents,
    PlayerSession,
    SessionBuild,
    build_sessions,
    rebuild_from,
)
from tests.sources.minecraft.writing import at, build, file_of, login, paper, summary

START = "12:00:00 Starting minecraft server version 1.21.4"
LATER = "13:00:00 Starting minecraft server version 1.21.4"


def only(built: SessionBuild) -> PlayerSession:
    (session,) = built.sessions
    return session


# ---------- opening


@pytest.mark.parametrize("order", [("login", "join"), ("join", "login")])
def test_login_and_join_lines_are_one_entry_in_any_order(order: tuple[str, str]) -> None:
    lines = {"login": login("12:01:01", "Al"), "join": "12:01:01 Al joined the game"}
    session = only(build(paper(START, *(lines[name] for name in order))))
    assert (session.joined_at, session.join_line_number) == (at("12:01:01"), 2 + order.index("login"))
    assert (session.close_reason, session.left_at, session.last_seen_at) == (None, None, at("12:01:01"))


def test_a_join_line_opens_where_the_log_has_no_login_lines() -> None:
    session = only(build(paper(START, "12:01:00 Al joined the game", "12:02:00 Al left the game")))
    assert (session.joined_at, session.left_at, session.close_reason) == (at("12:01:00"), at("12:02:00"), "left")


def test_a_join_line_alone_opens_nothing_where_the_log_has_login_lines() -> None:
    built = build(
        paper(START, login("12:01:00", "Al"), "12:05:00 Steve joined the game", "12:06:00 Steve left the game")
    )
    assert summary(built) == [("Al", None)]


def test_an_open_session_was_last_seen_at_the_last_line() -> None:
    session = only(build(paper(START, login("12:01:00", "Al"), "12:30:00 noise")))
    assert (session.last_seen_at, session.left_at_lower, session.left_at_upper) == (at("12:30:00"), None, None)


def test_a_second_login_ends_the_first_session_at_that_instant() -> None:
    first, second = build(paper(START, login("12:01:00", "Al"), login("12:05:00", "Al", 2))).sessions
    assert (first.close_reason, first.left_at, first.leave_line_number) == ("joined_again", at("12:05:00"), 3)
    assert (second.joined_at, second.close_reason) == (at("12:05:00"), None)


def test_the_uuid_comes_from_the_line_before_the_login() -> None:
    uuid = "3c4d5e6f-7081-4c9d-8e0f-1a2b3c4d5e6f"
    session = only(build(paper(START, f"12:00:59 UUID of player Al is {uuid}", login("12:01:00", "Al"))))
    assert str(session.player_uuid) == uuid


# ---------- leaving


@pytest.mark.parametrize("order", [0, 1])
def test_both_departure_lines_are_one_departure_with_the_reason_of_either(order: int) -> None:
    pair = ["12:02:00 Al lost connection: Timed out", "12:02:01 Al left the game"]
    if order:
        pair = ["12:02:00 Al left the game", "12:02:01 Al lost connection: Timed out"]
    session = only(build(paper(START, login("12:01:00", "Al"), *pair)))
    assert (session.left_at, session.close_reason, session.close_detail) == (at("12:02:00"), "timed_out", "Timed out")
    assert (session.left_at_lower, session.left_at_upper, session.is_end_observed) == (at("12:02:00"),) * 2 + (True,)


def test_the_second_line_of_a_departure_does_not_close_a_session_that_began_between() -> None:
    built = build(
        paper(
            START,
            login("12:01:00", "Al"),
            "12:02:00 Al lost connection: You logged in from another location",
            login("12:02:00", "Al", 2),
            "12:02:00 Al left the game",
        )
    )
    assert summary(built) == [("Al", "joined_again"), ("Al", None)]


def test_a_second_departure_of_the_same_kind_closes_the_session_that_began_between() -> None:
    lost = "Al lost connection: Disconnected"
    built = build(
        paper(START, login("12:01:00", "Al"), f"12:02:00 {lost}", login("12:02:00", "Al", 2), f"12:02:01 {lost}")
    )
    assert [session.left_at for session in built.sessions] == [at("12:02:00"), at("12:02:01")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Disconnected", "left"),
        ("disconnect.quitting", "left"),
        ("Internal Exception: java.io.IOException: Connection reset by peer", "left"),
        ("Internal Exception: io.netty.handler.timeout.ReadTimeoutException", "timed_out"),
        ("Timed out", "timed_out"),
        ("disconnect.timeout", "timed_out"),
        ("Kicked by an operator.", "kicked"),
        ("You have been idle for too long!", "kicked"),
        ("You are banned from this server.", "kicked"),
        ("some text of an owner's", "kicked"),
        ("Server closed", "server_stopped"),
        ("Server is restarting", "server_stopped"),
        ("You logged in from another location", "joined_again"),
        (None, "left"),
    ],
)
def test_the_text_of_a_departure_tells_how_it_closes(text: str | None, reason: str) -> None:
    assert close_reason(text) == reason


def test_a_departure_of_someone_offline_closes_nothing() -> None:
    built = build(
        paper(
            START, login("12:01:00", "Alex"), "12:02:00 Al lost connection: Disconnected", "12:02:00 Al left the game"
        )
    )
    assert summary(built) == [("Alex", None)]


def test_names_that_begin_with_or_contain_another_are_not_mixed_up() -> None:
    built = build(
        paper(
            START,
            login("12:01:00", "Al"),
            login("12:01:01", "Alex"),
            login("12:01:02", "Big Al"),
            "12:02:00 Alex left the game",
            "12:03:00 Big Al left the game",
            "12:04:00 Big Al left the game",
        )
    )
    assert summary(built) == [("Alex", "left"), ("Big Al", "left"), ("Al", None)]


def test_a_display_name_is_mapped_back_to_the_player() -> None:
    built = build(
        paper(
            START,
            login("12:01:00", "Nora_7"),
            "12:01:00 §aAdmin Nora_7§r joined the game",
            login("12:01:30", "Cleo"),
            "12:01:30 Queen joined the game",
            "12:02:00 Queen was slain by Zombie",
            "12:02:30 Queen left the game",
            "12:03:00 §aAdmin Nora_7§r left the game",
        )
    )
    assert summary(built) == [("Cleo", "left"), ("Nora_7", "left")]
    assert built.sessions[0].deaths == 1


def test_a_display_name_that_fits_two_players_closes_neither() -> None:
    built = build(paper(START, login("12:01:00", "Al"), login("12:01:09", "Bo"), "12:02:00 Al and Bo left the game"))
    assert summary(built) == [("Al", None), ("Bo", None)]


def test_a_refused_second_client_closes_nothing() -> None:
    built = build(
        paper(
            START, login("12:01:00", "Al"), "12:02:00 Al (/192.0.2.8:40001) lost connection: Failed to verify username!"
        )
    )
    assert summary(built) == [("Al", None)]


def test_what_a_player_did_is_counted_in_his_session() -> None:
    built = build(
        paper(
            START,
            login("12:01:00", "Al"),
            "12:01:10 <Al> hi",
            "12:01:11 <Alex> hi",
            "12:01:20 Al issued server command: /home",
            "12:01:30 Al drowned",
            "12:01:40 Al has made the advancement [Stone Age]",
        )
    )
    session = only(built)
    assert (session.chat_messages, session.commands, session.deaths, session.advancements) == (1, 1, 1, 1)


# ---------- before the first line


def test_a_departure_before_the_first_start_is_a_session_whose_join_is_unknown() -> None:
    built = build(paper("12:00:00 <Al> hi", "12:01:00 Al lost connection: Disconnected", "12:01:00 Al left the game"))
    session = only(built)
    assert (session.joined_at, session.is_join_observed, session.join_file_key) == (None, False, None)
    assert (session.left_at, session.session_key, session.chat_messages) == (at("12:01:00"), "a:2", 1)
    assert (built.runs[0].run_key, built.runs[0].started_at) == ("a:1", None)


def test_only_the_first_departure_of_a_player_can_be_of_an_unknown_session() -> None:
    built = build(
        paper("12:01:00 Al lost connection: Disconnected", "12:05:00 Al left the game", "12:09:00 Al left the game")
    )
    assert len(built.sessions) == 1


def test_a_refusal_before_the_first_start_shows_nobody_online() -> None:
    assert (
        build(paper("12:01:00 Al lost connection: Server Mod rejections:", "12:01:00 Al left the game")).sessions == ()
    )


def test_after_the_first_start_an_unknown_departure_is_a_failed_attempt() -> None:
    built = build(paper("11:00:00 <Bo> hi", START, "12:01:00 Al lost connection: Disconnected"))
    assert built.sessions == ()


# ---------- stop, crash, kill


def test_a_departure_after_the_stop_line_is_the_stops_at_its_own_time() -> None:
    built = build(
        paper(
            START, login("12:01:00", "Al"), "12:10:00 Stopping server", "12:10:02 Al lost connection: bye", "12:10:05 x"
        )
    )
    session = only(built)
    assert (session.close_reason, session.left_at, session.close_detail) == ("server_stopped", at("12:10:02"), "bye")
    assert (built.runs[0].end_reason, built.runs[0].ended_at) == ("stopped", at("12:10:05"))


def test_without_a_departure_line_the_stop_line_and_the_next_start_bound_the_end() -> None:
    stopped = file_of(paper(START, login("12:01:00", "Al"), "12:10:00 Stopping the server", "12:10:05 noise"))
    built = build(stopped, file_of(paper(LATER), key="b"))
    session = only(built)
    assert (session.close_reason, session.left_at, session.is_end_observed) == ("server_stopped", None, False)
    # the process outlives its last line by an unknown time
    assert (session.left_at_lower, session.left_at_upper) == (at("12:10:00"), at("13:00:00"))
    assert (built.runs[0].ended_at, built.runs[0].ended_at_upper) == (at("12:10:05"), at("13:00:00"))
    assert only(build(stopped)).left_at_upper is None


def test_in_a_log_that_is_appended_to_the_end_of_a_stopped_run_is_bounded_only() -> None:
    built = build(paper(START, login("12:01:00", "Al"), "12:10:00 Stopping the server", "12:10:05 noise", LATER))
    (run, _) = built.runs
    assert (run.end_reason, run.ended_at, run.ended_at_lower) == ("stopped", None, at("12:10:00"))
    assert run.ended_at_upper == at("13:00:00")


def test_a_start_without_a_stop_before_it_is_a_kill_bounded_by_the_last_line_and_the_start() -> None:
    files = [
        file_of(paper(START, login("12:01:00", "Al"), "12:10:00 noise"), key="a"),
        file_of(paper("12:59:50 Loading libraries", LATER), key="b"),
    ]
    built = build(*files)
    session = only(built)
    assert (session.close_reason, session.left_at) == ("server_crashed", None)
    assert (session.left_at_lower, session.left_at_upper) == (at("12:10:00"), at("13:00:00"))
    assert [(run.run_key, run.end_reason) for run in built.runs] == [("a:1", "crashed"), ("b:2", None)]


def test_a_crash_line_is_a_lower_bound_and_the_upper_is_not_known_before_the_next_start() -> None:
    log = paper(START, login("12:01:00", "Al"), "12:10:00 Encountered an unexpected exception", "12:10:09 noise")
    session = only(build(log))
    assert (session.close_reason, session.left_at_lower, session.left_at_upper) == (
        "server_crashed",
        at("12:10:00"),
        None,
    )
    assert only(build(log + paper(LATER))).left_at_upper == at("13:00:00")


def test_a_stop_line_with_somebody_playing_on_long_after_was_none() -> None:
    built = build(paper(START, login("12:01:00", "Al"), "12:10:00 Stopping the server", "12:20:00 <Al> still here"))
    assert only(built).close_reason is None
    assert built.runs[0].end_reason is None


def test_nobody_is_online_after_a_start() -> None:
    built = build(paper(START, login("12:01:00", "Al"), "12:10:00 x", LATER, "13:05:00 Al left the game"))
    assert summary(built) == [("Al", "server_crashed")]


def test_a_run_has_its_version_and_the_seconds_it_took_to_start() -> None:
    (run,) = build(paper(START, '12:00:08 Done (7.5s)! For help, type "help"')).runs
    assert (run.game_version, run.ready_at, run.startup_seconds) == ("1.21.4", at("12:00:08"), 7.5)
    assert (run.started_at, run.ended_at, run.end_reason) == (at("12:00:00"), None, None)


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
@settings(max_examples=300, deadline=None)
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
@settings(max_examples=300, deadline=None)
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
@settings(max_examples=300, deadline=None)
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
