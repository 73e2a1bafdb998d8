"""One step of incidents: readings in, the new state and what is to be said out. No clock, no warehouse."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pteroassets.alarms.incidents.lifecycle import evaluate
from pteroassets.alarms.incidents.messages import (
    digest_message,
    incident_message,
    reminder_message,
    report_message,
)
from pteroassets.alarms.incidents.model import Change, Incident, Readings, State
from pteroassets.alarms.incidents.rules import TOLD_BY_THE_SENSOR, Rules
from pteroassets.alarms.outbox import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What an instant came to; *touched* are the incidents that are to be written."""

    state: State
    changes: list[Change]
    touched: list[Incident]
    messages: list[Message]


def advance(state: State, readings: Readings, rules: Rules, *, targets: tuple[str, ...] = ()) -> Step:
    """Return what *readings* make of *state*; *targets* are told where no route of the rules says who is."""
    now = max(readings.known_at or readings.at, readings.at)
    after, changes = evaluate(state, readings, rules)
    messages: list[Message] = []
    waiting = tuple(change.incident.id for change in changes if change.event == "opened" and change.incident.is_quiet)
    after = dataclasses.replace(after, digest=(*after.digest, *waiting))
    if after.digest and not rules.quiet_hours.are_at(now, rules.general.zone):
        after, digest = _end_quiet(after, rules, now, targets)
        messages += digest
    messages += _of_incidents(state, after, changes, rules, now, targets)
    after, report = _report(after, rules, now, targets)
    touched = [one for number, one in sorted(after.incidents.items()) if state.incidents.get(number) is not one]
    return Step(state=after, changes=changes, touched=touched, messages=[*messages, *report])


def _of_incidents(
    before: State, after: State, changes: Collection[Change], rules: Rules, now: datetime, default: tuple[str, ...]
) -> Iterator[Message]:
    loud = {change.incident.id for change in changes if change.event in {"opened", "closed", "snooze_over"}}
    snoozed = {change.incident.id for change in changes if change.event == "snooze_over"}
    for number, incident in sorted(after.incidents.items()):
        # what is quiet waits for the digest; the failure sensor tells of Dagster's own
        if before.incidents.get(number) is incident or incident.is_quiet or is_told_elsewhere(incident):
            continue
        is_loud = number in loud and not incident.is_snoozed(now)
        for target in rules.targets(incident.kind, incident.severity, incident.subject.server, default):
            yield incident_message(incident, target, rules, at=now, announce=is_loud)
            # the other ways send what is announced anyway
            if number in snoozed and incident.acknowledged_by is None and not target.startswith("channel:"):
                yield reminder_message(incident, target, rules)


def is_told_elsewhere(incident: Incident) -> bool:
    """Return whether the failure sensor sends the message, so that incidents only record it."""
    return incident.kind in TOLD_BY_THE_SENSOR


def _end_quiet(state: State, rules: Rules, now: datetime, default: tuple[str, ...]) -> tuple[State, list[Message]]:
    """Tell what waited; what is still open has a message of its own from here on."""
    waited = [state.incidents[number] for number in state.digest if number in state.incidents]
    by_target: dict[str, list[Incident]] = {}
    for incident in waited:
        for target in rules.targets(incident.kind, incident.severity, incident.subject.server, default):
            by_target.setdefault(target, []).append(incident)
    day = now.astimezone(rules.general.zone).date()
    messages = [digest_message(of, target, day, rules.general.name) for target, of in by_target.items()]
    spoken = {one.id: dataclasses.replace(one, is_quiet=False) for one in waited if one.is_open}
    return dataclasses.replace(state, digest=(), incidents={**state.incidents, **spoken}), messages


def _report(state: State, rules: Rules, now: datetime, default: tuple[str, ...]) -> tuple[State, list[Message]]:
    """Tell of the week that is over, once, when its report is due."""
    general = rules.general
    if not general.report_weekday:
        return state, []
    local = now.astimezone(general.zone)
    due = local.date() - timedelta(days=(local.isoweekday() - general.report_weekday) % 7)
    if local.date() == due and local.hour < general.report_hour:
        due -= timedelta(days=7)
    if state.reported_week is None or due <= state.reported_week:
        return dataclasses.replace(state, reported_week=state.reported_week or due), []
    begin = datetime.combine(due - timedelta(days=7), datetime.min.time(), general.zone)
    end = datetime.combine(due, datetime.min.time(), general.zone)
    of_week = [one for one in state.incidents.values() if begin <= one.noticed_at < end]
    messages = [report_message(of_week, target, due, general.name, now) for target in _host_targets(rules, default)]
    for owner, targets in _owners(rules):
        mine = [one for one in of_week if one.subject.server and one.subject.server.owner_name == owner]
        messages += [report_message(mine, target, due, owner, now) for target in targets]
    return dataclasses.replace(state, reported_week=due), messages


def _host_targets(rules: Rules, default: tuple[str, ...]) -> list[str]:
    if not rules.routes:
        return list(default)
    ways = (route.targets for route in rules.routes if not route.is_named)
    return list(dict.fromkeys(target for targets in ways for target in targets))


def _owners(rules: Rules) -> list[tuple[str, tuple[str, ...]]]:
    return [(owner, route.targets) for route in rules.routes for owner in route.owners]
