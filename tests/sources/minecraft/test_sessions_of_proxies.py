"""Sessions as a proxy sees them: arrivals, switches of the back-end, and connections that fail."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from tests.sources.minecraft.saying import arrival, entry, events, failed, gone, lost, only, said, start, switch
from tests.sources.minecraft.writing import at, build, summary


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
