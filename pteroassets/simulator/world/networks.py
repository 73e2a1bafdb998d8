# ruff: noqa: PLR2004 - the shares and counts of a made-up world mean nothing beyond themselves
"""What a proxy sees of a network: the visits to its back-ends, joined to the one way that each player took.

Path of what happens::

    runs of the proxy --cut--> visits of the back-ends --joined here--> visits of the proxy

Who leaves one back-end and enters another within seconds has switched; whoever is longer on none has left the network.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from pteroassets.simulator.world.chance import MINUTE, dice
from pteroassets.simulator.world.life import Life, Reason, Run, Stop, Visit, moments

SWITCH_SECONDS: Final = 5
"""Longer than that between two back-ends, and the player was away."""

LOST_TEXT: Final = "[Proxy] Lost connection to server."
SHUTDOWN_TEXT: Final = "[Proxy] Proxy restarting."
TIMEOUT_TEXT: Final = "read timed out"


class NetworkLife:
    """The runs of a proxy, with the visits that its back-ends make of it."""

    def __init__(self, seed: int, life: Life, members: Sequence[tuple[str, Life]]) -> None:
        self._seed = seed
        self._life = life
        self._members = members
        self._filled = 0

    def runs(self, until: int) -> list[Run]:
        """Return every run of the proxy whose container started at or before *until*, oldest first."""
        runs = self._life.runs(until)
        for run in runs[self._filled :]:
            run.visits = self._visits(run)
            run.index()
        self._filled = max(self._filled, len(runs))
        return runs

    def _visits(self, proxy_run: Run) -> list[Visit]:
        ways: defaultdict[int, list[tuple[str, Visit]]] = defaultdict(list)
        for name, life in self._members:
            for run in life.runs(proxy_run.ended_at):
                if run.ended_at < proxy_run.ready_at:
                    continue
                for visit in run.visits:
                    if proxy_run.ready_at <= visit.joined_at < proxy_run.last:
                        ways[visit.player.key].append((name, visit))
        visits = []
        for legs in ways.values():
            legs.sort(key=lambda leg: leg[1].joined_at)
            way: list[tuple[str, Visit]] = []
            for leg in legs:
                if way and leg[1].joined_at - way[-1][1].left_at > SWITCH_SECONDS:
                    visits.append(self._joined(proxy_run, way))
                    way = []
                way.append(leg)
            visits.append(self._joined(proxy_run, way))
        visits.sort(key=lambda visit: (visit.joined_at, visit.player.key))
        return visits

    def _joined(self, run: Run, way: list[tuple[str, Visit]]) -> Visit:
        first, last = way[0][1], way[-1][1]
        throw = dice(self._seed, "way", run.server.index, first.player.key, first.joined_at)
        # the proxy knows of an entry up to a second before the back-end has written it
        entries = [visit.joined_at - throw.randrange(2) for _, visit in way]
        joined = entries[0]
        left, reason, text = self._end(run, last)
        if left < run.last:
            # the one who ends it writes first
            left += throw.randrange(2) if reason == "kicked" else -throw.randrange(2)
            left = max(min(left, run.last - 1), entries[-1] + 1)
            if reason == "left" and throw.random() < 0.08:
                reason, text = "timed_out", TIMEOUT_TEXT
        key = f"{run.server.uuid}/{first.name}/{joined}"
        for _, visit in way:
            visit.network_key = key
        overlaps = [max(visit.left_at - following.joined_at, 0) for (_, visit), (_, following) in pairwise(way)]
        exits = [min(entry + overlap, left) for entry, overlap in zip(entries[1:], overlaps, strict=True)]
        departures = [entry - 1 for entry in entries[1:]]
        return Visit(
            player=first.player,
            name=first.name,
            uuid=first.uuid,
            joined_at=joined,
            left_at=left,
            reason=reason,
            text=text,
            port=first.port,
            entity_id=0,
            # the way to the next server is a command
            deeds=[(at, "command") for at in sorted((*moments(throw, joined, left, 25 * MINUTE), *departures))],
            stops=tuple(
                Stop(name, entry, end) for (name, _), entry, end in zip(way, entries, [*exits, left], strict=True)
            ),
            network_key=key,
        )

    def _end(self, run: Run, last: Visit) -> tuple[int, Reason, str | None]:
        """Return when, how and with what words the way ended whose last visit to a back-end is *last*."""
        if last.left_at >= run.last:
            if run.end == "stop":
                return min(run.last + 1, run.ended_at), "server_stopped", SHUTDOWN_TEXT
            return run.ended_at, "server_crashed", None
        match last.reason:
            case "left" | "kicked":
                return last.left_at, last.reason, last.text
            case _:
                # the back-end is gone, with words or without
                return last.left_at, "kicked", LOST_TEXT
