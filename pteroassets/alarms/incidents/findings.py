"""What rules say of the readings of an instant: pure functions, one for each kind of incident that readings show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from pteroassets.alarms.incidents.model import (
    BackupState,
    DiskTrend,
    Finding,
    HourOfWeek,
    PassState,
    Readings,
    Sample,
    Server,
    Subject,
)
from pteroassets.alarms.incidents.rules import Rules
from pteroassets.sources.wording import counted

_ANSWERED: Final = frozenset({"ok", "offline"})
_SILENT: Final = frozenset({"node_unreachable"})
_UNREAD: Final = _SILENT | {"error"}
#: What makes the median of absolute deviations a standard deviation of normal values
#: (P. J. Rousseeuw and C. Croux, Alternatives to the median absolute deviation, 1993).
_OF_NORMAL: Final = 1.4826
_GIBIBYTE: Final = 1024**3


def findings_of(readings: Readings, rules: Rules) -> Iterator[Finding]:
    """Yield what the rules say of *readings*, of nodes before their servers and of passes before their tables."""
    if readings.samples is not None:
        yield from _nodes(readings.samples, readings.at)
        yield from _servers(readings.samples, rules)
    for state in readings.passes or ():
        yield from _pass(state, readings.at)
    for trend in readings.disks or ():
        yield _disk(trend, rules)
    for backup in readings.backups or ():
        yield _backup(backup, rules)
    for hour in readings.hours or ():
        yield _hour(hour, rules)


def of_server(server: Server) -> Subject:
    """Return *server* as a subject."""
    return Subject(kind="server", key=server.uuid, name=server.name, server=server)


def _nodes(samples: Sequence[Sample], at: datetime) -> Iterator[Finding]:
    by_node: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.node_name is not None:
            by_node[sample.node_name].append(sample)
    for node, of_node in sorted(by_node.items()):
        silent = [sample for sample in of_node if sample.outcome in _SILENT]
        has_answered = any(sample.outcome in _ANSWERED for sample in of_node)
        yield Finding(
            kind="node_down",
            subject=Subject(kind="node", key=node, name=node),
            # who was not asked (suspended, in maintenance, over the limit of requests) tells nothing of the node
            is_bad=False if has_answered else True if silent else None,
            since=min((sample.sampled_at for sample in silent), default=at),
            cause=f"none of {counted(len(silent), 'server')} asked on it answered" if silent else "",
        )


def _servers(samples: Iterable[Sample], rules: Rules) -> Iterator[Finding]:
    for sample in samples:
        subject = of_server(sample.server)
        yield Finding(
            kind="server_unknown",
            subject=subject,
            is_bad=True if sample.outcome in _UNREAD else False if sample.outcome in _ANSWERED else None,
            since=sample.sampled_at,
            cause="the node or the panel gave no figures of it; whether it runs is not known",
        )
        yield from _limits(sample, subject, rules)


def _limits(sample: Sample, subject: Subject, rules: Rules) -> Iterator[Finding]:
    server, rule = sample.server, rules.rule("resource_at_limit", sample.server)
    runs = sample.state == "running"  # while it starts it may use all that it has
    memory = sample.memory_bytes if runs else None
    cpu = sample.cpu_percent if runs else None
    for aspect, used, limit, share, unit in (
        ("memory", memory, server.memory_bytes, rule.memory_from, _GIBIBYTE),
        ("cpu", cpu, server.cpu_percent, rule.cpu_from, 100),
        ("disk", sample.disk_bytes, server.disk_bytes, rule.disk_from, _GIBIBYTE),
    ):
        is_bad = None
        if sample.outcome == "offline" and aspect != "disk":
            is_bad = False  # what is off uses nothing
        elif sample.outcome in _ANSWERED and limit is None:
            is_bad = False  # without a limit nothing reaches it
        elif used is not None and limit:
            is_bad = used >= share * limit
        yield Finding(
            kind="resource_at_limit",
            subject=subject,
            aspect=aspect,
            is_bad=is_bad,
            since=sample.sampled_at,
            cause=f"it uses {used / limit:.0%} of its {aspect} ({used / unit:.2f} of {limit / unit:.2f} "
            f"{'cores' if aspect == 'cpu' else 'GiB'})"
            if is_bad and used is not None and limit
            else "",
        )


def _pass(state: PassState, at: datetime) -> Iterator[Finding]:
    subject = Subject(kind="pass", key=state.name, name=state.name)
    # before the data that are late, since what fails is why they are
    yield Finding(
        kind="extraction_failing",
        subject=subject,
        is_bad=None if state.is_complete is None else not state.is_complete,
        since=state.newest_at,
        cause=state.problem or "",
        nodes=state.nodes,
    )
    is_late = at >= state.late_from
    yield Finding(
        kind="data_late",
        subject=subject,
        is_bad=is_late,
        since=state.late_from if is_late else state.newest_at,
        cause=f"its newest load is of {state.newest_at:%Y-%m-%d %H:%M} UTC",
    )


def _disk(trend: DiskTrend, rules: Rules) -> Finding:
    server, rule = trend.server, rules.rule("disk_filling", trend.server)
    left = None if server.disk_bytes is None else server.disk_bytes - trend.used_bytes
    hours, is_bad = None, None
    if left is None:
        is_bad = False
    elif trend.bytes_an_hour is not None:
        hours = left / trend.bytes_an_hour if trend.bytes_an_hour > 0 else None
        is_bad = hours is not None and 0 < hours <= rule.hours_left  # a full one is at its limit
    return Finding(
        kind="disk_filling",
        subject=of_server(server),
        is_bad=is_bad,
        since=trend.at,
        cause=f"its disk is full in {hours:.0f} hours if it goes on growing as in the last day" if hours else "",
    )


def _backup(backup: BackupState, rules: Rules) -> Finding:
    rule = rules.rule("backups_old", backup.server)
    newest = backup.newest_good_at
    is_old = newest is None or backup.at - newest > timedelta(hours=rule.age_hours)
    is_bad: bool | None = False
    if is_old:
        is_bad = None if backup.hours_played is None else backup.hours_played >= rule.hours_played
    what = "it has no good backup" if newest is None else f"its newest good backup is of {newest:%Y-%m-%d %H:%M} UTC"
    return Finding(
        kind="backups_old",
        subject=of_server(backup.server),
        is_bad=is_bad,
        since=backup.at,
        cause=f"{what}; {backup.hours_played:.1f} hours were played since" if is_bad else "",
    )


def _hour(hour: HourOfWeek, rules: Rules) -> Finding:
    rule = rules.rule("unusual", hour.server)
    is_bad, cause = None, ""
    if hour.median is not None and hour.deviation is not None and hour.weeks >= rule.least_weeks:
        away = abs(hour.value - hour.median)
        least = rule.least_players if hour.measure == "players" else rule.least_cpu_percent
        is_bad = away >= least and away > rule.deviations * _OF_NORMAL * hour.deviation
        what = "players at once" if hour.measure == "players" else "% CPU on average"
        cause = f"{hour.value:.1f} {what}, where {hour.median:.1f} are usual in this hour of the week"
    return Finding(
        kind="unusual",
        subject=of_server(hour.server),
        aspect=hour.measure,
        is_bad=is_bad,
        since=hour.hour,
        cause=cause if is_bad else "",
    )
