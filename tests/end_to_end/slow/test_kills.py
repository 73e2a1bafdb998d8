"""Killed at any point, the platform's next run leaves the tables of an undisturbed one."""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pteroassets.landing.files.store import LogStore
from pteroassets.simulator.control import Control, ControlClock
from pteroassets.warehouse.connection import connect
from tests.end_to_end.conftest import ANCHOR, NewPlatform
from tests.harness import RAW_TABLES, Platform, table_rows

pytestmark = [pytest.mark.postgres]

# One process makes the history of three days, as the demo's back-fill does; it is killed, and started again.
_HISTORY = textwrap.dedent(
    """
    import json, sys
    from datetime import datetime, timedelta
    from pathlib import Path
    from pydantic import SecretStr
    from pteroassets.landing.context import Landing
    from pteroassets.platform.demo import SimulatorProcess, WorldClock, make_history
    from pteroassets.platform.environment import located
    from pteroassets.settings import Settings
    from pteroassets.warehouse.connection import ConnectionSettings

    given = json.loads(sys.stdin.read())
    simulator = SimulatorProcess(json.loads(Path(given["state"]).read_text()))
    until = datetime.fromisoformat(given["anchor"])
    start = until - timedelta(days=given["days"])
    settings = located(
        Settings(_env_file=None),
        warehouse=ConnectionSettings(**given["warehouse"]),
        home=Path(given["home"]),
        pteroassets_pii_key=SecretStr("a key of the tests, long enough"),
        **simulator.settings,
    )
    landing = Landing(settings=settings, clock=WorldClock(simulator, start))
    steps = {"utilization": timedelta(hours=3)}
    make_history(landing, lambda number, steps: None, start=start, until=until, steps=steps)
    """
)
_DAYS = 3
_IMPORTS_SECONDS = 1.2


class History:
    """A back-fill in a process of its own, that can be killed."""

    def __init__(self, platform: Platform, simulator_state: Path) -> None:
        self.platform = platform
        self.given = {
            "state": str(simulator_state),
            "warehouse": {
                "host": platform.settings.host,
                "port": platform.settings.port,
                "username": platform.settings.username,
                "password": platform.settings.password,
                "database": platform.settings.database,
            },
            "home": str(platform.folder),
            "anchor": platform.simulation.world.anchor.isoformat(),
            "days": _DAYS,
        }

    def start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", _HISTORY], stdin=subprocess.PIPE)
        assert process.stdin is not None
        process.stdin.write(json.dumps(self.given).encode())
        process.stdin.close()
        return process

    def run_to_the_end(self) -> float:
        started = time.monotonic()
        assert self.start().wait(timeout=240) == 0
        return time.monotonic() - started

    def run_and_kill_after(self, seconds: float) -> bool:
        process = self.start()
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return True
        return False


@pytest.fixture(scope="module")
def history_of(new_platform_of_module: NewPlatform, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], History]:
    """Make a back-fill of a new platform whose world another process may move."""

    def make() -> History:
        clock = ControlClock(ANCHOR - timedelta(days=_DAYS))
        token = secrets.token_hex(16)
        platform = new_platform_of_module(
            history=timedelta(days=_DAYS),
            clock=clock,
            prepare=lambda simulation: simulation.add_app("control", Control(simulation, clock, token)),
        )
        simulation = platform.simulation
        state = tmp_path_factory.mktemp("simulator") / "state.json"
        state.write_text(
            json.dumps(
                {
                    "panel_url": simulation.panel_url,
                    "application_key": simulation.application_key,
                    "client_key": simulation.client_key,
                    "control_url": f"http://127.0.0.1:{simulation.ports['control']}",
                    "control_token": token,
                    "log_timezones": simulation.log_timezones,
                }
            )
        )
        return History(platform, state)

    return make


@pytest.fixture(scope="module")
def undisturbed(history_of: Callable[[], History]) -> tuple[dict[str, list[tuple[Any, ...]]], float]:
    """The tables of a back-fill that nobody disturbs, and the seconds that it takes."""
    history = history_of()
    seconds = history.run_to_the_end()
    return tables(history.platform), seconds


def tables(platform: Platform) -> dict[str, list[tuple[Any, ...]]]:
    with connect(platform.settings, autocommit=True) as connection:
        return {table: table_rows(connection, table) for table in RAW_TABLES}


@pytest.mark.timeout(900)
def test_a_back_fill_killed_fifteen_times_leaves_the_tables_of_an_undisturbed_one(
    history_of: Callable[[], History], undisturbed: tuple[dict[str, list[tuple[Any, ...]]], float]
) -> None:
    expected, seconds = undisturbed
    history = history_of()
    draw = random.Random(20261028)
    kills = 0
    # points spread over the whole of what is left each time, the start-up of the process left out
    while kills < 15:
        if not history.run_and_kill_after(_IMPORTS_SECONDS + draw.uniform(0.05, max(seconds / 6, 0.5))):
            # done before all kills were made: begin a new world with what is left of them
            assert (tables(history.platform) == expected) is True
            history = history_of()
            continue
        kills += 1
    history.run_to_the_end()
    found = tables(history.platform)
    for table, rows in expected.items():
        assert (found[table] == rows) is True, table
    assert no_half_files(history.platform.folder)


def no_half_files(folder: Path) -> bool:
    store = LogStore(folder / "log_store")
    for path in (folder / "log_store").rglob("*.log.gz"):
        store.get(path.name.removesuffix(".log.gz"))
    return True
