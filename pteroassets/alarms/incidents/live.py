"""Bring incidents up to what the warehouse knows, and say what came of it; and the same over history, as a dry run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pteroassets.alarms import outbox
from pteroassets.alarms.incidents.advance import Step, advance
from pteroassets.alarms.incidents.messages import reminder_key
from pteroassets.alarms.incidents.model import Incident, State
from pteroassets.alarms.incidents.reading import Span, read
from pteroassets.alarms.incidents.rules import Rules
from pteroassets.alarms.incidents.store import load_state, lock, save_changes, save_state
from pteroassets.warehouse.connection import Connection

_FIRST_LOOKS_BACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What incidents are judged with, beside the rules.

    Attributes:
        targets: Who is told where no route of the rules says it.
        late_after: How old the newest load of a pass may get, with the pass' name, by the table that ends it.
        logs_every: The time between two passes over logs.
    """

    targets: tuple[str, ...] = ()
    late_after: Mapping[str, tuple[str, timedelta]] = dataclasses.field(default_factory=dict)
    logs_every: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an evaluation did."""

    opened: int
    closed: int
    still_open: int
    messages: int


def evaluate_now(connection: Connection, rules: Rules, with_: Circumstances, *, now: datetime) -> Outcome:
    """Evaluate all that became known since the last time, in one transaction with the messages that it makes.

    A process that is killed leaves all of it to the next one; a second one at the same time waits and finds nothing.
    """
    with connection.transaction():
        lock(connection)
        state = load_state(connection, now=now)
        if state is None:
            # what is old when this begins is nobody's news
            since = now - _FIRST_LOOKS_BACK
            state = State(samples_until=since, logs_until=since, hours_until=since, days_until=since)
        # a pass that is switched off would have all others read from its last load on
        judged = {name: state.seen_loads[name] for name, _ in with_.late_after.values() if name in state.seen_loads}
        span = Span(
            since=state.samples_until or now - _FIRST_LOOKS_BACK,
            loads_since=min(judged.values(), default=now - _FIRST_LOOKS_BACK),
            loads_seen=judged,
            logs_since=state.logs_until or now - _FIRST_LOOKS_BACK,
            hours_since=state.hours_until or now - _FIRST_LOOKS_BACK,
            days_since=state.days_until or now - _FIRST_LOOKS_BACK,
            until=now,
            now=now,
            logs_every=with_.logs_every,
            late_after=with_.late_after,
        )
        opened = closed = messages = 0
        for readings in read(connection, span):
            step = advance(state, readings, rules, targets=with_.targets)
            state = step.state
            save_changes(connection, step.changes, step.touched)
            for message in step.messages:
                outbox.put(connection, message, at=now)
            for incident in (change.incident for change in step.changes if change.event == "closed"):
                outbox.withdraw(connection, reminder_key(incident), at=now)
            opened += sum(change.event == "opened" for change in step.changes)
            closed += sum(change.event == "closed" for change in step.changes)
            messages += len(step.messages)
        save_state(connection, state, now=now)
    still_open = sum(incident.is_open for incident in state.incidents.values())
    return Outcome(opened=opened, closed=closed, still_open=still_open, messages=messages)


@dataclass(slots=True, kw_only=True)
class Replay:
    """A dry run: what would have been opened and said from *since* to *until*, had these rules been in force."""

    incidents: dict[int, Incident] = dataclasses.field(default_factory=dict)

    def run(
        self, connection: Connection, rules: Rules, with_: Circumstances, *, since: datetime, until: datetime
    ) -> Iterator[Step]:
        """Yield each step in which something changed or is said; nothing is written.

        Only the newest state is kept, and of incidents what became of them, in *incidents*.
        """
        state = State(samples_until=since, logs_until=since)
        span = Span(
            since=since,
            loads_since=since,
            logs_since=since,
            hours_since=since,
            days_since=since,
            until=until,
            logs_every=with_.logs_every,
            late_after=with_.late_after,
        )
        for readings in read(connection, span):
            step = advance(state, readings, rules, targets=with_.targets)
            state = step.state
            self.incidents |= {incident.id: incident for incident in step.touched}
            if step.changes or step.messages:
                yield step
