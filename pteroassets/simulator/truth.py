"""What really happened in a world, in a form that tests compare marts with and extractors never see."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from typing import Any, Literal

from pteroassets.simulator.history import History
from pteroassets.simulator.logs.lines import crash_report_name
from pteroassets.simulator.troubles import Troubles, troubles_of
from pteroassets.simulator.world.catalog import EGGS, NESTS
from pteroassets.simulator.world.chance import epoch, utc, uuid4_of
from pteroassets.simulator.world.consumption import Outcome, PowerState, gate
from pteroassets.simulator.world.entities import Server, ServerState, exists
from pteroassets.simulator.world.life import Reason, Run, Visit
from pteroassets.simulator.world.software import HABITS
from pteroassets.simulator.world.zones import Zone

CrashCause = Literal["exception", "watchdog", "crash_report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerVersion:
    """How a server stood in [valid_from, valid_to); memory and disk in MiB, cpu in percent of a core."""

    server_uuid: str
    valid_from: datetime
    valid_to: datetime | None
    memory: int
    disk: int
    cpu: int
    egg_id: int
    owner_id: int
    node_id: int
    status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the panel's ``/resources`` says of a server at an instant; figures are None where it refuses (409).

    The figures are those of the beginning of the instant's slot of 20 seconds (epoch seconds divisible by 20), as the
    panel keeps an answer that long; the outcome is that of the instant itself.
    """

    server_uuid: str
    at: datetime
    outcome: Outcome
    state: PowerState | None
    cpu_percent: float | None
    memory_bytes: int | None
    disk_bytes: int | None
    rx_bytes: int | None
    tx_bytes: int | None
    uptime_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueSession:
    """A stay of a player on a server, as of an instant.

    *joined_at* is the second of the login line; *left_at* that of the first departure line, or, where no line tells the
    end, that at which the server closed its connections or its process was killed; None while the player is on.
    *is_end_observed* tells whether a line does (None while on). *player_uuid* is what the log shows: None where it
    shows none, *player_xuid* the number of the account on phones and consoles. *network_session* is the same text for a
    session on a proxy (*is_proxy*) and for those on the back-ends within it; *server_switches* counts the changes of
    the back-end until the instant. *end_known_at* is when a reader of the log could first know that the stay had ended:
    at the departure line, else at the stop or crash line, else (killed) at the next start; None while nobody could. The
    counts are of lines written until the instant: ``<name>`` chat, commands, deaths, advancements.
    """

    server_uuid: str
    player_name: str
    player_uuid: str | None
    joined_at: datetime
    left_at: datetime | None
    close_reason: Reason | None
    is_end_observed: bool | None
    end_known_at: datetime | None
    chat_messages: int
    commands: int
    deaths: int
    advancements: int
    player_xuid: int | None = None
    is_proxy: bool = False
    server_switches: int = 0
    network_session: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueRun:
    """A run of a Minecraft server or a proxy, as of an instant.

    *started_at* is the second of the start line, *ready_at* of the ``Done`` line, *stopping_at* of the first stop or
    crash line (None where it was killed, or goes on), *ended_at* the end of the process. What has not come yet is None.
    A proxy is of no version of the game. *crash_cause* is what the first line of the crash shows, *crash_exception* the
    exception that it names, *crash_report* the name of the report that a line names.
    """

    server_uuid: str
    started_at: datetime
    ready_at: datetime | None
    stopping_at: datetime | None
    ended_at: datetime | None
    end_reason: Literal["stopped", "crashed"] | None
    software: str
    game_version: str | None
    is_proxy: bool
    overload_warnings: int
    crash_cause: CrashCause | None
    crash_exception: str | None
    crash_report: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueNetwork:
    """A proxy and the servers behind it, by the names that the proxy has for them."""

    proxy_uuid: str
    members: dict[str, str]


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
                "locations": [
                    {"id": row.id, "short": row.short, "long": row.long, "created_at": utc(row.created_at)}
                    for row in estate.locations
                ],
                "nodes": [
                    {
                        "id": row.id,
                        "uuid": row.uuid,
                        "name": row.name,
                        "location_id": row.location_id,
                        "memory": row.memory,
                        "disk": row.disk,
                        "maintenance_mode": row.is_in_maintenance(second),
                        "created_at": utc(row.created_at),
                    }
                    for row in estate.nodes
                ],
                "allocations": [
                    {
                        "id": row.id,
                        "node_id": row.node_id,
                        "ip": row.ip,
                        "alias": row.alias,
                        "port": row.port,
                        "notes": row.notes,
                        "assigned": row.id in assigned,
                        "server_id": assigned.get(row.id),
                    }
                    for row in estate.allocations
                    if exists(row, second)
                ],
                "nests": [
                    {
                        "id": nest.id,
                        "uuid": uuid4_of("nest", nest.id),
                        "name": nest.name,
                        "description": nest.description,
                    }
                    for nest in NESTS
                ],
                "eggs": [
                    {
                        "id": egg.id,
                        "uuid": uuid4_of("egg", egg.id),
                        "name": egg.name,
                        "nest_id": egg.nest_id,
                        "variables": [variable.env for variable in egg.variables],
                    }
                    for egg in EGGS
                ],
                "servers": [self._server_row(server, state) for server, state in living],
                "users": [_user_row(row) for row in estate.users if exists(row, second)],
                "subusers": [
                    {
                        "id": row.id,
                        "user_id": row.user_id,
                        "server_id": row.server_id,
                        "permissions": list(row.permissions),
                        "created_at": utc(row.created_at),
                    }
                    for row in estate.subusers
                    if exists(row, second) and row.server_id in ids
                ],
                "server_databases": [
                    {
                        "id": row.id,
                        "server_id": row.server_id,
                        "database": row.name,
                        "username": row.username,
                        "created_at": utc(row.created_at),
                    }
                    for row in estate.databases
                    if exists(row, second) and row.server_id in ids
                ],
            }

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
                    {"id": row.id, "user_id": row.user_id, "server_id": row.server_id, "deleted_at": utc(end)}
                    for row in estate.subusers
                    if (end := end_of(row)) is not None
                ],
                "server_databases": [
                    {"id": row.id, "server_id": row.server_id, "database": row.name, "deleted_at": utc(end)}
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
            if spans and not state.is_deleted and _judged(spans[-1][0]) == _judged(state):
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
                    memory=state.memory,
                    disk=state.disk,
                    cpu=state.cpu,
                    egg_id=state.egg_id,
                    owner_id=state.owner_id,
                    node_id=state.node_id,
                    status=state.status,
                )
            )
        return versions

    def _server_row(self, server: Server, state: ServerState) -> Row:
        return {
            "id": server.id,
            "uuid": server.uuid,
            "identifier": server.identifier,
            "external_id": server.external_id,
            "name": state.name,
            "description": server.description,
            "memory": state.memory,
            "swap": server.swap,
            "disk": state.disk,
            "cpu": state.cpu,
            "owner_id": state.owner_id,
            "node_id": state.node_id,
            "egg_id": state.egg_id,
            "nest_id": state.egg.nest_id,
            "allocation_id": state.allocation_ids[0],
            "allocation_ids": list(state.allocation_ids),
            "status": state.status,
            "is_transferring": state.is_transferring,
            "created_at": utc(server.created_at),
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
                return _sample(server_uuid, at, refused)
            use = self._world.usage(server, state, second)
        return Sample(
            server_uuid=server_uuid,
            at=at,
            outcome="offline" if use.state == "offline" else "ok",
            state=use.state,
            cpu_percent=use.cpu_percent,
            memory_bytes=use.memory_bytes,
            disk_bytes=use.disk_bytes,
            rx_bytes=use.rx_bytes,
            tx_bytes=use.tx_bytes,
            uptime_ms=use.uptime_ms,
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
        return {
            "at": at.isoformat(),
            "entities": _plain(self.entities(at)),
            "deleted": _plain(self.deleted(at)),
            "server_versions": _plain(self.server_versions(at)),
            "sessions": _plain(self.sessions(at)),
            "runs": _plain(self.runs(at)),
            "networks": _plain(self.networks(at)),
            "samples": _plain(
                [self.sample(server["uuid"], at) for server in self.entities(at)["servers"]],
            ),
        }


def _judged(state: ServerState) -> tuple[object, ...]:
    return (state.memory, state.disk, state.cpu, state.egg_id, state.owner_id, state.node_id, state.status)


def _user_row(row: Any) -> Row:
    return {
        "id": row.id,
        "uuid": row.uuid,
        "username": row.username,
        "root_admin": row.is_admin,
        "2fa": row.has_2fa,
        "created_at": utc(row.created_at),
    }


def _sample(server_uuid: str, at: datetime, outcome: Outcome) -> Sample:
    return Sample(
        server_uuid=server_uuid,
        at=at,
        outcome=outcome,
        state=None,
        cpu_percent=None,
        memory_bytes=None,
        disk_bytes=None,
        rx_bytes=None,
        tx_bytes=None,
        uptime_ms=None,
    )


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


def _plain(value: object) -> Any:
    """Return *value* made of what JSON knows."""
    convert: Callable[[object], Any] = _plain
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return convert(asdict(value))
    if isinstance(value, dict):
        return {key: convert(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [convert(item) for item in value]
    return value
