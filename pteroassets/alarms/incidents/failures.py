"""Failures of Dagster's runs and checks as incidents: recorded here, told by the failure sensor."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Literal

from pteroassets.alarms.incidents.model import Change, Incident, Severity, Subject, SubjectKind
from pteroassets.alarms.incidents.store import load_incidents, lock, next_id, save_changes
from pteroassets.warehouse.connection import Connection

FailureKind = Literal["run_failing", "check_failing"]
_SUBJECTS: dict[FailureKind, SubjectKind] = {"run_failing": "job", "check_failing": "check"}


def failure_began(
    connection: Connection, *, kind: FailureKind, subject: str, at: datetime, severity: Severity, cause: str
) -> int | None:
    """Record that *subject*, a job or ``asset:check``, fails since *at*; return the incident, None if one is open."""
    with connection.transaction():
        lock(connection)
        if _open(connection, kind, subject) is not None:
            return None
        incident = Incident(
            id=next_id(connection),
            kind=kind,
            subject=Subject(kind=_SUBJECTS[kind], key=subject, name=subject),
            severity=severity,
            opened_at=at,
            noticed_at=at,
            cause=cause,
        )
        save_changes(connection, [Change(incident=incident, event="opened", at=at, detail=cause)], [incident])
        return incident.id


def failure_ended(connection: Connection, *, kind: FailureKind, subject: str, at: datetime) -> int | None:
    """Record that *subject* works again since *at*; return its incident, None if none was open."""
    with connection.transaction():
        lock(connection)
        incident = _open(connection, kind, subject)
        if incident is None:
            return None
        closed = dataclasses.replace(incident, closed_at=max(at, incident.opened_at), closed_as="recovered")
        save_changes(connection, [Change(incident=closed, event="closed", at=at, detail="recovered")], [closed])
        return incident.id


def _open(connection: Connection, kind: FailureKind, subject: str) -> Incident | None:
    row = connection.execute(
        "select incident_id from ops.incidents where kind = %s and subject_key = %s and closed_at is null",
        (kind, subject),
    ).fetchone()
    return None if row is None else load_incidents(connection, incident_id=row[0])[0]
