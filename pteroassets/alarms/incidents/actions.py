"""What a person does with an incident: take it on, or ask to hear of it later."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from pteroassets.alarms import outbox
from pteroassets.alarms.incidents.messages import duration, headline, incident_message, reminder_key
from pteroassets.alarms.incidents.model import Change, Event, Incident
from pteroassets.alarms.incidents.rules import Rules
from pteroassets.alarms.incidents.store import load_incidents, lock, save_changes
from pteroassets.warehouse.connection import Connection

_LONGEST_SNOOZE = timedelta(days=7)


class NoIncidentError(Exception):
    """There is nothing to do with the incident; the message says why and is fit to be shown."""


def acknowledge(connection: Connection, incident_id: int, *, by: str, at: datetime, rules: Rules | None = None) -> str:
    """Note that *by* looks after an incident, so that it pings nobody; return what to tell them.

    Raises:
        NoIncidentError: There is none of that number, or it is over.
    """
    with connection.transaction():
        incident = _open_incident(connection, incident_id)
        if incident.acknowledged_by is not None:
            return f"{incident.acknowledged_by} has acknowledged it already."
        changed = dataclasses.replace(incident, acknowledged_by=by, acknowledged_at=at)
        _save(connection, changed, "acknowledged", at, by, "", rules)
    return f"Acknowledged: {headline(incident)}."


def snooze(
    connection: Connection, incident_id: int, *, minutes: int, by: str, at: datetime, rules: Rules | None = None
) -> str:
    """Say nothing of an incident for *minutes*, and then say it again if it is still open; return what to tell them.

    Raises:
        NoIncidentError: There is none of that number, it is over, or the time is none that can be waited.
    """
    length = timedelta(minutes=minutes)
    if not timedelta() < length <= _LONGEST_SNOOZE:
        raise NoIncidentError(f"Snooze it for 1 to {_LONGEST_SNOOZE // timedelta(minutes=1):,} minutes.")
    with connection.transaction():
        incident = _open_incident(connection, incident_id)
        changed = dataclasses.replace(incident, snoozed_until=at + length)
        _save(connection, changed, "snoozed", at, by, duration(length), rules)
    return f"Snoozed for {duration(length)}: {headline(incident)}."


def _open_incident(connection: Connection, incident_id: int) -> Incident:
    lock(connection)
    found = load_incidents(connection, incident_id=incident_id)
    if not found:
        raise NoIncidentError(f"There is no incident {incident_id}.")
    if not found[0].is_open:
        raise NoIncidentError(f"It is over: {headline(found[0])}.")
    return found[0]


def _save(
    connection: Connection, incident: Incident, event: Event, at: datetime, by: str, detail: str, rules: Rules | None
) -> None:
    """Write what was done, and have each message of the incident say it."""
    save_changes(connection, [Change(incident=incident, event=event, at=at, by=by, detail=detail)], [incident])
    outbox.withdraw(connection, reminder_key(incident), at=at)
    targets = connection.execute(
        "select target from ops.outbox where key = %s and withdrawn_at is null", (f"incident/{incident.id}",)
    ).fetchall()
    for (target,) in targets:
        outbox.put(connection, incident_message(incident, target, rules, at=at, announce=False), at=at)
