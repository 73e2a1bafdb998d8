"""How sessions open and close, one rule a test; and what holds whatever a log says."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pteroassets.sources.minecraft.history import FileOfEvents, PlayerSession, SessionBuild, SessionEvent
from pteroassets.sources.minecraft.reasons import close_reason
from pteroassets.sources.minecraft.sessions import begins_with_start, build_sessions, rebuild_from
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


def test_without_a_departure_line_the_stop_line_and_the_end_of_the_run_bound_the_end() -> None:
    stopped = file_of(paper(START, login("12:01:00", "Al"), "12:10:00 Stopping the server", "12:10:05 noise"))
    built = build(stopped, file_of(paper(LATER), key="b"))
    session = only(built)
    assert (session.close_reason, session.left_at, session.is_end_observed) == ("server_stopped", None, False)
    assert (session.left_at_lower, session.left_at_upper) == (at("12:10:00"), at("12:10:05"))
    assert (built.runs[0].ended_at, built.runs[0].ended_at_upper) == (at("12:10:05"), at("13:00:00"))
    assert only(build(stopped)).left_at_upper == at("12:10:05")


def test_in_a_log_that_is_appended_to_the_end_of_a_stopped_run_is_bounded_only() -> None:
    built = build(paper(START, login("12:01:00", "Al"), "12:10:00 Stopping the server", "12:10:05 noise", LATER))
    (run, _) = built.runs
    assert only(built).left_at_upper == at("13:00:00")
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


# ---------- software, crashes and overload of a run


def said(time: str, kind: str, player: str | None = None, uuid: str | None = None, **detail: str | int) -> SessionEvent:
    """One event of file ``a``; its line number is given by `events`."""
    return SessionEvent(
        file_key="a",
        line_number=0,
        logged_at=at(time),
        kind=kind,
        player=player,
        player_uuid=UUID(uuid) if uuid is not None else None,
        detail=detail or None,
    )


def events(*said_in_file: SessionEvent, key: str = "a", first: str | None = None, gap: bool = False) -> FileOfEvents:
    numbered = [
        dataclasses.replace(event, file_key=key, line_number=number) for number, event in enumerate(said_in_file, 1)
    ]
    first_at = at(first) if first is not None else said_in_file[0].logged_at
    return FileOfEvents(
        file_key=key,
        first_line_at=first_at,
        last_line_at=said_in_file[-1].logged_at,
        events=numbered,
        gap_before=gap,
    )


def start(time: str, **detail: str) -> SessionEvent:
    return said(time, "server_start", **(detail or {"game_version": "1.21.4"}))


def entry(time: str, player: str, entity: int = 1) -> SessionEvent:
    return said(time, "player_login", player, entity_id=entity)


def lost(time: str, player: str, reason: str = "Disconnected") -> SessionEvent:
    return said(time, "player_lost_connection", player, reason=reason)


def test_lines_that_name_the_software_before_the_start_are_of_the_coming_run() -> None:
    built = build(
        events(
            said("11:59:00", "server_software", software="Paper", game_version="1.21.3"),
            start("11:59:05", game_version="1.21.3"),
            said("12:30:00", "server_software", software="Purpur", game_version="1.21.4"),
            start("12:30:05"),
        )
    )
    assert [(run.software, run.game_version) for run in built.runs] == [("Paper", "1.21.3"), ("Purpur", "1.21.4")]
    # nor do they show that the run before lived until then
    assert built.runs[0].ended_at_lower == at("11:59:05")


def test_a_line_that_names_the_software_in_the_middle_of_a_run_is_of_that_run() -> None:
    built = build(
        events(start("12:00:00"), said("12:10:00", "server_software", software="Paper"), entry("12:11:00", "Al"))
    )
    assert [run.software for run in built.runs] == ["Paper"]


def test_what_a_hybrid_is_built_on_does_not_take_its_name() -> None:
    for names in (("Forge", "Mohist"), ("Mohist", "Forge")):
        brands = [said("11:59:00", "server_software", software=name) for name in names]
        assert build(events(*brands, start("12:00:00"))).runs[0].software == "Mohist"


def test_a_file_of_a_process_that_never_started_gives_no_run_and_names_no_other() -> None:
    built = build(
        events(start("12:00:00", software="Paper", game_version="1.21.3"), entry("12:01:00", "Al")),
        events(said("12:30:00", "server_software", software="Purpur"), key="b"),
        events(start("12:40:00"), key="c"),
    )
    assert [(run.run_key, run.software) for run in built.runs] == [("a:1", "Paper"), ("c:1", None)]


def test_the_rebuild_point_may_begin_with_lines_that_name_the_software() -> None:
    files = [
        events(start("12:00:00")),
        events(said("12:30:00", "server_software", software="Paper"), start("12:30:05"), key="b"),
        events(lost("12:40:00", "Al"), key="c"),
    ]
    assert begins_with_start(files[1])
    assert rebuild_from(files, "c") == 1


def test_overload_warnings_are_counted_for_each_run() -> None:
    slow = said("12:01:00", "server_overload", behind_milliseconds=2345)
    built = build(events(start("12:00:00"), slow, slow, start("13:00:00"), said("13:01:00", "server_overload")))
    assert [run.overload_warnings for run in built.runs] == [2, 1]


@pytest.mark.parametrize(
    ("crashes", "cause"),
    [
        ([{"cause": "crash_report"}, {"cause": "exception", "exception": "java.lang.Error"}], "java.lang.Error"),
        ([{"cause": "exception", "exception": "a.B"}, {"cause": "exception", "exception": "c.D"}], "a.B"),
        ([{"cause": "exception"}, {"cause": "crash_report", "report": "crash-1.txt"}], "exception"),
        ([{"cause": "watchdog"}, {"cause": "exception", "exception": "java.lang.Error"}], "watchdog"),
    ],
)
def test_the_first_cause_that_says_something_is_the_crashs(crashes: list[dict[str, str]], cause: str) -> None:
    lines = [said("12:10:00", "server_crash", **detail) for detail in crashes]
    (run,) = build(events(start("12:00:00"), *lines)).runs
    assert (run.end_reason, run.crash_cause) == ("crashed", cause)
    assert run.crash_report == ("crash-1.txt" if "report" in crashes[-1] else None)


def test_a_crash_while_the_server_stops_did_not_end_it() -> None:
    built = build(
        events(
            start("12:00:00"),
            entry("12:01:00", "Al"),
            said("12:10:00", "server_stop"),
            said("12:10:05", "server_crash", cause="watchdog"),
        )
    )
    assert (built.runs[0].end_reason, built.runs[0].crash_cause) == ("stopped", "watchdog")
    assert summary(built) == [("Al", "server_stopped")]


def test_a_crash_followed_by_stop_lines_is_a_crash() -> None:
    built = build(
        events(
            start("12:00:00"),
            entry("12:01:00", "Al"),
            said("12:10:00", "server_crash", cause="exception"),
            said("12:10:00", "server_stop"),
            lost("12:10:01", "Al", "Server closed"),
        )
    )
    assert (built.runs[0].end_reason, summary(built)) == ("crashed", [("Al", "server_crashed")])


def test_a_crash_line_with_somebody_playing_on_long_after_has_no_cause() -> None:
    crash = said("12:10:00", "server_crash", cause="exception", exception="a.B", report="crash-1.txt")
    (run,) = build(
        events(start("12:00:00"), entry("12:01:00", "Al"), crash, said("12:20:00", "player_chat", "Al"))
    ).runs
    assert (run.end_reason, run.crash_cause, run.crash_report) == (None, None, None)


@pytest.mark.parametrize("kind", ["server_crash", "server_stop"])
@pytest.mark.parametrize(("reason", "closed"), [("Disconnected", "left"), ("Timed out", "timed_out")])
def test_a_crash_or_stop_line_with_somebody_leaving_by_himself_long_after_was_none(
    kind: str, reason: str, closed: str
) -> None:
    for pair in (
        [lost("12:11:01", "Al", reason), said("12:11:01", "player_leave", "Al")],
        [said("12:11:01", "player_leave", "Al"), lost("12:11:01", "Al", reason)],
    ):
        built = build(events(start("12:00:00"), entry("12:01:00", "Al"), said("12:10:00", kind), *pair))
        assert (summary(built), built.runs[0].end_reason) == ([("Al", closed)], None)


@pytest.mark.parametrize(("kind", "closed"), [("server_crash", "server_crashed"), ("server_stop", "server_stopped")])
def test_who_leaves_within_a_minute_of_a_crash_or_stop_line_or_by_the_servers_word_leaves_by_it(
    kind: str, closed: str
) -> None:
    for departure in (
        lost("12:11:00", "Al"),
        lost("12:20:00", "Al", "Server closed"),
        said("12:20:00", "player_leave", "Al"),
    ):
        built = build(events(start("12:00:00"), entry("12:01:00", "Al"), said("12:10:00", kind), departure))
        assert (summary(built), built.runs[0].end_reason) == ([("Al", closed)], closed[7:])


def test_who_left_soon_after_a_crash_line_that_was_none_left_by_himself() -> None:
    built = build(
        events(
            start("12:00:00"),
            entry("12:01:00", "Al"),
            entry("12:01:00", "Bo", 2),
            said("12:10:00", "server_crash", cause="crash_report"),
            said("12:10:10", "player_kick", "Al", reason="spam"),
            lost("12:10:10", "Al"),
            said("12:20:00", "player_chat", "Bo"),
        )
    )
    assert summary(built) == [("Al", "kicked"), ("Bo", None)]
    assert built.sessions[0].close_detail == "spam"


def test_a_crash_before_missing_files_is_a_crash() -> None:
    crashed = events(start("12:00:00"), entry("12:01:00", "Al"), said("12:10:00", "server_crash", cause="watchdog"))
    built = build(crashed, events(said("15:00:00", "player_chat", "Bo"), key="b", gap=True))
    assert (built.runs[0].end_reason, summary(built)) == ("crashed", [("Al", "server_crashed")])
    assert built.sessions[0].left_at_upper == at("15:00:00")


# ---------- kicks


@pytest.mark.parametrize(
    ("announced", "reason", "closed"),
    [
        ("spam", "Kicked by an operator.", ("kicked", "Kicked by an operator.")),
        ("spam", "Disconnected", ("kicked", "spam")),
        ("keepalive timeout", "Disconnected", ("timed_out", "keepalive timeout")),
        ("spam", "Timed out", ("timed_out", "Timed out")),
    ],
)
def test_a_kick_explains_a_departure_that_says_nothing(
    announced: str, reason: str, closed: tuple[str, str | None]
) -> None:
    kick = said("12:05:00", "player_kick", "Al", reason=announced)
    session = only(build(events(start("12:00:00"), entry("12:01:00", "Al"), kick, lost("12:05:03", "Al", reason))))
    assert (session.close_reason, session.close_detail) == closed


def test_a_kick_explains_a_departure_by_a_leave_line_alone() -> None:
    kick = said("12:05:00", "player_kick", "Al", reason="spam")
    session = only(
        build(events(start("12:00:00"), entry("12:01:00", "Al"), kick, said("12:05:00", "player_leave", "Al")))
    )
    assert (session.close_reason, session.close_detail) == ("kicked", "spam")


def test_a_kick_long_before_a_departure_was_of_somebody_who_stayed() -> None:
    kick = said("12:05:00", "player_kick", "Al", reason="spam")
    session = only(build(events(start("12:00:00"), entry("12:01:00", "Al"), kick, lost("12:05:10", "Al"))))
    assert (session.close_reason, session.close_detail) == ("left", "Disconnected")


KICK = said("12:05:00", "player_kick", "Al", reason="spam")


@pytest.mark.parametrize(
    "then",
    [
        events(entry("12:20:00", "Al", 2), key="b"),
        events(said("12:20:00", "server_stop"), key="b"),
        events(said("12:20:00", "server_crash"), start("12:30:00"), key="b"),
        events(start("12:20:00"), key="b"),
        events(said("12:20:00", "player_chat", "Bo"), key="b"),
        events(said("12:20:00", "player_chat", "Bo"), key="b", gap=True),
    ],
    ids=["entry", "stop", "crash", "start", "end of data", "missing files"],
)
def test_a_kick_that_no_departure_follows_is_the_departure(then: FileOfEvents) -> None:
    kicked = build(events(start("12:00:00"), entry("12:01:00", "Al"), KICK), then).sessions[0]
    assert (kicked.close_reason, kicked.close_detail, kicked.left_at) == ("kicked", "spam", at("12:05:00"))
    assert (kicked.leave_file_key, kicked.leave_line_number, kicked.is_end_observed) == ("a", 3, True)


def test_a_kick_in_a_log_without_login_lines_is_the_departure_when_he_joins_again() -> None:
    joins = [said(time, "player_join", "Al") for time in ("12:01:00", "12:20:00")]
    built = build(events(start("12:00:00"), joins[0], KICK, joins[1]))
    assert summary(built) == [("Al", "kicked"), ("Al", None)]


def test_a_kick_is_the_departure_when_the_account_enters_under_another_name() -> None:
    uuid = "3c4d5e6f-7081-4c9d-8e0f-1a2b3c4d5e6f"
    built = build(
        events(
            start("12:00:00"),
            said("12:01:00", "player_uuid", "Al", uuid),
            entry("12:01:00", "Al"),
            KICK,
            said("12:20:00", "player_uuid", "Alan", uuid),
            entry("12:20:00", "Alan", 2),
        )
    )
    assert summary(built) == [("Al", "kicked"), ("Alan", None)]


@pytest.mark.parametrize("deed", ["player_chat", "player_command", "player_death", "player_advancement"])
def test_who_does_something_after_a_kick_line_stayed(deed: str) -> None:
    built = build(
        events(
            start("12:00:00"),
            entry("12:01:00", "Al"),
            KICK,
            said("12:06:00", deed, "Al"),
            said("12:20:00", "server_stop"),
        )
    )
    assert summary(built) == [("Al", "server_stopped")]


def test_a_kick_in_the_last_five_seconds_of_the_data_is_no_departure_yet() -> None:
    log = events(start("12:00:00"), entry("12:01:00", "Al"), KICK)
    assert only(build(log)).close_reason is None
    for last, reason in (("12:05:05", None), ("12:05:06", "kicked")):
        assert only(build_sessions([log], last_line_at=at(last))).close_reason == reason


# ---------- proxies


def switch(time: str, player: str, server: str) -> SessionEvent:
    return said(time, "player_switch", player, server=server)


def test_the_first_back_end_is_a_proxys_entry_and_the_others_are_counted() -> None:
    built = build(
        events(
            said("12:00:00", "server_start", software="Velocity"),
            switch("12:01:00", "Al", "lobby"),
            switch("12:02:00", "Al", "survival"),
            switch("12:03:00", "Al", "lobby"),
            said("12:04:00", "player_lost_connection", "Al"),
            said("12:05:00", "player_lost_connection", "Bo"),
        )
    )
    session = only(built)
    assert (session.joined_at, session.left_at, session.close_reason) == (at("12:01:00"), at("12:04:00"), "left")
    assert (session.is_proxy, session.server_switches, built.runs[0].software) == (True, 2, "Velocity")


def test_who_is_thrown_out_of_a_back_end_and_goes_to_another_was_not_kicked() -> None:
    session = only(
        build(
            events(
                start("12:00:00"),
                switch("12:01:00", "Al", "games"),
                said("12:02:00", "player_kick", "Al", reason="Server closed"),
                switch("12:02:01", "Al", "lobby"),
                said("12:02:03", "player_lost_connection", "Al"),
            )
        )
    )
    assert (session.close_reason, session.close_detail) == ("left", None)


def failed(time: str, player: str, server: str) -> SessionEvent:
    return said(time, "player_switch_failed", player, server=server)


def test_a_switch_that_failed_after_all_is_not_counted() -> None:
    session = only(
        build(
            events(
                start("12:00:00"),
                switch("12:01:00", "Al", "lobby"),
                switch("12:02:00", "Al", "games"),
                failed("12:02:01", "Al", "games"),
                switch("12:03:00", "Al", "survival"),
            )
        )
    )
    assert session.server_switches == 1


@pytest.mark.parametrize("servers", [["creative"], ["games", "games"]])
def test_a_failure_is_of_the_last_back_end_that_was_connected_to_and_of_no_other(servers: list[str]) -> None:
    session = only(
        build(
            events(
                start("12:00:00"),
                switch("12:01:00", "Al", "lobby"),
                switch("12:01:30", "Al", "survival"),
                switch("12:02:00", "Al", "games"),
                *(failed("12:02:01", "Al", server) for server in servers),
            )
        )
    )
    assert session.server_switches == (2 if servers == ["creative"] else 1)


@pytest.mark.parametrize("kicked", [True, False])
def test_who_goes_because_the_first_back_end_did_not_take_him_was_never_there(kicked: bool) -> None:  # noqa: FBT001
    why = "Kicked whilst connecting to lobby: Full"
    going = [said("12:01:01", "player_lost_connection", "Al")] if kicked else [lost("12:01:01", "Al", why)]
    kick = [said("12:01:01", "player_kick", "Al", reason=why)] if kicked else []
    lobby, tried = switch("12:01:00", "Al", "lobby"), failed("12:01:00", "Al", "lobby")
    built = build(events(start("12:00:00"), lobby, tried, *kick, *going))
    assert built.sessions == ()
    # who was on another one before has been there
    games = [switch("12:00:30", "Al", "games"), lobby]
    assert summary(build(events(start("12:00:00"), *games, *kick, *going))) == [("Al", "kicked")]
    # but neither of two that failed counts
    games.insert(1, failed("12:00:31", "Al", "games"))
    assert build(events(start("12:00:00"), *games, *kick, *going)).sessions == ()


def arrival(time: str, player: str) -> SessionEvent:
    return said(time, "player_arrival", player)


def gone(time: str, player: str) -> SessionEvent:
    return said(time, "player_lost_connection", player)


def test_who_was_gone_before_the_back_end_had_him_was_never_there() -> None:
    built = build(
        events(
            start("12:00:00"),
            arrival("12:01:00", "Al"),
            gone("12:01:00", "Al"),
            switch("12:01:01", "Al", "lobby"),
            arrival("12:01:10", "Al"),
            switch("12:01:11", "Al", "lobby"),
            gone("12:05:00", "Al"),
        )
    )
    assert [(session.joined_at, session.left_at) for session in built.sessions] == [(at("12:01:11"), at("12:05:00"))]


def test_who_comes_and_goes_in_a_log_without_arrivals_has_sessions() -> None:
    visits = [
        *(switch("12:01:00", "Al", "lobby"), gone("12:02:00", "Al")),
        *(switch("12:02:01", "Al", "lobby"), gone("12:03:00", "Al")),
    ]
    assert len(build(events(start("12:00:00"), *visits)).sessions) == 2


def test_in_a_log_that_begins_later_who_was_seen_arriving_was_not_online_before() -> None:
    assert build(events(arrival("12:01:00", "Al"), gone("12:01:05", "Al"), gone("12:01:05", "Al"))).sessions == ()


@pytest.mark.parametrize(("gap", "players"), [(4, 2), (61, 1)])
def test_a_proxys_client_that_arrives_anew_ends_its_session_when_it_is_on_a_back_end(gap: int, players: int) -> None:
    again = at("12:30:00") + timedelta(seconds=gap)
    built = build(
        events(
            start("12:00:00"),
            arrival("12:01:00", "Al"),
            switch("12:01:04", "Al", "lobby"),
            arrival("12:30:00", "Al"),
            dataclasses.replace(switch("12:30:00", "Al", "lobby"), logged_at=again),
        )
    )
    assert summary(built) == [("Al", "joined_again"), ("Al", None)][-players:]
    assert [session.left_at for session in built.sessions] == [again, None][-players:]


@pytest.mark.parametrize("kind", ["player_kick", "player_lost_connection"])
def test_a_second_client_that_a_proxy_turns_away_ends_nothing(kind: str) -> None:
    built = build(
        events(
            start("12:00:00"),
            switch("12:01:00", "Al", "lobby"),
            arrival("12:02:00", "Al"),
            said("12:02:00", kind, "Al", reason="You are already connected to this proxy!"),
            switch("12:02:02", "Al", "games"),
            gone("12:02:03", "Al"),
        )
    )
    assert [(session.close_reason, session.server_switches) for session in built.sessions] == [("left", 1)]


def test_a_session_of_before_a_proxys_log_is_a_proxys_too() -> None:
    built = build(events(said("12:00:00", "player_lost_connection", "Al"), switch("12:01:00", "Bo", "lobby")))
    assert [(session.player_name, session.is_proxy) for session in built.sessions] == [("Al", True), ("Bo", True)]
    assert built.sessions[0].joined_at is None


def test_a_game_servers_session_is_no_proxys() -> None:
    assert not only(build(events(start("12:00:00"), entry("12:01:00", "Al")))).is_proxy


# ---------- accounts and names

ACCOUNT = "3c4d5e6f-7081-4c9d-8e0f-1a2b3c4d5e6f"


def test_a_uuid_that_is_learned_late_is_that_of_the_earlier_sessions_of_the_run_too() -> None:
    built = build(
        events(
            lost("12:01:00", "Al"),
            said("12:05:00", "player_uuid", "Al", ACCOUNT),
            entry("12:05:01", "Al"),
        )
    )
    assert [str(session.player_uuid) for session in built.sessions] == [ACCOUNT, ACCOUNT]


def test_an_account_that_enters_under_a_new_name_ends_its_session_under_the_old_one() -> None:
    built = build(
        events(
            start("12:00:00"),
            said("12:01:00", "player_uuid", "Al", ACCOUNT),
            entry("12:01:00", "Al"),
            said("12:05:00", "player_uuid", "Bo", ACCOUNT),
            entry("12:05:00", "Bo", 2),
        )
    )
    assert summary(built) == [("Al", "joined_again"), ("Bo", None)]
    assert built.sessions[0].left_at == at("12:05:00")


@pytest.mark.parametrize("order", [0, 1])
def test_a_renamed_player_keeps_the_account_and_is_not_online_twice(order: int) -> None:
    pair = [said("12:05:00", "player_join", "Bo", formerly="Al"), entry("12:05:00", "Bo", 2)]
    pair = pair[::-1] if order else pair
    known = [said("12:01:00", "player_uuid", "Al", ACCOUNT), entry("12:01:00", "Al")]
    built = build(events(start("12:00:00"), *known, *pair))
    assert summary(built) == [("Al", "joined_again"), ("Bo", None)]
    assert str(built.sessions[1].player_uuid) == ACCOUNT


def test_the_nil_uuid_is_nobodys_account() -> None:
    nil = "00000000-0000-0000-0000-000000000000"
    built = build(
        events(
            start("12:00:00"),
            said("12:01:00", "player_uuid", "Al", nil),
            entry("12:01:00", "Al"),
            said("12:05:00", "player_uuid", "Bo", nil),
            entry("12:05:00", "Bo", 2),
        )
    )
    assert summary(built) == [("Al", None), ("Bo", None)]


# ---------- lines that mislead


def test_the_same_login_line_twice_is_one_entry() -> None:
    both = [start("12:00:00"), entry("12:01:00", "Al"), lost("12:02:00", "Al")]
    built = build(events(*[line for line in both for _ in range(2)]))
    assert summary(built) == [("Al", "left")]
    assert len(built.runs) == 1


def test_somebody_elses_leave_line_does_not_end_a_session_that_loses_its_connection_later() -> None:
    # a nickname like another player's, or a plugin that repeats what is said elsewhere
    session = only(
        build(
            events(
                start("12:00:00"),
                entry("12:01:00", "Al"),
                said("12:10:00", "player_leave", "Al"),
                lost("12:30:00", "Al", "Timed out"),
            )
        )
    )
    assert (session.left_at, session.close_reason, session.leave_line_number) == (at("12:30:00"), "timed_out", 4)


def test_a_start_ends_what_is_known_of_the_players_of_the_run_before() -> None:
    built = build(
        events(
            start("12:00:00"),
            entry("12:01:00", "Al"),
            said("12:10:00", "player_leave", "Al"),
            start("13:00:00"),
            lost("13:10:00", "Al"),
            said("13:20:00", "player_uuid", "Al", ACCOUNT),
        )
    )
    assert [(session.left_at, session.player_uuid) for session in built.sessions] == [(at("12:10:00"), None)]


def test_whether_a_log_has_login_lines_is_told_by_the_run_and_the_file() -> None:
    before = events(start("12:00:00"), entry("12:01:00", "Al"), said("12:09:00", "server_stop"))
    joined = said("13:01:00", "player_join", "Bo")
    # a run without any, as where a plugin hides them; then one that goes on from a file with one
    assert summary(build(before, events(start("13:00:00"), joined, key="b")))[1:] == [("Bo", None)]
    ongoing = events(start("12:00:00"), entry("12:01:00", "Al"))
    assert summary(build(ongoing, events(joined, key="b"))) == [("Al", None)]


def test_a_refusal_over_mods_does_not_end_the_session_of_a_player_of_that_name() -> None:
    built = build(
        events(
            start("12:00:00"),
            entry("12:01:00", "Al"),
            lost("12:05:00", "Al", "Server Mod rejections:"),
            said("12:05:00", "player_leave", "Al"),
            said("12:06:00", "login_refused", "Al", cause="mods"),
            lost("12:06:00", "Al"),
        )
    )
    assert summary(built) == [("Al", None)]


def test_to_be_taken_off_the_whitelist_ends_a_session() -> None:
    session = only(
        build(
            events(
                start("12:00:00"),
                entry("12:01:00", "Al"),
                lost("12:05:00", "Al", "You are not whitelisted on this server!"),
            )
        )
    )
    assert (session.left_at, session.close_reason) == (at("12:05:00"), "kicked")


def test_who_was_turned_away_before_the_first_start_was_not_online() -> None:
    built = build(events(said("12:00:00", "login_refused", "Al", cause="mods"), lost("12:00:00", "Al")))
    assert built.sessions == ()
    later = build(
        events(said("12:00:00", "login_refused", "Al", cause="mods"), lost("12:00:00", "Al"), lost("12:30:00", "Al"))
    )
    assert only(later).left_at == at("12:30:00")


# ---------- Bedrock


def test_a_join_line_a_minute_after_the_login_names_a_bedrock_player() -> None:
    def log(software: str) -> FileOfEvents:
        return events(
            start("12:00:00", software=software),
            entry("12:01:00", "NoraSeven"),
            said("12:01:40", "player_join", "Queen"),
            said("12:05:00", "player_death", "Queen"),
            said("12:06:00", "player_leave", "Queen"),
        )

    assert [(session.close_reason, session.deaths) for session in build(log("PocketMine-MP")).sessions] == [("left", 1)]
    # elsewhere it comes at once, so that one is a plugin's
    assert summary(build(log("Paper"))) == [("NoraSeven", None)]


def test_where_all_events_share_one_instant_their_order_tells() -> None:
    now = "12:00:00"
    built = build(
        events(
            start(now),
            said(now, "player_login", "Nora Seven"),
            said(now, "player_login", "Bo"),
            said(now, "player_lost_connection", "Nora Seven"),
            said(now, "player_login", "Nora Seven"),
            said(now, "player_lost_connection", "Bo"),
            said(now, "player_lost_connection", "Cleo"),
            said(now, "server_stop"),
            start(now),
            said(now, "player_login", "Bo"),
        )
    )
    assert summary(built) == [
        ("Nora Seven", "left"),
        ("Bo", "left"),
        ("Nora Seven", "server_stopped"),
        ("Bo", None),
    ]
    assert [session.join_line_number for session in built.sessions] == [2, 3, 5, 10]
    assert [run.end_reason for run in built.runs] == ["stopped", None]


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
