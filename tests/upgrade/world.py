"""The small world whose passes filled the recorded warehouse, and the passes themselves, to be made again.

Four days around the night of 25 October, when clocks in Europe go back: a proxy with two servers behind it, one server
that is deleted half-way, one with a log that cannot be read, one of another game, a node that is away for a pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pteroassets.clock import ManualClock
from pteroassets.settings import CHECKOUT
from pteroassets.simulator.panel.faults import Fault
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World
from pteroassets.simulator.world.chance import epoch
from pteroassets.simulator.world.plans import NODES, PLANS, Network, Plan, WorldSize
from pteroassets.warehouse.connection import ConnectionSettings
from pteroassets.warehouse.load import LoadReport
from tests.harness import Platform

DUMP = CHECKOUT / "tests" / "fixtures" / "upgrade" / "warehouse.sql.xz"
NAMES = DUMP.with_name("names.json")
RECORDED_UNTIL = datetime(2026, 10, 26, 12, tzinfo=UTC)
_PLAN = Plan(
    old_servers=8,
    new_servers=2,
    users=9,
    machines=NODES,
    allocations={"fra-01": 14, "nyc-01": 12},
    kinds=("Paper", "Forge Minecraft", "Velocity", "Paper", "Purpur", "Vanilla Minecraft", "Paper", "Rust", "Paper",
           "Spigot"),
    roles={1: "resized", 3: "owner changed", 5: "deleted", 6: "damaged log"},
    networks=(Network(proxy=2, members=(("lobby", 3), ("survival", 4))),),
)  # fmt: skip
# what the panel says of its nodes' ports, so that two simulations of this world say the same
_NODE_PORTS = {1: 8080, 2: 8081}
_AWAY = RECORDED_UNTIL - timedelta(hours=32)


@contextmanager
def recorded_world() -> Iterator[Simulation]:
    """Give the world of this file on a running panel, its clock at the world's beginning."""
    usual, PLANS[WorldSize.TINY] = PLANS[WorldSize.TINY], _PLAN
    try:
        world = World.create(seed=23, anchor=RECORDED_UNTIL, size=WorldSize.TINY, history=timedelta(days=2))
        with Simulation(world, ManualClock(world.start)) as simulation:
            # of one server no packed log ever comes whole
            cut = world.estate.servers(epoch(world.anchor))[1].uuid
            simulation.faults.add(Fault(kind="truncate", route="contents", server_uuid=cut, path_ends="-2.log.gz"))
            yield simulation
    finally:
        PLANS[WorldSize.TINY] = usual


class RecordedPlatform(Platform):
    """The passes of that world; its nodes have the same ports whenever they are listed."""

    @classmethod
    def on(cls, simulation: Simulation, settings: ConnectionSettings, folder: Path) -> RecordedPlatform:
        """Return the platform of *simulation* and the warehouse at *settings*, which keeps its files in *folder*."""
        clock = simulation.clock
        assert isinstance(clock, ManualClock)
        return cls(simulation=simulation, clock=clock, settings=settings, folder=folder)

    def entities(self, **options: Any) -> dict[str, LoadReport]:
        stage = self.simulation._stage
        real, stage.node_ports = stage.node_ports, _NODE_PORTS
        try:
            return super().entities(**options)
        finally:
            stage.node_ports = real

    def recorded_history(self) -> None:
        """Make the passes that filled the recorded warehouse, each kind at its own step."""
        start = self.simulation.world.start
        for hours in range(0, int((RECORDED_UNTIL - start) / timedelta(hours=1)) + 1, 2):
            at = start + timedelta(hours=hours)
            if at == _AWAY:
                self.simulation.faults.node_down(2)
            self.passes(at, entities=hours % 12 == 0, logs=hours % 8 == 0)
            self.simulation.faults.node_up(2)

    def passes(self, at: datetime, *, entities: bool = True, logs: bool = True) -> list[LoadReport]:
        """Make the passes of *at*, each at that very time, and return what they did."""
        reports: list[LoadReport] = []
        if entities:
            self.clock.move_to(at)
            reports += self.entities().values()
        self.clock.move_to(at)
        reports.append(self.utilization())
        if logs:
            self.clock.move_to(at)
            reports += [self.collect(), *self.derive()]
        return reports
