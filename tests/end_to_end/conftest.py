"""One simulated estate, read, landed and modelled once for all the tests of this folder that only look at it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from pteroassets.clock import Clock, ManualClock, SystemClock
from pteroassets.platform.environment import DEMO_DATABASE
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.simulator.true_rows import TrueSession
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.databases import copied
from tests.end_to_end.running import Running, running_platform
from tests.harness import Platform

# fourteen days back from here hold the night of 25 October, when clocks in Europe go back
ANCHOR = datetime(2026, 10, 28, 12, tzinfo=UTC)
SEED = 11

NewPlatform = Callable[..., Platform]


@contextmanager
def platforms(template: ConnectionSettings, folders: pytest.TempPathFactory) -> Iterator[NewPlatform]:
    """Make platforms: a simulation, a clock at its beginning and an empty warehouse, all gone at the end."""
    with ExitStack() as stack:

        def make(
            size: WorldSize = WorldSize.TINY,
            *,
            seed: int = SEED,
            history: timedelta = timedelta(days=14),
            clock: Clock | None = None,
            prepare: Callable[[Simulation], None] = lambda _: None,
            is_pelican: bool = False,
        ) -> Platform:
            world = World.create(seed=seed, anchor=ANCHOR, size=size, history=history)
            clock = clock or ManualClock(world.start)
            simulation = Simulation(world, clock, is_pelican=is_pelican)
            prepare(simulation)
            stack.enter_context(simulation)
            return Platform(
                simulation=simulation,
                clock=clock,
                settings=stack.enter_context(copied(template)),
                folder=folders.mktemp("platform"),
            )

        yield make


@pytest.fixture
def new_platform(
    migrated_template: ConnectionSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NewPlatform]:
    """Make platforms that are gone after the test: the servers of each wake ten times a second."""
    with platforms(migrated_template, tmp_path_factory) as make:
        yield make


@pytest.fixture(scope="module")
def new_platform_of_module(
    migrated_template: ConnectionSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NewPlatform]:
    """Make platforms that all tests of a file look at."""
    with platforms(migrated_template, tmp_path_factory) as make:
        yield make


@pytest.fixture(scope="session")
def estate(migrated_template: ConnectionSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The world of the truth test after fourteen days of passes, with every model built."""
    with platforms(migrated_template, tmp_path_factory) as make:
        platform = make(WorldSize.TRUTH)
        platform.history(ANCHOR)
        platform.build()
        yield platform


@pytest.fixture(scope="session")
def true_sessions(estate: Platform) -> dict[tuple[str, str, datetime], TrueSession]:
    """What was true of each server's sessions when its log was last read: of a deleted one nobody saw later lines."""
    with connect(estate.settings, autocommit=True) as connection:
        read_at = connection.execute(
            "select server_uuid::text, max(observed_at) from raw_minecraft.log_reads "
            "where path = '' and outcome = 'ok' group by server_uuid"
        ).fetchall()
    by_instant: dict[datetime, set[str]] = {}
    for server, at in read_at:
        by_instant.setdefault(at, set()).add(server)
    return {
        (session.server_uuid, session.player_name, session.joined_at): session
        for at, servers in by_instant.items()
        for session in estate.simulation.truth.sessions(at)
        if session.server_uuid in servers
    }


@pytest.fixture(scope="session")
def running(migrated_template: ConnectionSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    anchor = datetime.now(tz=UTC).replace(second=0, microsecond=0)
    # a picture shows what a person finds in the demo, and the demo's name of the database
    size, days = (WorldSize.DEMO, 14) if os.environ.get("PTEROASSETS_SCREENSHOTS") else (WorldSize.TINY, 2)
    world = World.create(seed=5, anchor=anchor, size=size, history=timedelta(days=days))
    folder = tmp_path_factory.mktemp("running")
    with running_platform(
        migrated_template,
        folder,
        world,
        SystemClock(),
        module="tests.end_to_end.every_minute",
        database=DEMO_DATABASE,
    ) as platform:
        yield platform


@pytest.fixture(scope="session")
def built(running: Running) -> Running:
    """The same, after every pass and every model."""
    assert running.wait(running.launch("everything")) == "SUCCESS"
    return running


@pytest.fixture(scope="session")
def refused_runs(built: Running) -> list[str]:
    """The ids of two runs that failed, since the panel refused their key."""
    return built.refused_runs(2)
