"""How sessions open and close: entries, departures, kicks, names, and lines that mislead."""

from __future__ import annotations

import pytest

from pteroassets.sources.minecraft.history import FileOfEvents
from pteroassets.sources.minecraft.reasons import close_reason
from pteroassets.sources.minecraft.sessions import build_sessions
from tests.sources.minecraft.saying import KICK, START, entry, events, lost, only, said, start
from tests.sources.minecraft.writing import at, build, login, paper, summary

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
