"""A schedule that Dagster's daemon ticks."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.end_to_end.running import Running

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]


def test_a_schedules_tick_launches_a_run_that_adds_rows(built: Running) -> None:
    before = built.ask("select max(pass_at) from raw_pterodactyl.utilization_samples")[0][0]
    built.start_schedule("utilization_schedule")
    deadline = time.monotonic() + 180
    ticked: list[tuple[Any, ...]] = []
    while not ticked and time.monotonic() < deadline:
        ticked = built.dagster(
            "select runs.run_id from runs inner join run_tags on run_tags.run_id = runs.run_id "
            "where run_tags.key = 'dagster/schedule_name' and run_tags.value = 'utilization_schedule' "
            "order by runs.id limit 1"
        )
        time.sleep(0.5)
    built.stop_schedules()
    assert ticked, "no tick of utilization_schedule launched a run"
    assert built.wait(ticked[0][0]) == "SUCCESS"
    passes = built.ask(
        "select pass_at, count(*) from raw_pterodactyl.utilization_samples "
        f"where pass_at > '{before}' group by pass_at order by pass_at limit 1"
    )
    assert passes, "the run added no samples"
    pass_at, samples = passes[0]
    assert samples == len(built.simulation.truth.entities(pass_at)["servers"])
