"""A schedule that Dagster's daemon ticks."""

from __future__ import annotations

import time

import pytest

from tests.end_to_end.running import Running

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(900)]


def test_a_schedules_tick_launches_a_run_that_adds_rows(built: Running) -> None:
    before = built.ask("select max(pass_at) from raw_pterodactyl.utilization_samples")[0][0]
    built.start_schedule("utilization_schedule")
    ticked: list[dict[str, str]] = []
    deadline = time.monotonic() + 300
    try:
        while not ticked and time.monotonic() < deadline:
            ticked = built.runs(tags=[{"key": "dagster/schedule_name", "value": "utilization_schedule"}])
            time.sleep(0.5)
    finally:
        built.stop_schedules()
    assert ticked, "no tick of utilization_schedule launched a run"
    assert built.wait(ticked[-1]["runId"]) == "SUCCESS"
    passes = built.ask(
        "select pass_at, count(*) from raw_pterodactyl.utilization_samples "
        f"where pass_at > '{before}' group by pass_at order by pass_at limit 1"
    )
    assert passes, "the run added no samples"
    pass_at, samples = passes[0]
    assert samples == len(built.simulation.truth.entities(pass_at)["servers"])
    built.wait_until_idle()  # there may have been a second tick
