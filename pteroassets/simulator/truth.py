"""What really happened in a world, in a form that tests compare marts with and extractors never see."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pteroassets.simulator.history import History
from pteroassets.simulator.logs.lines import crash_report_name
from pteroassets.simulator.troubles import Troubles, troubles_of
from pteroassets.simulator.true_rows import CrashCause, Sample, ServerVersion, TrueNetwork, TrueRun, TrueSession
from pteroassets.simulator.world import upkeep
from pteroassets.simulator.world.activity import Deed
from pteroassets.simulator.world.catalog import EGGS, NESTS
from pteroassets.simulator.world.chance import epoch, utc, uuid4_of
from pteroassets.simulator.world.consumption import gate
from pteroassets.simulator.world.entities import Server, ServerState, exists
from pteroassets.simulator.world.life import Run, Visit
from pteroassets.simulator.world.software import HABITS
from pteroassets.simulator.world.zones import Zone

Row = dict[str, Any]


class Truth:
    """The truth of a world; every method takes the instant as of which it speaks."""

    def __init__(self, world: History) -> None:
        self._world = world

    # ------------------------------------------------------------------ entities

    def entities(self, at: datetime) -> dict[str, list[Row]]:
        """Return what exists at *at*, by kind, each ordered by id."""
        second = epoch(at)
        with self._world.lock:
            estate = self._world.estate
            living = estate.living(second)
            assigned = estate.assigned(second)
            ids = {server.id for server, _ in living}
            return {
                "locations": [_made(row, "id", "short", "long") for row in estate.locations],
                "nodes": [
                    {
                        **_made(row, "id", "uuid", "name", "location_id", "memory", "disk"),
                        "maintenance_mode": row.is_in_maintenance(second),
                    }
                    for row in estate.nodes
                ],
                "allocations": [
                    {
                        **_fields(row, "id", "node_id", "ip", "alias", "port", "notes"),
                        "assigned": row.id in assigned,
                        "server_id": assigned.get(row.id),
                    }
                    for row in estate.allocations
                    if exists(row, second)
                ],
                "nests": [
                    {**_fields(nest, "id", "name", "description"), "uuid": uuid4_of("nest", nest.id)} for nest in NESTS
                ],
                "eggs": [
                    {
                        **_fields(egg, "id", "name", "nest_id"),
                        "uuid": uuid4_of("egg", egg.id),
                        "variables": [variable.env for variable in egg.variables],
                    }
                    for egg in EGGS
                ],
                "servers": [self._server_row(server, state) for server, state in living],
                "users": [_user_row(row) for row in estate.users if exists(row, second)],
                "subusers": [
                    {**_made(row, "id", "user_id", "server_id"), "permissions": list(row.permissions)}
                    for row in estate.subusers
                    if exists(row, second) and row.server_id in ids
                ],
                "server_databases": [
                    {**_made(row, "id", "server_id", "username"), "database": row.name}
                    for row in estate.databases
                    if exists(row, second) and row.server_id in ids
                ],
            }

    def backups(self, at: datetime) -> dict[str, list[upkeep.Backup]]:
        """Return the backups at *at* of each server that has any, by its UUID, oldest first."""
        second = epoch(at)
        with self._world.lock:
            found = {
                server.uuid: upkeep.backups(self._world.seed, server, second)
                for server, _ in self._world.estate.living(second)
            }
        return {owner: rows for owner, rows in found.items() if rows}

    def schedules(self, at: datetime) -> dict[str, list[upkeep.Schedule]]:
        """Return the schedules at *at* of each server that has any, by its UUID."""
        second = epoch(at)
        with self._world.lock:
            found = {
                server.uuid: upkeep.schedules(self._world.seed, server, second, restart=self._world.restarts_at(server))
                for server, _ in self._world.estate.living(second)
            }
        return {owner: rows for owner, rows in found.items() if rows}

    def activity(self, at: datetime) -> dict[str, list[Deed]]:
        """Return what the panel shows at *at* of what was done with each server, by its UUID, in no order."""
        second = epoch(at)
        with self._world.lock:
            return {server.uuid: self._world.deeds(server, second) for server, _ in self._world.estate.living(second)}

    def troubles(self, at: datetime) -> Troubles:
        """Return what somebody who looks after the servers would want to be told at *at*."""
        with self._world.lock:
            return troubles_of(self._world, epoch(at))

    def deleted(self, at: datetime) -> dict[str, list[Row]]:
        """Return what existed in the history and was gone by *at*, by kind, with ``deleted_at``."""
        second = epoch(at)
        with self._world.lock:
            estate = self._world.estate
            gone = {
                server.id: (server, when)
                for server in estate.servers(second)
                if (when := server.deleted_at(second)) is not None
            }

            def end_of(row: Any) -> int | None:
                ends = [
                    end
                    for end in (row.deleted_at, gone[row.server_id][1] if row.server_id in gone else None)
                    if end is not None and end <= second
                ]
                return min(ends) if ends and row.created_at < min(ends) else None

            return {
                "servers": [
                    {**self._server_row(server, server.states(when - 1)[-1]), "deleted_at": utc(when)}
                    for server, when in gone.values()
                ],
                "users": [
                    {**_user_row(row), "deleted_at": utc(row.deleted_at)}
                    for row in estate.users
                    if row.deleted_at is not None and row.deleted_at <= second
                ],
                "subusers": [
                    {**_fields(row, "id", "user_id", "server_id"), "deleted_at": utc(end)}
                    for row in estate.subusers
                    if (end := end_of(row)) is not None
                ],
                "server_databases": [
                    {**_fields(row, "id", "server_id"), "database": row.name, "deleted_at": utc(end)}
                    for row in estate.databases
                    if (end := end_of(row)) is not None
                ],
            }

    def server_versions(self, at: datetime) -> list[ServerVersion]:
        """Return how each server stood until *at*: a version for each change of limits, egg, owner, node or status."""
        second = epoch(at)
        versions = []
        with self._world.lock:
            for server in self._world.estate.servers(second):
                versions += self._versions_of(server, second)
        return versions

    def _versions_of(self, server: Server, second: int) -> list[ServerVersion]:
        versions: list[ServerVersion] = []
        spans: list[tuple[ServerState, int | None]] = []
        for state in server.states(second):
            if spans and not state.is_deleted and _fields(spans[-1][0], *_JUDGED) == _fields(state, *_JUDGED):
                continue
            if spans:
                spans[-1] = (spans[-1][0], state.since)
            if not state.is_deleted:
                spans.append((state, None))
        for state, end in spans:
            versions.append(
                ServerVersion(
                    server_uuid=server.uuid,
                    valid_from=utc(state.since),
                    valid_to=None if end is None else utc(end),
                    **_fields(state, *_JUDGED),
                )
            )
        return versions

    def _server_row(self, server: Server, state: ServerState) -> Row:
        return {
            **_made(server, "id", "uuid", "identifier", "external_id", "description", "swap"),
            **_fields(state, "name", *_JUDGED, "is_transferring"),
            "nest_id": state.egg.nest_id,
            "allocation_id": state.allocation_ids[0],
            "allocation_ids": list(state.allocation_ids),
            "has_log": state.egg.is_minecraft_server,
            "log_folder": HABITS[server.software(state.since)].folder if state.egg.is_minecraft_server else None,
        }

    # ------------------------------------------------------------------ consumption

    def sample(self, server_uuid: str, at: datetime) -> Sample:
        """Return what the panel says of a server at *at*.

        Raises:
            KeyError: There is no such server at *at*.
        """
        second = epoch(at)
        with self._world.lock:
            server = self._world.server_by_uuid(server_uuid, second)
            state = None if server is None else server.state(second)
            if server is None or state is None:
                raise KeyError(server_uuid)
            refused = gate(state, self._world.estate.node_by_id[state.node_id], second)
            if refused is not None:
                return Sample(server_uuid=server_uuid, at=at, outcome=refused)
            use = self._world.usage(server, state, second)
        return Sample(
            server_uuid=server_uuid,
            at=at,
            outcome="offline" if use.state == "offline" else "ok",
            **asdict(use),
        )

    # ------------------------------------------------------------------ players and runs

    def sessions(self, at: datetime) -> list[TrueSession]:
        """Return every stay of a player that began at or before *at*, by server and time of joining."""
        second = epoch(at)
        sessions = []
        with self._world.lock:
            for network in self._world.estate.networks:
                # what a back-end's sessions belong to is decided with those of the proxy
                self._world.runs(self._world.estate.server(network.proxy), second)
            for server in self._world.estate.servers(second):
                known = self._world.runs(server, second)
                for run, following in zip(known, [*known, None][1:], strict=True):
                    told = run.stopping_at
                    if told is None and following is not None:
                        told = following.started_at
                    sessions += [
                        _session(run, visit, second, told) for visit in run.visits if visit.joined_at <= second
                    ]
        return sessions

    def runs(self, at: datetime) -> list[TrueRun]:
        """Return every run of a Minecraft server or proxy whose start line was written at or before *at*."""
        second = epoch(at)
        with self._world.lock:
            return [
                _run(run, second, self._world.players.zone(server.zone))
                for server in self._world.estate.servers(second)
                for run in self._world.runs(server, second)
                if run.started_at <= second
            ]

    def networks(self, at: datetime) -> list[TrueNetwork]:
        """Return the networks whose proxy exists at *at*."""
        estate = self._world.estate
        second = epoch(at)
        with self._world.lock:
            return [
                TrueNetwork(
                    proxy_uuid=estate.server(network.proxy).uuid,
                    members={name: estate.server(index).uuid for name, index in network.members},
                )
                for network in estate.networks
                if estate.server(network.proxy).state(second) is not None
            ]

    def to_json(self, at: datetime) -> dict[str, Any]:
        """Return everything but samples as of *at*, ready for JSON; instants as ISO text."""
        entities = self.entities(at)
        whole = {
            "at": at,
            "entities": entities,
            "deleted": self.deleted(at),
            "server_versions": self.server_versions(at),
            "sessions": self.sessions(at),
            "runs": self.runs(at),
            "networks": self.networks(at),
            "samples": [self.sample(server["uuid"], at) for server in entities["servers"]],
        }
        plain: dict[str, Any] = json.loads(json.dumps(whole, default=_plain))
        return plain


_JUDGED = ("memory", "disk", "cpu", "egg_id", "owner_id", "node_id", "status")


def _fields(thing: object, *names: str) -> Row:
    return {name: getattr(thing, name) for name in names}


def _made(thing: Any, *names: str) -> Row:
    """Return the fields *names* of a thing, and when it was made."""
    return {**_fields(thing, *names), "created_at": utc(thing.created_at)}


def _user_row(row: Any) -> Row:
    return {**_made(row, "id", "uuid", "username"), "root_admin": row.is_admin, "2fa": row.has_2fa}


def _run(run: Run, second: int, zone: Zone) -> TrueRun:
    def past(moment: int | None) -> datetime | None:
        return utc(moment) if moment is not None and moment <= second else None

    has_ended = run.ended_at <= second
    cause: CrashCause | None = None
    if run.end == "watchdog":
        cause = "watchdog"
    elif run.end == "crash":
        # PocketMine names no exception, but says that it writes a dump
        cause = "crash_report" if run.exception is None else "exception"
    has_crashed = cause is not None and past(run.stopping_at) is not None
    return TrueRun(
        server_uuid=run.server.uuid,
        started_at=utc(run.started_at),
        ready_at=past(run.ready_at),
        stopping_at=past(run.stopping_at),
        ended_at=past(run.ended_at),
        end_reason=("stopped" if run.end == "stop" else "crashed") if has_ended else None,
        software=run.habits.title,
        game_version=None if run.habits.is_proxy else run.habits.version,
        is_proxy=run.habits.is_proxy,
        overload_warnings=bisect_right(run.overloads, second),
        crash_cause=cause if has_crashed else None,
        crash_exception=run.exception if has_crashed else None,
        crash_report=crash_report_name(zone, run.last) if has_crashed and run.has_report else None,
    )


def _session(run: Run, visit: Visit, second: int, told: int | None) -> TrueSession:
    is_over = visit.left_at <= second
    known = visit.left_at if visit.has_line else told
    done = [deed for at, deed in visit.deeds if at <= second]
    return TrueSession(
        server_uuid=run.server.uuid,
        player_name=visit.name,
        player_uuid=visit.uuid if run.habits.shows_uuids else None,
        joined_at=utc(visit.joined_at),
        left_at=utc(visit.left_at) if is_over else None,
        close_reason=visit.reason if is_over else None,
        is_end_observed=visit.has_line if is_over else None,
        end_known_at=utc(known) if known is not None and known <= second else None,
        chat_messages=done.count("chat"),
        commands=done.count("command"),
        deaths=done.count("death"),
        advancements=done.count("advancement"),
        player_xuid=visit.player.xuid,
        is_proxy=run.habits.is_proxy,
        server_switches=sum(stop.entered_at <= second for stop in visit.stops[1:]),
        network_session=visit.network_key,
    )


def _plain(value: Any) -> Any:
    """Return a value that JSON does not know as one that it knows."""
    return value.isoformat() if isinstance(value, datetime) else asdict(value)
