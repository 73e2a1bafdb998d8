"""How runs begin and end, and what that does to the sessions in them."""

from __future__ import annotations

import pytest

from pteroassets.sources.minecraft.sessions import begins_with_start, rebuild_from
from tests.sources.minecraft.saying import LATER, START, entry, events, lost, only, said, start
from tests.sources.minecraft.writing import at, build, file_of, login, paper, summary

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
