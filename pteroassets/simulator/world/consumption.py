# ruff: noqa: PLR2004 - the shares and counts of a made-up world mean nothing beyond themselves
"""What servers use: CPU, memory, disk and network, following the players.

Every figure is a function of the slot of 20 seconds in which it is asked (the panel keeps an answer for 20 seconds), so
that the panel's answer and the truth agree whenever both are asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from pteroassets.simulator.world.chance import DAY, HOUR, dice, mix, noise
from pteroassets.simulator.world.entities import Node, Server, ServerState
from pteroassets.simulator.world.life import Run
from pteroassets.simulator.world.zones import Zone

SLOT: Final = 20
"""Seconds for which an answer stays the same."""

_MIB: Final = 1024 * 1024
_GLITCH_EVERY: Final = 97

Outcome = Literal[
    "ok", "offline", "suspended", "installing", "install_failed", "restoring_backup", "transferring", "maintenance"
]
PowerState = Literal["offline", "starting", "running", "stopping"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the node of a server reports."""

    state: PowerState
    cpu_percent: float
    memory_bytes: int
    disk_bytes: int
    rx_bytes: int
    tx_bytes: int
    uptime_ms: int


def gate(state: ServerState, node: Node, at: int) -> Outcome | None:
    """Return why the panel refuses to ask the node (409), or None."""
    if state.status == "suspended":
        return "suspended"
    if node.is_in_maintenance(at):
        return "maintenance"
    match state.status:
        case "installing" | "install_failed" | "restoring_backup":
            return state.status
        case _:
            return "transferring" if state.is_transferring else None


@dataclass(slots=True, kw_only=True)
class GameRun:
    """A run of a server of another game: begun every Thursday at six in the morning, never ended in between.

    *players_in* gives the number of players in the hour that begins at a second; hours are computed as they are asked
    for.
    """

    begin: int
    end: int
    players_in: Callable[[int], int]
    players: list[int] = field(default_factory=list)
    seconds: list[int] = field(default_factory=lambda: [0])

    def _hour(self, at: int) -> int:
        hour = (min(at, self.end - 1) - self.begin) // HOUR
        while len(self.players) <= hour:
            self.players.append(self.players_in(self.begin + len(self.players) * HOUR))
            self.seconds.append(self.seconds[-1] + self.players[-1] * HOUR)
        return hour

    def online(self, at: int) -> int:
        """Return how many players are on at *at*."""
        return self.players[self._hour(at)]

    def player_seconds(self, at: int) -> int:
        """Return the seconds that all players together have spent in this run until *at*."""
        hour = self._hour(at)
        return self.seconds[hour] + self.players[hour] * (at - self.begin - hour * HOUR)


_THURSDAY_SIX: Final = 6 * HOUR
_WEEK: Final = 7 * DAY
_EVENING: Final = (2, 1, 1, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 8, 10, 12, 12, 10, 7, 4)


class Games:
    """The runs of servers that are no Minecraft servers."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._known: dict[tuple[int, int], GameRun] = {}

    def run_at(self, server: Server, zone: Zone, at: int) -> GameRun | None:
        """Return the run of *server* that exists at *at*."""
        last = server.states(at)[-1]
        since = max(
            [server.created_at + 300]
            + [
                following.since + 60
                for before, following in zip(server.states(at), server.states(at)[1:], strict=False)
                if before.is_gated and not following.is_gated
            ]
        )
        if last.is_gated or at < since:
            return None
        week = (at - _THURSDAY_SIX) // _WEEK
        begin = max(week * _WEEK + _THURSDAY_SIX, since)
        key = (server.index, begin)
        known = self._known.get(key)
        if known is None:
            busy = dice(self._seed, "game", server.index).uniform(0.1, 1.5)

            def players_in(hour: int) -> int:
                evening = _EVENING[((hour + zone.offset(hour)) % DAY) // HOUR]
                return int(evening * busy * (0.6 + 0.8 * noise(self._seed, server.index, hour)))

            end = (week + 1) * _WEEK + _THURSDAY_SIX
            known = self._known[key] = GameRun(begin=begin, end=end, players_in=players_in)
        return known


def usage(seed: int, server: Server, state: ServerState, run: Run | GameRun | None, slot: int) -> Usage:
    """Return what *server* uses in the slot that begins at *slot*, given the run that exists then."""
    habits = dice(seed, "usage", server.index)
    base_share, per_player, idle_cpu = habits.uniform(0.25, 0.45), habits.randrange(40, 110), habits.uniform(1.5, 9)
    if server.role == "short of memory":
        base_share = 0.93
    base_disk = habits.randrange(400, 4000)
    age = slot - server.created_at
    disk = (base_disk + habits.randrange(5, 40) * age // DAY % 30_000) * _MIB + mix(
        seed, server.index, slot // 300
    ) % _MIB
    begin = run.container_at if isinstance(run, Run) else run.begin if run is not None else 0
    if run is None or slot < begin:
        return Usage(
            state="offline", cpu_percent=0, memory_bytes=0, disk_bytes=disk, rx_bytes=0, tx_bytes=0, uptime_ms=0
        )
    power: PowerState = "running"
    if isinstance(run, Run):
        if slot < run.ready_at:
            power = "starting"
        elif run.end == "stop" and run.stopping_at is not None and slot >= run.stopping_at:
            power = "stopping"
    players = run.online(slot)
    if isinstance(run, GameRun):
        per_player //= 4  # a Source server keeps no land that each player walks on
    limit = (state.memory or 6144) * _MIB
    uptime = slot - begin
    warm = min(uptime / (2 * HOUR), 1.0)
    memory = int(limit * base_share * (0.6 + 0.4 * warm)) + players * per_player * _MIB
    memory += int(limit * 0.03 * noise(seed, server.index, slot, 1))
    memory = min(memory, int(limit * 0.97))
    cpu = idle_cpu * (0.7 + 0.6 * noise(seed, server.index, slot, 2)) + players * (
        4 + 6 * noise(seed, server.index, slot, 3)
    )
    if power == "starting":
        cpu += 120
    cpu = min(cpu, state.cpu or 800)
    spent = run.player_seconds(slot)
    if server.index == 4 and slot // SLOT % _GLITCH_EVERY == 0 and power == "running":
        memory, cpu = 0, 0.0  # a node that lost the container's statistics: running, yet nothing used
    return Usage(
        state=power,
        cpu_percent=round(cpu, 3),
        memory_bytes=memory,
        disk_bytes=disk,
        rx_bytes=900 * uptime + 2_600 * spent,
        tx_bytes=1_500 * uptime + 21_000 * spent,
        uptime_ms=uptime * 1000,
    )
