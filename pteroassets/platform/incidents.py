"""``pteroassets incidents``: what is wrong now, and what would have been told under other rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pteroassets.alarms.incidents.live import Circumstances, Replay
from pteroassets.alarms.incidents.messages import duration, headline
from pteroassets.alarms.incidents.model import Incident
from pteroassets.alarms.incidents.rules import RulesFault, read_rules
from pteroassets.alarms.incidents.store import load_incidents
from pteroassets.landing.sources import PASSES, late_after
from pteroassets.platform.environment import RuntimeFault, landing_of
from pteroassets.platform.finding import Finding
from pteroassets.settings import Settings
from pteroassets.sources.wording import counted


def run_list(settings: Settings, console: Console, since: datetime | None) -> None:
    """Print the open incidents, and those that were closed after *since*."""
    with landing_of(settings) as landing, landing.connect() as connection:
        now = landing.clock.now()
        incidents = load_incidents(connection, closed_after=now if since is None else since)
    _print(console, incidents, now)
    console.print(f"{counted(sum(one.is_open for one in incidents), 'incident')} open")


def run_replay(
    settings: Settings, console: Console, *, since: datetime, until: datetime | None, rules: Path | None
) -> None:
    """Print what would have been told from *since* to *until* under *rules*; nothing is sent or written.

    Raises:
        RulesFault: The file of rules has faults.
        RuntimeFault: There is no time between the two.
    """
    chosen = read_rules(rules or settings.pteroassets_incident_rules)
    with landing_of(settings) as landing, landing.connect() as connection:
        end = until or landing.clock.now()
        if since >= end:
            raise RuntimeFault(f"--since is {since:%Y-%m-%d %H:%M} UTC, which is not before {end:%Y-%m-%d %H:%M} UTC")
        circumstances = Circumstances(
            targets=("channel:replay",),
            late_after=late_after(settings, connection),
            logs_every=PASSES["logs"].rhythms[settings.pteroassets_schedules].every,
        )
        replay, told = Replay(), set()
        for step in replay.run(connection, chosen, circumstances, since=since, until=end):
            told |= {message.key for message in step.messages}
    incidents = [replay.incidents[number] for number in sorted(replay.incidents)]
    _print(console, incidents, end)
    kinds = Counter(incident.kind for incident in incidents)
    for kind, count in kinds.most_common():
        console.print(f"{kind}: {count}", highlight=False)
    console.print(f"{counted(len(incidents), 'incident')} in {counted(len(told), 'message')}; nothing was sent")


def check_rules(settings: Settings) -> Iterator[Finding]:
    """Yield each fault of the operator's file of rules, or that it has none, and of what nobody would be told."""
    path = settings.pteroassets_incident_rules
    finding = partial(Finding, subject="PTEROASSETS_INCIDENT_RULES")
    try:
        rules = read_rules(path, ways=settings.ways())
    except RulesFault as fault:
        for line in str(fault).splitlines():
            yield finding(status="fault", detail=line, remedy="docs/incidents.md has each key")
        return
    if path is not None:
        yield finding(status="ok", detail=f"{path} can be used")
    nobody, some = rules.untold()
    remedy = "add a route that names no servers, eggs and owners, or say enabled = false of what nobody is to be told"
    if nobody:
        yield finding(status="warning", detail=f"no route takes {', '.join(nobody)}: nobody is told", remedy=remedy)
    if some:
        of_whom = "of the servers, eggs and owners that the routes name alone"
        yield finding(status="warning", detail=f"{', '.join(some)}: somebody is told {of_whom}", remedy=remedy)
    if settings.ways() and not settings.alarm_targets():
        what = "failed runs and checks" if rules.routes else "failed runs and checks, and incidents"
        yield Finding(
            subject="PTEROASSETS_ALARM_TARGETS",
            status="warning",
            detail=f"is not set, so nobody is told of {what}",
            remedy="set it to one or more of the ways out that are set, as docs/discord.md shows",
        )


def _print(console: Console, incidents: list[Incident], now: datetime) -> None:
    table = Table(
        "No.", "Severity", "Incident", "Began (UTC)", "Noticed after", "Lasted", "Held back", "Cause", box=None
    )
    for one in incidents:
        lasted = duration((one.closed_at or now) - one.opened_at)
        table.add_row(
            str(one.id),
            one.severity,
            headline(one),
            f"{one.opened_at.astimezone(UTC):%Y-%m-%d %H:%M}",
            duration(one.noticed_at - one.opened_at),
            lasted if not one.is_open else f"{lasted}, open",
            str(len(one.held_back) or ""),
            one.cause,
        )
    if incidents:
        console.print(table)
