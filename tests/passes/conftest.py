"""A small simulated panel and an empty warehouse for each test that asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pteroassets.clock import ManualClock
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.world import World, WorldSize
from pteroassets.warehouse.connection import ConnectionSettings
from tests.harness import Platform

ANCHOR = datetime(2026, 10, 28, 12, tzinfo=UTC)

NewPlatform = Callable[[ConnectionSettings], Platform]


@pytest.fixture
def new_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewPlatform]:
    """Make platforms whose clock stands at the end of two days of history."""
    with ExitStack() as stack:

        def make(settings: ConnectionSettings) -> Platform:
            world = World.create(seed=11, anchor=ANCHOR, size=WorldSize.TINY, history=timedelta(days=2))
            clock = ManualClock(ANCHOR)
            folder: Path = tmp_path_factory.mktemp("platform")
            simulation = stack.enter_context(Simulation(world, clock))
            return Platform(simulation=simulation, clock=clock, settings=settings, folder=folder)

        yield make


@pytest.fixture
def platform(new_platform: NewPlatform, warehouse_settings: ConnectionSettings) -> Platform:
    return new_platform(warehouse_settings)
