"""Run workers of Dagster killed at any point: the tables are those of an undisturbed run."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from pteroassets.clock import ManualClock
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.end_to_end.conftest import ANCHOR, NewPlatform
from tests.end_to_end.running import Running, running_platform
from tests.harness import RAW_TABLES, table_rows

RETRIES = 2  # of a crashed run, as dagster.yaml says

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(1800)]


def worker_of_a_new_run(running: Running, known: set[str], *, seconds: float) -> tuple[str, int]:
    """Return the newest run of the job everything that is not *known*, and its worker's process id."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = running.runs(pipelineName="everything")
        if found and (run_id := found[0]["runId"]) not in known and (worker := running.worker_of(run_id)) is not None:
            return run_id, worker
        time.sleep(0.05)
    raise TimeoutError(f"no new run of the job everything began within {seconds} seconds\n{story_of(running)}")


def story_of(running: Running) -> str:
    """What the runs of the job everything and the code server did last, as lines."""
    story = [
        f"{event['timestamp']} {run['runId']} {run['status']} {event.get('stepKey')} {event.get('message')}"
        for run in reversed(running.runs(pipelineName="everything"))
        for event in running.events(run["runId"])
        if "timestamp" in event and not str(event["eventType"]).endswith("_PLANNED")
    ]
    said = running.supervisor.log_of("dagster-code-server").read_text().splitlines()[-30:]
    return "\n".join([*story[-60:], *said])


@pytest.mark.alone
def test_a_run_worker_killed_at_any_point_is_followed_by_another_that_leaves_the_same_tables(
    migrated_template: ConnectionSettings, new_platform: NewPlatform, tmp_path: Path
) -> None:
    undisturbed = new_platform(history=timedelta(days=2))
    undisturbed.interval = timedelta(minutes=5)
    undisturbed.clock.move_to(ANCHOR)

    def build_undisturbed() -> None:
        undisturbed.everything()
        undisturbed.build()

    world = World.create(
        seed=undisturbed.simulation.world.seed, anchor=ANCHOR, size=WorldSize.TINY, history=timedelta(days=2)
    )
    steps = (
        None,  # while the worker is still importing
        "panel_entities",
        "pterodactyl__utilization_samples",
        "collected_logs",
        "minecraft__events",
        "dbt_models",
    )
    # no schedule ticks: its run would take a pool from the run that is killed, and land samples of its own
    beside = ThreadPoolExecutor()
    is_built = beside.submit(build_undisturbed)  # while the services start
    with beside, running_platform(migrated_template, tmp_path, world, ManualClock(ANCHOR), fixed_at=ANCHOR) as running:
        is_built.result()  # before anything is timed
        known: set[str] = set()
        resumed = []
        killed_in = []
        running.launch("everything")
        run_id, worker = worker_of_a_new_run(running, known, seconds=90)
        for step in steps:
            known.add(run_id)
            wait_for_step(running, step, run_id)
            killed_in.append(step_of(running, run_id))
            os.kill(worker, signal.SIGKILL)
            killed_at = time.monotonic()
            if len(known) % (1 + RETRIES) == 0:
                # the daemon retried this run as often as it does: an operator starts another
                assert running.wait(run_id, seconds=30) == "FAILURE"
                running.launch("everything")
                run_id, worker = worker_of_a_new_run(running, known, seconds=90)
            else:
                run_id, worker = worker_of_a_new_run(running, known, seconds=60)
                resumed.append(time.monotonic() - killed_at)
        assert resumed, "no killed run was followed by a retry of the daemon's own"
        assert max(resumed) < 30, f"work resumed after {max(resumed):.0f} seconds"
        assert len(set(killed_in)) > 2, f"the kills fell into {killed_in} alone"
        if running.wait(run_id) != "SUCCESS":
            # the dbt of a killed worker outlives it and may have been in the way: the next run is what counts
            run_id = running.launch("everything")
            assert running.wait(run_id) == "SUCCESS"
        with (
            connect(running.warehouse, autocommit=True) as found,
            connect(undisturbed.settings, autocommit=True) as expected,
        ):
            for table in [*RAW_TABLES, *MARTS]:
                assert (table_rows(found, table) == table_rows(expected, table)) is True, table


MARTS = [
    f"marts.{name}"
    for name in (
        "dim_servers", "dim_servers_history", "dim_users", "dim_eggs", "dim_players", "fct_player_sessions",
        "fct_utilization_hourly", "fct_server_daily",
    )
]  # fmt: skip


def wait_for_step(running: Running, step: str | None, run_id: str) -> None:
    """Return when a run has begun *step*, or one of its parts, or at once where there is none.

    Dagster numbers the parts in which it builds models between other assets (``dbt_models_2``), and any can be first.
    """
    deadline = time.monotonic() + 120
    while step is not None and not any(begun.startswith(step) for begun in running.begun_steps(run_id)):
        assert time.monotonic() < deadline, f"{step} did not begin\n{story_of(running)}"
        time.sleep(0.02)


def step_of(running: Running, run_id: str) -> str:
    """The step that a run is in."""
    return (running.begun_steps(run_id) or ["start-up"])[-1]
