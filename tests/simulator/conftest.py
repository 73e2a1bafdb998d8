"""Worlds and panels for the tests of the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from pteroassets.clock import ManualClock
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.simulator.world.life import Reason

ANCHOR = datetime(2026, 10, 28, 20, 30, tzinfo=UTC)
SEED = 7
REASONS: tuple[Reason, ...] = ("left", "kicked", "timed_out", "server_stopped", "server_crashed", "joined_again")


class Caller:
    """Asks a simulation as one key."""

    def __init__(self, simulation: Simulation, key: str | None = None, *, accept: str = "application/json") -> None:
        self._simulation = simulation
        self._session = requests.Session()
        self._session.headers.update({"Accept": accept, "User-Agent": "a test"})
        token = simulation.keys.get(key, key) if key is not None else simulation.client_key
        if key != "none":
            self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **params: str | int) -> requests.Response:
        return self._session.get(
            f"{self._simulation.panel_url}/api/{path}", params=params, timeout=30, allow_redirects=False
        )

    def json(self, path: str, **params: str | int) -> dict[str, Any]:
        response = self.get(path, **params)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body


@pytest.fixture(scope="session")
def tiny() -> World:
    return World.create(SEED, ANCHOR, WorldSize.TINY)


@pytest.fixture(scope="session")
def sampler() -> World:
    return World.create(SEED, ANCHOR, WorldSize.SAMPLER)


@pytest.fixture(scope="session")
def demo() -> World:
    return World.create(SEED, ANCHOR, WorldSize.DEMO)


@pytest.fixture(scope="session")
def truth_world() -> World:
    return World.create(SEED, ANCHOR, WorldSize.TRUTH)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(ANCHOR)


@pytest.fixture
def simulation(tiny: World, clock: ManualClock) -> Iterator[Simulation]:
    with Simulation(tiny, clock) as running:
        yield running


@pytest.fixture
def caller(simulation: Simulation) -> Caller:
    return Caller(simulation)
