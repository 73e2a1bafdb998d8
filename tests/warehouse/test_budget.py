"""One request budget for all processes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from pteroassets.clock import ManualClock
from pteroassets.warehouse.budget import PostgresBudget
from pteroassets.warehouse.connection import ConnectionSettings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.postgres


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


def budget(settings: ConnectionSettings, clock: ManualClock, share: float = 0.5) -> PostgresBudget:
    return PostgresBudget(settings, panel="panel.test", clock=clock, share=share)


def test_requests_stay_under_the_share_of_the_announced_limit_in_every_window(
    warehouse_settings: ConnectionSettings, clock: ManualClock
) -> None:
    ours = budget(warehouse_settings, clock)
    sent: list[datetime] = []
    for _ in range(100):
        ours.take("client")
        ours.observe("client", limit=60, remaining=None, retry_after=None)
        sent.append(clock.now())
    ours.close()

    for instant in sent:
        in_window = [other for other in sent if instant <= other < instant + timedelta(seconds=60)]
        assert len(in_window) <= 31, "half of 60, and the first one which found out the limit"
    assert clock.now() > NOON + timedelta(minutes=2), "100 requests at 30 a minute took their time"


def test_many_threads_together_keep_the_limit(warehouse_settings: ConnectionSettings, clock: ManualClock) -> None:
    ours = budget(warehouse_settings, clock, share=1)
    ours.take("client")
    ours.observe("client", limit=40, remaining=39, retry_after=None)
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda _: ours.take("client"), range(39)))
    assert clock.now() == NOON
    ours.take("client")
    assert clock.now() > NOON + timedelta(seconds=60)
    ours.close()


def test_two_processes_share_one_window(warehouse_settings: ConnectionSettings, clock: ManualClock) -> None:
    first, second = budget(warehouse_settings, clock), budget(warehouse_settings, clock)
    first.take("client")
    first.observe("client", limit=40, remaining=39, retry_after=None)
    taken = 1
    while clock.now() == NOON:
        (first if taken % 2 else second).take("client")
        taken += 1
    first.close()
    second.close()
    # what was leased and not used by the other is forfeited at the end of the window
    assert 17 <= taken - 1 <= 21


def test_a_refusal_stops_everyone_until_retry_after(warehouse_settings: ConnectionSettings, clock: ManualClock) -> None:
    first, second = budget(warehouse_settings, clock), budget(warehouse_settings, clock)
    first.take("client")
    first.observe("client", limit=600, remaining=599, retry_after=None)
    first.observe("client", limit=600, remaining=0, retry_after=300)
    second.take("client")
    assert clock.now() >= NOON + timedelta(seconds=300)
    first.close()
    second.close()


def test_the_two_apis_are_counted_apart(warehouse_settings: ConnectionSettings, clock: ManualClock) -> None:
    ours = budget(warehouse_settings, clock)
    ours.take("application")
    ours.observe("application", limit=2, remaining=0, retry_after=None)
    ours.take("client")
    assert clock.now() == NOON
    ours.close()


def test_when_others_use_up_the_window_we_wait_for_the_next(
    warehouse_settings: ConnectionSettings, clock: ManualClock
) -> None:
    ours = budget(warehouse_settings, clock, share=0.8)
    ours.take("client")
    ours.observe("client", limit=100, remaining=99, retry_after=None)
    ours.take("client")
    ours.observe("client", limit=100, remaining=3, retry_after=None)
    ours.take("client")
    assert clock.now() >= NOON + timedelta(seconds=60)
    ours.close()
