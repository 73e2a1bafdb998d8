"""What goes wrong in a world, as somebody knows who made it: what the platform is to find without being told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pteroassets.simulator.history import History
from pteroassets.simulator.world.catalog import NESTS
from pteroassets.simulator.world.chance import DAY, epoch
from pteroassets.simulator.world.entities import Server
from pteroassets.simulator.world.plans import DAMAGED_BEFORE
from pteroassets.simulator.world.software import HABITS
from pteroassets.simulator.world.zones import date_of

LOOP: Final = 5
"""Crashes within a day that make a loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubles:
    """Servers by uuid, nodes by name, files as ``<uuid>:<path>``, nests by id."""

    short_of_memory: frozenset[str]
    crash_loops: frozenset[str]
    asleep: frozenset[str]
    over_committed: frozenset[str]
    unreadable_logs: frozenset[str]
    unlisted_nests: frozenset[int]


def troubles_of(world: History, at: int) -> Troubles:
    """Return the troubles of *world* at *at*."""
    living = [(server, state) for server, state in world.estate.living(at) if state.status != "suspended"]
    promised: dict[int, int] = {}
    for _, state in world.estate.living(at):
        promised[state.node_id] = promised.get(state.node_id, 0) + state.memory

    def playing(role: str) -> frozenset[str]:
        return frozenset(server.uuid for server, _ in living if server.role == role)

    def crashes(server: Server) -> int:
        recent = (run for run in world.runs(server, at) if at - DAY < run.started_at and run.last <= at)
        return sum(run.end in {"crash", "watchdog"} for run in recent)

    damaged = ((server, damaged_log(world, server)) for server, _ in living)
    return Troubles(
        short_of_memory=playing("short of memory"),
        crash_loops=frozenset(server.uuid for server, _ in living if crashes(server) >= LOOP),
        asleep=playing("asleep"),
        over_committed=frozenset(node.name for node in world.estate.nodes if promised.get(node.id, 0) > node.memory),
        unreadable_logs=frozenset(
            f"{server.uuid}:{HABITS[server.software(at)].folder}/{known[0]}"
            for server, known in damaged
            if known is not None
        ),
        unlisted_nests=frozenset(nest.id for nest in NESTS if world.estate.fails_to_list_eggs(nest.id, at)),
    )


def damaged_log(world: History, server: Server) -> tuple[str, int] | None:
    """Return the name and the time of a closed log that holds nothing that can be read; None where all can."""
    if server.role != "damaged log":
        return None
    at = epoch(world.start) - DAMAGED_BEFORE
    return f"{date_of(world.players.zone(server.zone).day(at))}-1.log.gz", at
