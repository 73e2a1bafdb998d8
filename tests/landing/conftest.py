"""A small simulated panel, and warehouses that are empty, hold the entities, or hold all of it, for each test its own.

The panel is shared, since a world is a function of time; what a test lands is copied from a database made once.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pteroassets.clock import ManualClock
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.warehouse.connection import ConnectionSettings
from tests.databases import copied
from tests.harness import Platform

ANCHOR = datetime(2026, 10, 28, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def shared_simulation() -> Iterator[Simulation]:
    world = World.create(seed=11, anchor=ANCHOR, size=WorldSize.TINY, history=timedelta(days=2))
    with Simulation(world, ManualClock(ANCHOR)) as simulation:
        yield simulation


def platform_of(simulation: Simulation, settings: ConnectionSettings, folder: Path) -> Platform:
    clock = simulation.clock
    assert isinstance(clock, ManualClock)
    clock.move_to(ANCHOR)
    simulation.faults.clear()
    return Platform(simulation=simulation, clock=clock, settings=settings, folder=folder)


@pytest.fixture(scope="module")
def with_entities(
    shared_simulation: Simulation, migrated_template: ConnectionSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    with copied(migrated_template) as settings:
        made = platform_of(shared_simulation, settings, tmp_path_factory.mktemp("entities"))
        made.entities()
        yield made


@pytest.fixture(scope="module")
def with_logs(with_entities: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with copied(with_entities.settings) as settings:
        made = platform_of(with_entities.simulation, settings, tmp_path_factory.mktemp("logs"))
        made.logs()
        yield made


@pytest.fixture
def platform(with_entities: Platform, tmp_path: Path) -> Iterator[Platform]:
    """A platform that knows the panel's entities and no log yet."""
    with copied(with_entities.settings) as settings:
        yield platform_of(with_entities.simulation, settings, tmp_path)


@pytest.fixture
def whole(with_logs: Platform, tmp_path: Path) -> Iterator[Platform]:
    """A platform that has read all logs in one pass without any limit."""
    shutil.copytree(with_logs.folder, tmp_path, dirs_exist_ok=True)
    with copied(with_logs.settings) as settings:
        yield platform_of(with_logs.simulation, settings, tmp_path)
