"""What the marts say of what servers need is what the simulated world says, counted here in Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest

from pteroassets.simulator.true_rows import ServerVersion
from pteroassets.warehouse.connection import connect
from tests.end_to_end.conftest import ANCHOR
from tests.harness import Platform
from tests.right_sizing import DAYS, Used, figures, why_not

pytestmark = [pytest.mark.postgres]

MIB = 1048576
READ_EVERY = timedelta(hours=12)


def query(platform: Platform, text: str) -> list[tuple[Any, ...]]:
    with connect(platform.settings, autocommit=True) as connection:
        return connection.execute(text).fetchall()


@pytest.fixture(scope="module")
def read_versions(estate: Platform) -> dict[str, list[tuple[datetime, ServerVersion]]]:
    """How each server stood at each reading of the panel at which it was there."""
    found: dict[str, list[tuple[datetime, ServerVersion]]] = defaultdict(list)
    at = estate.simulation.world.start
    while at <= ANCHOR:
        for version in estate.simulation.truth.server_versions(at):
            if version.valid_to is None:
                found[version.server_uuid].append((at, version))
        at += READ_EVERY
    return found


@pytest.fixture(scope="module")
def made_at(estate: Platform) -> dict[str, datetime]:
    truth = estate.simulation.truth
    return {row["uuid"]: row["created_at"] for of in (truth.entities, truth.deleted) for row in of(ANCHOR)["servers"]}


@pytest.fixture(scope="module")
def used(
    estate: Platform,
    read_versions: dict[str, list[tuple[datetime, ServerVersion]]],
    made_at: dict[str, datetime],
) -> dict[str, Used]:
    """What each server truly used in its window, at the times at which it was asked."""
    truth = estate.simulation.truth
    rows = query(estate, "select server_uuid::text, pass_at, sampled_at from raw_pterodactyl.utilization_samples")
    until = max(pass_at for _, pass_at, _ in rows)
    found = {}
    for server, versions in read_versions.items():
        since, limits = made_at[server], None
        for at, version in versions:
            if limits not in (None, (version.memory, version.cpu, version.disk)):
                since = at
            limits = (version.memory, version.cpu, version.disk)
        found[server] = Used(since=max(since, until - timedelta(days=DAYS)), until=until)
    for server, pass_at, sampled_at in rows:
        sample = truth.sample(server, sampled_at)
        if pass_at < found[server].since or sample.outcome not in ("ok", "offline"):
            continue
        is_fault = sample.state == "running" and sample.memory_bytes == 0
        if sample.outcome == "ok" and not is_fault:
            assert sample.cpu_percent is not None
            assert sample.memory_bytes is not None
            found[server].ran.append((pass_at, sample.cpu_percent, sample.memory_bytes / MIB))
        if not is_fault:
            assert sample.disk_bytes is not None
            found[server].disk.append(sample.disk_bytes / MIB)
    return found


def test_what_a_recommendation_rests_on_equals_the_truth(estate: Platform, used: dict[str, Used]) -> None:
    truth = estate.simulation.truth
    status = {row["uuid"]: row["status"] for row in truth.entities(ANCHOR)["servers"]}
    found = {
        row[0]: row[1:]
        for row in query(
            estate,
            "select server_uuid::text, evidence_from, evidence_until, memory_peak_at, days_measured, cpu_samples, "
            "cpu_percent_p95, cpu_percent_p99, cpu_percent_max, memory_samples, memory_mebibytes_p95, "
            "memory_mebibytes_p99, memory_mebibytes_max, disk_samples, disk_mebibytes_p95, disk_mebibytes_p99, "
            "disk_mebibytes_max from marts.fct_right_sizing",
        )
    }
    assert found.keys() == used.keys()
    for server, of_server in used.items():
        assert found[server][:4] == (of_server.since, of_server.until, of_server.peak_at, len(of_server.days)), server
        expected = [*figures(of_server.cpu), *figures(of_server.memory), *figures(of_server.disk)]
        assert [*found[server][4:]] == [each and pytest.approx(each) for each in expected], server
    assert sum(of_server.since > of_server.until - timedelta(days=DAYS) for of_server in used.values()) > 3
    reasons = query(
        estate,
        "select server_uuid::text, coverage_ratio, memory_reason, memory_recommended_mebibytes "
        "from marts.fct_right_sizing inner join marts.dim_servers using (server_uuid)",
    )
    told = Counter()  # type: ignore[var-annotated]
    for server, coverage, reason, recommended in reasons:
        is_there = server in status
        assert reason == why_not(
            used[server], coverage, is_there=is_there, is_suspended=is_there and status[server] == "suspended"
        ), server
        assert recommended is None
        told[reason] += 1
    # a pass of half an hour each six hours is a twelfth of the time: too little for a recommendation
    assert told.keys() == {"gone", "suspended", "history_too_short", "thinly_sampled"}
