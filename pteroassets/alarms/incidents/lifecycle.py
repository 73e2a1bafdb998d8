"""From one instant to the next: what opens, goes on and closes. A pure function, for the passes and for a replay.

What counts as noticed is the instant of the readings; when it began and when it was over is the time of what was read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pteroassets.alarms.incidents.findings import findings_of, of_server
from pteroassets.alarms.incidents.model import (
    Change,
    ClosedAs,
    Crash,
    Event,
    Finding,
    Incident,
    Kind,
    Readings,
    Sample,
    State,
    Subject,
    Watch,
    watch_key,
)
from pteroassets.alarms.incidents.rules import Rules

_GONE_AFTER: Final = 2
"""Passes without it, in a row, after which something is gone, as of records of the panel."""
_REMEMBERED: Final = timedelta(days=8)
"""How long closed incidents are kept in the state: a weekly report reads them."""
_BACK_TAKES: Final = timedelta(minutes=15)
"""A node that came back starts its servers; a server that was lost with it shows its crash as late as that."""
_NO_LONGER_UNUSUAL: Final = timedelta(hours=3)
"""After so long without an hour that is judged an unusual one is past: the server may be off, or its log unread."""
_CLOCKS_DIFFER: Final = timedelta(seconds=60)
_OF_SERVERS: Final[frozenset[Kind]] = frozenset(
    {"node_down", "server_unknown", "resource_at_limit", "disk_filling", "backups_old", "unusual"}
)
_TELL_MORE: Final[frozenset[Kind]] = frozenset({"disk_filling", "backups_old"})
_OF_CRASHES: Final[tuple[Kind, ...]] = ("server_crashed", "crash_loop")


def evaluate(state: State, readings: Readings, rules: Rules) -> tuple[State, list[Change]]:
    """Return the state after *readings*, and what changed, in its order.

    What was evaluated already changes nothing: a pass of samples, a load and a crash each count once.
    """
    if readings.pass_at is not None and state.samples_until is not None and readings.pass_at <= state.samples_until:
        readings = dataclasses.replace(readings, samples=None)
    step = _Step(
        at=readings.at,
        now=max(readings.known_at or readings.at, readings.at),
        rules=rules,
        next_id=state.next_id,
        watches=dict(state.watches),
        incidents=dict(state.incidents),
        crashes=dict(state.crashes),
        seen_crashes=dict(state.seen_crashes),
        seen_loads=dict(state.seen_loads),
    )
    step.index()
    for finding in findings_of(readings, rules):
        step.take(finding)
    if readings.samples is not None:
        step.take_starts(readings.samples)
        step.close_what_is_gone(readings.samples)
    if readings.crashes is not None:
        for crash in sorted(readings.crashes, key=lambda one: (one.latest, one.server.uuid)):
            step.take_crash(crash)
        step.close_calm_loops()
    for one in readings.passes or ():
        step.seen_loads[one.name] = one.newest_at
    step.close_what_is_past()
    step.end_snoozes()
    after = dataclasses.replace(
        step.state(state),
        samples_until=_later(state.samples_until, readings.pass_at),
        logs_until=_later(state.logs_until, readings.logs_at),
        hours_until=_later(state.hours_until, readings.hours_at),
        days_until=_later(state.days_until, readings.day_at),
    )
    return after, step.changes


def _later(known: datetime | None, new: datetime | None) -> datetime | None:
    return max(filter(None, (known, new)), default=None)


@dataclass(slots=True, kw_only=True)
class _Step:
    """The state while an instant is evaluated."""

    at: datetime
    now: datetime
    rules: Rules
    next_id: int
    watches: dict[str, Watch]
    incidents: dict[int, Incident]
    crashes: dict[str, tuple[datetime, ...]]
    seen_crashes: dict[str, datetime]
    seen_loads: dict[str, datetime]
    changes: list[Change] = field(default_factory=list)
    open: dict[str, int] = field(default_factory=dict)

    def index(self) -> None:
        self.open = {one.key: one.id for one in self.incidents.values() if one.is_open}

    def state(self, before: State) -> State:
        day_ago, forgotten = self.now - timedelta(days=2), self.now - _REMEMBERED
        return dataclasses.replace(
            before,
            next_id=self.next_id,
            watches=self.watches,
            incidents={
                one.id: one for one in self.incidents.values() if one.closed_at is None or one.closed_at >= forgotten
            },
            crashes={server: times for server, times in self.crashes.items() if times and times[-1] >= forgotten},
            seen_crashes={server: seen for server, seen in self.seen_crashes.items() if seen >= day_ago},
            seen_loads=self.seen_loads,
        )

    # ------------------------------------------------------------------ what is found again and again

    def take(self, finding: Finding) -> None:
        """Count what *finding* says, and open or close when that was said often enough."""
        rule = self.rules.rule(finding.kind, finding.subject.server)
        key = finding.key
        incident = self._open(key)
        seen = self.seen_loads.get(finding.subject.key)
        if finding.kind == "extraction_failing" and seen is not None and finding.since <= seen:
            return  # this load was judged
        if finding.is_bad is None or (not rule.enabled and incident is None):
            self._seen(key)
            return
        watch = self.watches.get(key, Watch())
        if finding.is_bad:
            watch = Watch(bad=watch.bad + 1, bad_since=watch.bad_since or finding.since)
            self.watches[key] = watch
            if incident is not None:
                self._goes_on(incident, finding)
            elif watch.bad >= rule.open_after:
                holder = self._holder(finding)
                if holder is None:
                    self._begin(finding.kind, finding.subject, finding.aspect, watch.bad_since or self.at, finding)
                elif holder >= 0:
                    self._hold_back(self.incidents[holder], key)
            return
        if incident is None:
            self.watches.pop(key, None)
            return
        watch = Watch(bad=watch.bad, bad_since=watch.bad_since, good=watch.good + 1,
                      good_since=watch.good_since or finding.since)  # fmt: skip
        self.watches[key] = watch
        if watch.good >= rule.close_after:
            self._close(incident, watch.good_since or self.at, "recovered")

    def _goes_on(self, incident: Incident, finding: Finding) -> None:
        """Note that it goes on; only what is worth an edit of the message changes what it says."""
        cause = finding.cause if finding.kind in _TELL_MORE and finding.cause else incident.cause
        self.incidents[incident.id] = dataclasses.replace(incident, last_at=finding.since, cause=cause)

    def _holder(self, finding: Finding) -> int | None:
        """Return the incident that *finding* comes of; -1 if that is not told yet, None if there is none."""
        if finding.kind == "data_late":
            return self.open.get(watch_key("extraction_failing", finding.subject.key))
        if finding.nodes:
            down = [watch_key("node_down", node) for node in sorted(finding.nodes)]
            if any(node not in self.open and node not in self.watches for node in down):
                return None  # a node that answers samples left something unread
            return next((self.open[node] for node in down if node in self.open), -1)
        server = finding.subject.server
        if server is None or server.node_name is None:
            return None
        node = watch_key("node_down", server.node_name)
        if node in self.open:
            return self.open[node]
        return -1 if node in self.watches else None

    # ------------------------------------------------------------------ crashes

    def take_crash(self, crash: Crash) -> None:
        """Open an incident for *crash*, or make it part of what it comes of."""
        server, kind = crash.server, _OF_CRASHES[0]
        if server.uuid in self.seen_crashes and crash.latest <= self.seen_crashes[server.uuid]:
            self._is_back(server.uuid, crash.back_at)
            return
        self.seen_crashes[server.uuid] = crash.latest
        node = self._node_down_during(crash)
        if node is not None:
            self._hold_back(node, f"{watch_key(kind, server.uuid)}/{crash.latest:%Y%m%dT%H%M%S}")
            return
        loop_rule = self.rules.rule("crash_loop", server)
        since = crash.latest - timedelta(hours=loop_rule.within_hours)
        times = (*(at for at in self.crashes.get(server.uuid, ()) if at > since), crash.latest)
        self.crashes[server.uuid] = times
        known = self._open(watch_key("crash_loop", server.uuid)) or self._open(watch_key(kind, server.uuid))
        if known is not None and known.kind == "crash_loop":
            self._again(known, crash)
        elif loop_rule.enabled and len(times) >= loop_rule.crashes:
            if known is not None:
                self._close(known, crash.earliest, "became_a_loop")
            text = f"{len(times)} crashes within {loop_rule.within_hours:g} hours, the last one: {_cause_of(crash)}"
            self._begin("crash_loop", of_server(server), "", crash.earliest, None, text, len(times), crash.latest)
        elif known is not None:
            self._again(known, crash)
        elif self.rules.rule(kind, server).enabled:
            self._begin(kind, of_server(server), "", crash.earliest, None, _cause_of(crash), 1, crash.latest)
        self._is_back(server.uuid, crash.back_at)

    def _again(self, incident: Incident, crash: Crash) -> None:
        changed = dataclasses.replace(
            incident,
            times=incident.times + 1,
            last_at=crash.latest,
            cause=f"{incident.times + 1} crashes, the last one: {_cause_of(crash)}",
        )
        self._change(changed, "updated", changed.cause)

    def _is_back(self, server_uuid: str, back_at: datetime | None) -> None:
        incident = self._open(watch_key("server_crashed", server_uuid))
        if incident is not None and back_at is not None and back_at >= (incident.last_at or incident.opened_at):
            self._close(incident, back_at, "recovered")

    def _node_down_during(self, crash: Crash) -> Incident | None:
        """Return the incident of the node that was down when *crash* happened, also one that is over."""
        # a line shows when it was: what crashed on a node that was back crashed by itself, and may stay off
        back_takes = _BACK_TAKES if crash.cause is None else timedelta()
        return next(
            (
                incident
                for incident in self.incidents.values()
                if incident.kind == "node_down"
                and incident.subject.key == crash.server.node_name
                and crash.latest >= incident.opened_at
                and (incident.closed_at is None or crash.earliest <= incident.closed_at + back_takes)
            ),
            None,
        )

    def take_starts(self, samples: Iterable[Sample]) -> None:
        """Close what crashed of servers that run again."""
        for sample in samples:
            incident = self._open(watch_key("server_crashed", sample.server.uuid))
            if incident is None or sample.outcome != "ok" or sample.state not in {"running", "starting"}:
                continue
            started = sample.sampled_at - timedelta(seconds=sample.uptime_seconds or 0)
            crashed = incident.last_at or incident.opened_at
            if started >= crashed - _CLOCKS_DIFFER:
                self._close(incident, max(started, crashed), "recovered")

    def close_calm_loops(self) -> None:
        """Close loops of servers that did not crash for long enough."""
        for incident in [one for one in self.incidents.values() if one.kind == "crash_loop" and one.is_open]:
            rule = self.rules.rule("crash_loop", incident.subject.server)
            last = incident.last_at or incident.opened_at
            if self.now - last >= timedelta(hours=rule.calm_hours):
                self._close(incident, last, "recovered")

    # ------------------------------------------------------------------ ends

    def close_what_is_gone(self, samples: Iterable[Sample]) -> None:
        """Close incidents of servers and nodes that the panel no longer lists."""
        listed: set[str] = set()
        for sample in samples:
            listed |= {sample.server.uuid, sample.node_name or ""}
        for key in [*self.watches, *self.open]:
            incident = self._open(key)
            kind, _, rest = key.partition("/")
            is_listed_kind = kind in _OF_SERVERS or kind in _OF_CRASHES
            subject = incident.subject.key if incident is not None else rest.partition("/")[0]
            if not is_listed_kind or subject in listed:
                continue
            watch = self.watches.get(key, Watch())
            if watch.gone + 1 < _GONE_AFTER:
                self.watches[key] = dataclasses.replace(watch, gone=watch.gone + 1)
            elif incident is not None:
                self._close(incident, self.at, "gone")
            else:
                self.watches.pop(key, None)

    def close_what_is_past(self) -> None:
        """Close unusual hours after which none could be judged."""
        for incident in [one for one in self.incidents.values() if one.kind == "unusual" and one.is_open]:
            last = incident.last_at or incident.opened_at
            if self.now - last >= _NO_LONGER_UNUSUAL + timedelta(hours=2):
                self._close(incident, last + timedelta(hours=1), "recovered")

    def end_snoozes(self) -> None:
        """Say again what is still open when the time is over for which nobody wanted to hear of it.

        What may not wake anybody waits for the end of the quiet hours.
        """
        quiet, zone = self.rules.quiet_hours, self.rules.general.zone
        for incident in [one for one in self.incidents.values() if one.is_open and one.snoozed_until is not None]:
            if not incident.is_snoozed(self.now) and not quiet.hold(incident.severity, self.now, zone):
                self._change(dataclasses.replace(incident, snoozed_until=None), "snooze_over")

    # ------------------------------------------------------------------ parts

    def _open(self, key: str) -> Incident | None:
        return self.incidents[self.open[key]] if key in self.open else None

    def _seen(self, key: str) -> None:
        watch = self.watches.get(key)
        if watch is not None and watch.gone:
            self.watches[key] = dataclasses.replace(watch, gone=0)

    def _begin(
        self,
        kind: Kind,
        subject: Subject,
        aspect: str,
        opened_at: datetime,
        finding: Finding | None,
        cause: str = "",
        times: int = 1,
        last_at: datetime | None = None,
    ) -> None:
        general, severity = self.rules.general, self.rules.rule(kind, subject.server).severity
        incident = Incident(
            id=self.next_id,
            kind=kind,
            subject=subject,
            aspect=aspect,
            severity=severity,
            opened_at=opened_at,
            noticed_at=self.now,
            cause=finding.cause if finding is not None else cause,
            times=times,
            last_at=finding.since if finding is not None else last_at,
            is_quiet=self.rules.quiet_hours.hold(severity, self.now, general.zone),
        )
        self.next_id += 1
        self.open[incident.key] = incident.id
        self._change(incident, "opened", incident.cause)

    def _hold_back(self, holder: Incident, key: str) -> None:
        if key not in holder.held_back:
            self._change(dataclasses.replace(holder, held_back=holder.held_back | {key}), "held_back", key)

    def _close(self, incident: Incident, at: datetime, reason: ClosedAs) -> None:
        self.watches.pop(incident.key, None)
        self.open.pop(incident.key, None)
        closed = dataclasses.replace(
            incident, closed_at=max(at, incident.opened_at), closed_as=reason, snoozed_until=None
        )
        self._change(closed, "closed", reason)

    def _change(self, incident: Incident, event: Event, detail: str = "") -> None:
        self.incidents[incident.id] = incident
        self.changes.append(Change(incident=incident, event=event, at=self.now, detail=detail))


def _cause_of(crash: Crash) -> str:
    match crash.cause:
        case None:
            return "its process ended without a word in the log"
        case "watchdog":
            return "the watchdog of the server stopped it, since a tick took too long"
        case "crash_report":
            return "it wrote a crash report"
        case cause:
            return cause
