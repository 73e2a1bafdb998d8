"""The plan of sampling: which path and interval the limits allow."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pteroassets.clock import ManualClock
from pteroassets.landing.pterodactyl.utilization import LEAST_INTERVAL_SECONDS, Circumstances, plan_sampling
from pteroassets.platform.plan import plan_rows
from pteroassets.sources.pterodactyl.utilization import STEP_SECONDS, Pace, pass_time

HOST = Circumstances(
    servers=500,
    nodes=10,
    node_access=False,
    client_limit=720,
    application_limit=240,
    share=0.8,
    others_per_minute=1000 / 15,
    wanted_seconds=300,
    schedule_seconds=300,
)


def kept(**changes: object) -> tuple[str, int]:
    plan = plan_sampling(dataclasses.replace(HOST, **changes))  # type: ignore[arg-type]
    return plan.path, plan.interval_seconds


@pytest.mark.parametrize(
    ("changes", "path", "interval"),
    [
        ({}, "panel", 300),
        ({"wanted_seconds": 60}, "panel", 60),  # 505 requests fit into a minute's 576 - 67
        ({"wanted_seconds": 50}, "panel", 60),  # but not into 50 s
        ({"wanted_seconds": 20}, "panel", 60),
        ({"wanted_seconds": 70}, "panel", 100),  # 70 and 80 do not divide a run
        ({"client_limit": 256}, "panel", 300),
        ({"client_limit": 256, "wanted_seconds": 60}, "panel", 300),  # 505 at 138 a minute: 220 s
        ({"servers": 5000, "others_per_minute": 333}, "panel", 1200),  # 5,050 at 288 a minute: 1,053 s
        ({"servers": 10_000, "others_per_minute": 0}, "panel", 1200),  # 10,100 at 576 a minute: 1,053 s
        ({"servers": 10_000, "nodes": 100, "node_access": True, "others_per_minute": 0}, "nodes", 300),
        ({"servers": 10_000, "node_access": True, "others_per_minute": 0, "wanted_seconds": 20}, "nodes", 20),
        # 100 pages of the list at 205 a minute
        (
            {
                "servers": 10_000,
                "node_access": True,
                "others_per_minute": 0,
                "wanted_seconds": 20,
                "client_limit": 256,
            },
            "nodes",
            30,
        ),
        ({"wanted_seconds": 420}, "panel", 600),  # the schedule's runs are 300 s apart
        ({"wanted_seconds": 3600}, "panel", 3600),
        ({"schedule_seconds": 1800, "wanted_seconds": 1800}, "panel", 1800),
        ({"client_limit": None}, "panel", 300),
        ({"servers": 0, "nodes": 0, "wanted_seconds": 20}, "panel", 20),
    ],
)
def test_the_least_interval_that_limits_and_schedule_allow_is_kept(
    changes: dict[str, object], path: str, interval: int
) -> None:
    assert kept(**changes) == (path, interval)


@given(
    servers=st.integers(0, 20_000),
    nodes=st.integers(1, 300),
    node_access=st.booleans(),
    client_limit=st.sampled_from([60, 128, 240, 256, 720, 6000]),
    others=st.floats(0, 2000),
    wanted=st.integers(20, 86_400),
    schedule=st.sampled_from([300, 1800]),
)
def test_no_plan_asks_for_more_than_is_left(
    *, servers: int, nodes: int, node_access: bool, client_limit: int, others: float, wanted: int, schedule: int
) -> None:
    found = dataclasses.replace(
        HOST,
        servers=servers,
        nodes=nodes,
        node_access=node_access,
        client_limit=client_limit,
        others_per_minute=others,
        wanted_seconds=wanted,
        schedule_seconds=schedule,
    )
    plan = plan_sampling(found)
    usable = client_limit * found.share
    assert plan.requests / plan.interval_seconds * 60 <= usable - min(others, usable / 2) + 1e-9
    assert plan.interval_seconds >= max(wanted, LEAST_INTERVAL_SECONDS)
    assert plan.interval_seconds % STEP_SECONDS == 0
    assert schedule % plan.interval_seconds == 0 or plan.interval_seconds % schedule == 0
    assert plan.spread_seconds < plan.interval_seconds
    assert str(plan.interval_seconds) in plan.why


def test_a_plan_says_why_and_what_to_do() -> None:
    few = plan_sampling(dataclasses.replace(HOST, wanted_seconds=20))
    assert not few.is_as_wanted
    assert "720 requests a minute" in few.why
    assert "67 a minute are kept for log files" in few.why
    assert "The wanted 20 s are not possible: 60 s are kept" in few.why
    assert "PTEROASSETS_NODE_ACCESS" in few.why
    assert ("wanted interval", "20 s") in plan_rows(few)
    unknown = plan_sampling(dataclasses.replace(HOST, client_limit=None))
    assert "announces no limit" in unknown.why
    assert ("least interval", "unknown") in plan_rows(unknown)


def test_requests_are_spread_only_where_they_would_take_the_room_of_others() -> None:
    assert plan_sampling(dataclasses.replace(HOST, servers=100)).spread_seconds == 0
    assert plan_sampling(HOST).spread_seconds == 240


def test_a_pace_lets_the_first_go_and_spreads_the_rest() -> None:
    clock = ManualClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
    pace = Pace(clock, requests=30, seconds=100, free=10)
    sent = []
    for _ in range(30):
        pace.wait()
        sent.append((clock.now() - datetime(2026, 3, 1, 12, tzinfo=UTC)).total_seconds())
    assert sent == [0.0] * 10 + [5.0 * number for number in range(1, 21)]
    late = Pace(clock, requests=4, seconds=40, free=0)
    clock.sleep(100)
    begin = clock.now()
    for _ in range(4):
        late.wait()
    assert clock.now() == begin, "a pass that is late waits no more"


@pytest.mark.parametrize(
    ("interval", "second", "expected"), [(300, 47, 0), (60, 59, 0), (20, 47, 40), (50, 9, 0), (100, 39, 30)]
)
def test_passes_of_one_server_go_by_different_times(interval: int, second: int, expected: int) -> None:
    at = datetime(2026, 3, 1, 12, 0, second, 5, tzinfo=UTC)
    assert pass_time(at, interval) == datetime(2026, 3, 1, 12, 0, expected, tzinfo=UTC)
