"""What happens in a simulated world: a pure function of seed, anchor, size, length of history, and time.

Path of what happens::

    estate (entities over time) --runs--> life --visits--> lines --rotation--> logs
                                            ├--players--> consumption
                                            └--visits--> networks (what proxies see)

Nothing is kept that time alone did not decide, so two processes with the same five values tell the same story. A world
goes on for any time after its anchor; the *anchor* only says where its prepared history ends.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from pteroassets.simulator.logs.files import LogFile, ServerLogs
from pteroassets.simulator.world.activity import Deed, deeds
from pteroassets.simulator.world.chance import HOUR, epoch, utc
from pteroassets.simulator.world.consumption import SLOT, GameRun, Games, Usage, usage
from pteroassets.simulator.world.entities import Server, ServerState
from pteroassets.simulator.world.estate import Estate, WorldSize
from pteroassets.simulator.world.life import Life, Run
from pteroassets.simulator.world.networks import NetworkLife
from pteroassets.simulator.world.plans import LOOPING_FOR, Plan
from pteroassets.simulator.world.players import Players


class History:
    """Everything that exists and happens."""

    def __init__(self, seed: int, anchor: datetime, size: WorldSize | Plan, history: timedelta) -> None:
        self.seed = seed
        self.anchor = utc(epoch(anchor))
        self.start = self.anchor - history
        self.size = size
        self.lock = threading.RLock()
        self.estate = Estate(seed, anchor=epoch(self.anchor), start=epoch(self.start), size=size)
        self.players = Players(seed, self.estate)
        self._lives: dict[int, Life] = {}
        self._networks: dict[int, NetworkLife] = {}
        self._logs: dict[int, ServerLogs] = {}
        self._games = Games(seed)
        self._by_uuid: dict[str, Server] = {}
        self._by_identifier: dict[str, Server] = {}

    def server_by_uuid(self, uuid_or_identifier: str, at: int) -> Server | None:
        """Return the server of this UUID or short identifier among those made by *at*, deleted ones too."""
        if len(self._by_uuid) < (count := self.estate.count(at)):
            servers = [self.estate.server(index) for index in range(count)]
            self._by_uuid = {server.uuid: server for server in servers}
            self._by_identifier = {server.identifier: server for server in servers}
        found = self._by_uuid.get(uuid_or_identifier) or self._by_identifier.get(uuid_or_identifier)
        return found if found is not None and found.created_at <= at else None

    def runs(self, server: Server, until: int) -> list[Run]:
        """Return every run of *server* whose container started at or before *until*; none for one of another game."""
        life = self._life(server.index)
        network = self.estate.network_of.get(server.index)
        if network is None or network.proxy != server.index:
            return life.runs(until)
        known = self._networks.get(server.index)
        if known is None:
            members = [(name, self._life(index)) for name, index in network.members]
            known = self._networks[server.index] = NetworkLife(self.seed, life, members)
        return known.runs(until)

    def restarts_at(self, server: Server) -> int | None:
        """Return the second of UTC's day at which *server* is restarted daily, as of the anchor; None if it is not.

        It is restarted by the clock of its zone, so an hour off on the other side of a clock change.
        """
        return self._life(server.index).restarts_at(epoch(self.anchor))

    def deeds(self, server: Server, at: int) -> list[Deed]:
        """Return what the activity log shows at *at* of what was done with *server*, in no order."""
        state = server.state(at)
        is_played = state is not None and state.egg.is_minecraft_server
        return deeds(self.seed, server, self.runs(server, at) if is_played else [], at)

    def _life(self, index: int) -> Life:
        known = self._lives.get(index)
        if known is None:
            network = self.estate.network_of.get(index)
            proxy = self._life(network.proxy) if network is not None and network.proxy != index else None
            server = self.estate.server(index)
            known = Life(
                self.seed,
                server,
                self.players,
                start=epoch(self.start),
                loops_from=epoch(self.anchor) - LOOPING_FOR,
                proxy=proxy,
            )
            self._lives[index] = known
        return known

    def run_at(self, server: Server, at: int) -> Run | None:
        """Return the run of *server* whose process exists at *at*."""
        runs = self.runs(server, at)
        return runs[-1] if runs and at < runs[-1].ended_at else None

    def log_files(self, server: Server, at: int, *, with_deleted: bool = False) -> list[LogFile]:
        """Return the log files of *server* at *at*, the one that grows last; none for a server of another game."""
        known = self._logs.get(server.index)
        if known is None:
            known = ServerLogs(
                lambda until: self.runs(server, until),
                seed=self.seed,
                zone=self.players.zone(server.zone),
                flood_at=epoch(self.anchor) - 2 * HOUR,
            )
            self._logs[server.index] = known
        return known.files(at, with_deleted=with_deleted)

    def usage(self, server: Server, state: ServerState, at: int) -> Usage:
        """Return what *server* uses in the slot of 20 seconds that holds *at*."""
        slot = at - at % SLOT
        run: Run | GameRun | None
        if state.egg.is_minecraft_server:
            run = self.run_at(server, slot)
        else:
            run = self._games.run_at(server, self.players.zone(server.zone), slot)
        return usage(self.seed, server, state, run, slot)

    def log_timezones(self, at: datetime) -> dict[str, str]:
        """Return the IANA zone of each server's log, for every server made by *at*."""
        with self.lock:
            return {server.uuid: server.zone for server in self.estate.servers(epoch(at))}
