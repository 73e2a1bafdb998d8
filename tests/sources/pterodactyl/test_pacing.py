"""Pacing by the panel's own announcements."""

from __future__ import annotations

from datetime import UTC, datetime

from pteroassets.clock import ManualClock
from pteroassets.sources.pterodactyl.pacing import AnnouncedLimits

START = datetime(2026, 3, 1, tzinfo=UTC)


def seconds(clock: ManualClock) -> float:
    return (clock.now() - START).total_seconds()


def test_requests_go_out_freely_until_the_limit_is_known() -> None:
    clock = ManualClock(START)
    budget = AnnouncedLimits(clock)
    for _ in range(50):
        budget.take("application")
    assert seconds(clock) == 0


def test_no_more_than_most_of_the_announced_limit_goes_out_in_a_window() -> None:
    clock = ManualClock(START)
    budget = AnnouncedLimits(clock)
    sent: list[float] = []
    for _ in range(200):
        budget.take("client")
        in_window = [moment for moment in sent if moment > seconds(clock) - 60]
        sent.append(seconds(clock))
        budget.observe("client", limit=100, remaining=99 - len(in_window), retry_after=None)
    assert [sent.count(moment) for moment in dict.fromkeys(sent)] == [80, 80, 40]
    assert budget.limits == {"client": 100}


def test_the_two_apis_have_windows_of_their_own() -> None:
    clock = ManualClock(START)
    budget = AnnouncedLimits(clock)
    budget.observe("application", limit=60, remaining=0, retry_after=None)
    budget.take("client")
    assert seconds(clock) == 0
    budget.take("application")
    assert seconds(clock) > 60


def test_a_refusal_stops_every_request_for_as_long_as_it_says() -> None:
    clock = ManualClock(START)
    budget = AnnouncedLimits(clock)
    budget.observe("client", limit=100, remaining=0, retry_after=37)
    budget.take("client")
    assert seconds(clock) == 37
