"""Keep the state and the incidents in the warehouse; whoever changes them holds one lock."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from pteroassets.alarms.incidents.model import Change, Incident, Server, State, Subject, Watch
from pteroassets.warehouse.connection import Connection

_REMEMBERED: Final = timedelta(days=8)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Memory:
    """What of a state stands in no table of its own."""

    watches: dict[str, Watch] = dataclasses.field(default_factory=dict)
    crashes: dict[str, list[datetime]] = dataclasses.field(default_factory=dict)
    seen_crashes: dict[str, datetime] = dataclasses.field(default_factory=dict)
    seen_loads: dict[str, datetime] = dataclasses.field(default_factory=dict)
    samples_until: datetime | None = None
    logs_until: datetime | None = None
    hours_until: datetime | None = None
    days_until: datetime | None = None
    digest: tuple[int, ...] = ()
    reported_week: date | None = None


def lock(connection: Connection) -> None:
    """Let nobody else change incidents until the transaction ends."""
    connection.execute("select pg_advisory_xact_lock(hashtext('pteroassets'), hashtext('incidents'))")


def load_state(connection: Connection, *, now: datetime) -> State | None:
    """Return the state as it was left; None where nothing was evaluated yet. The caller holds the lock."""
    row = connection.execute("select state from ops.incident_state").fetchone()
    incidents = load_incidents(connection, closed_after=now - _REMEMBERED)
    if row is None:
        return None
    memory = msgspec.convert(row[0], _Memory)
    return State(
        next_id=next_id(connection),
        incidents={incident.id: incident for incident in incidents},
        **{
            **{each.name: getattr(memory, each.name) for each in dataclasses.fields(memory)},
            "crashes": {server: tuple(times) for server, times in memory.crashes.items()},
        },
    )


def next_id(connection: Connection) -> int:
    """Return the number of the next incident; the caller holds the lock."""
    (newest,) = connection.execute("select max(incident_id) from ops.incidents").fetchone() or (None,)
    return 1 if newest is None else int(newest) + 1


def save_state(connection: Connection, state: State, *, now: datetime) -> None:
    """Write what is remembered, without the incidents."""
    memory = {each.name: getattr(state, each.name) for each in dataclasses.fields(_Memory)}
    connection.execute(
        """
        insert into ops.incident_state (state, evaluated_at) values (%(state)s, %(now)s)
        on conflict (is_only) do update set state = excluded.state, evaluated_at = excluded.evaluated_at
        """,
        {"state": Jsonb(msgspec.to_builtins(memory)), "now": now},
    )


def load_incidents(
    connection: Connection, *, closed_after: datetime | None = None, incident_id: int | None = None
) -> list[Incident]:
    """Return open incidents and those closed after *closed_after*, or the one of *incident_id*, oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            """
            select * from ops.incidents
            where case
                when %(id)s::bigint is not null then incident_id = %(id)s
                else closed_at is null or closed_at > %(after)s
            end
            order by incident_id
            """,
            {"id": incident_id, "after": closed_after},
        )
        return [_incident(row) for row in cursor]


def _incident(row: dict[str, Any]) -> Incident:
    server = None
    if row["server_uuid"] is not None:
        server = Server(
            uuid=str(row["server_uuid"]),
            name=row["subject_name"],
            node_name=row["node_name"],
            egg_name=row["egg_name"],
            owner_name=row["owner_name"],
        )
    same = (each.name for each in dataclasses.fields(Incident) if each.name in row)
    return Incident(
        id=row["incident_id"],
        subject=Subject(kind=row["subject_kind"], key=row["subject_key"], name=row["subject_name"], server=server),
        **{**{name: row[name] for name in same}, "held_back": frozenset(row["held_back"])},
    )


def save_changes(connection: Connection, changes: Iterable[Change], touched: Iterable[Incident]) -> None:
    """Write *touched* incidents as they are now, and what happened to them."""
    with connection.cursor() as cursor:
        cursor.executemany(_UPSERT, [_row(incident) for incident in touched])
        cursor.executemany(
            """
            insert into ops.incident_events (incident_id, occurred_at, event, detail, done_by)
            values (%s, %s, %s, %s, %s)
            """,
            [(one.incident.id, one.at, one.event, one.detail, one.by) for one in changes],
        )


def _row(incident: Incident) -> dict[str, Any]:
    server = incident.subject.server
    return {
        **{each.name: getattr(incident, each.name) for each in dataclasses.fields(incident)},
        "incident_id": incident.id,
        "subject_kind": incident.subject.kind,
        "subject_key": incident.subject.key,
        "subject_name": incident.subject.name,
        "server_uuid": None if server is None else uuid.UUID(server.uuid),
        "node_name": incident.subject.key if incident.kind == "node_down" else server and server.node_name,
        "egg_name": server and server.egg_name,
        "owner_name": server and server.owner_name,
        "held_back": sorted(incident.held_back),
    }


_COLUMNS: Final = (
    "incident_id", "kind", "subject_kind", "subject_key", "subject_name", "aspect", "server_uuid", "node_name",
    "egg_name", "owner_name", "severity", "opened_at", "noticed_at", "last_at", "closed_at", "closed_as", "cause",
    "times", "held_back", "acknowledged_by", "acknowledged_at", "snoozed_until", "is_quiet",
)  # fmt: skip
_CHANGING: Final = _COLUMNS[_COLUMNS.index("last_at") :]
_UPSERT: Final = f"""
insert into ops.incidents ({", ".join(_COLUMNS)}) values ({", ".join(f"%({name})s" for name in _COLUMNS)})
on conflict (incident_id) do update set {", ".join(f"{name} = excluded.{name}" for name in _CHANGING)}
"""
