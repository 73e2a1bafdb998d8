"""Pacing by the panel's own announcements."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from pteroassets.clock import ManualClock
from pteroassets.sources.pterodactyl.pacing import LocalBudget

START = datetime(2026, 3, 1, tzinfo=UTC)


def seconds(clock: ManualClock) -> float:
    return (clock.now() - START).total_seconds()


def test_requests_go_out_freely_until_the_limit_is_known() -> None:
    clock = ManualClock(START)
    budget = LocalBudget(clock)
    for _ in range(50):
        budget.take("application")
    assert seconds(clock) == 0


def test_no_more_than_the_share_of_the_announced_limit_goes_out_in_a_window() -> None:
    clock = ManualClock(START)
    budget = LocalBudget(clock, share=0.8)
    budget.take("client")
    budget.observe("client", limit=100, remaining=99, retry_after=None)
    sent = [seconds(clock)]
    for _ in range(200):
        budget.take("client")
        sent.append(seconds(clock))
    for opening in (0, 60, 120):
        assert sum(opening <= moment < opening + 60 for moment in sent) <= 80
    assert len([moment for moment in sent if moment == 0]) == 80


def test_the_two_apis_have_windows_of_their_own() -> None:
    clock = ManualClock(START)
    budget = LocalBudget(clock, share=1)
    budget.observe("application", limit=1, remaining=1, retry_after=None)
    budget.take("application")
    budget.take("client")
    assert seconds(clock) == 0


def test_a_refusal_stops_every_request_for_as_long_as_it_says() -> None:
    clock = ManualClock(START)
    budget = LocalBudget(clock)
    budget.observe("client", limit=100, remaining=0, retry_after=37)
    budget.take("client")
    assert seconds(clock) == 37


def test_the_window_closes_when_others_have_used_it_up() -> None:
    clock = ManualClock(START)
    budget = LocalBudget(clock, share=0.8)
    budget.take("client")
    budget.observe("client", limit=100, remaining=10, retry_after=None)
    budget.take("client")
    assert seconds(clock) > 60


def test_a_lowered_limit_is_obeyed_at_once() -> None:
    clock = ManualClock(START)
    budget = LocalBudget(clock, share=1)
    budget.observe("client", limit=100, remaining=100, retry_after=None)
    for _ in range(10):
        budget.take("client")
    budget.observe("client", limit=10, remaining=9, retry_after=None)
    budget.take("client")
    assert seconds(clock) > 60


def test_many_threads_together_keep_the_limit() -> None:
    clock = ManualClock(START)
    budget = LocalBudget(clock, share=1)
    budget.observe("client", limit=40, remaining=40, retry_after=None)
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda _: budget.take("client"), range(40)))
    assert seconds(clock) == 0
    budget.take("client")
    assert seconds(clock) > 60


@pytest.mark.parametrize("share", [0, -1, 1.5])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        LocalBudget(ManualClock(START), share=share)
