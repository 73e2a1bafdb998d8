"""What an incident, a digest and a weekly report say: pure functions from what is known to messages of the outbox."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from pteroassets.alarms.incidents.model import Incident, Kind, Severity
from pteroassets.alarms.incidents.rules import Rules
from pteroassets.alarms.outbox import Button, Embed, Field, Message, escaped
from pteroassets.sources.wording import counted

_COLOURS: Final[dict[Severity, int]] = {"info": 0x3B82F6, "warning": 0xF59E0B, "critical": 0xDC2626}
_CLOSED: Final = 0x16A34A
_SNOOZES: Final = ((60, "Snooze 1 h"), (480, "Snooze 8 h"))
_MOST_LINES: Final = 25
#: What is said of a subject, while an incident is open and when it is over.
_SAID: Final[dict[Kind, tuple[str, str]]] = {
    "node_down": ("Node {} is down", "Node {} was down"),
    "server_crashed": ("{} crashed", "{} crashed"),
    "crash_loop": ("{} crashes again and again", "{} crashed again and again"),
    "server_unknown": ("{} gives no answer", "{} gave no answer"),
    "resource_at_limit": ("{} is at its {} limit", "{} was at its {} limit"),
    "disk_filling": ("The disk of {} fills up", "The disk of {} was filling up"),
    "backups_old": ("The backups of {} are old", "The backups of {} were old"),
    "data_late": ("Data of {} are late", "Data of {} were late"),
    "extraction_failing": ("Reading of {} fails", "Reading of {} failed"),
    "run_failing": ("Job {} fails", "Job {} failed"),
    "check_failing": ("Check {} fails", "Check {} failed"),
    "unusual": ("{} is unusual for this hour", "{} was unusual for the hour"),
}


def headline(incident: Incident) -> str:
    """Return what happened to whom, as one clause in plain words."""
    now, then = _SAID[incident.kind]
    name = f"Server {incident.subject.name}" if incident.subject.kind == "server" else incident.subject.name
    if incident.kind in {"disk_filling", "backups_old"}:
        name = incident.subject.name
    return (now if incident.is_open else then).format(name, incident.aspect)


def duration(length: timedelta) -> str:
    """Return *length* for people: ``40 s``, ``35 min``, ``2 h 5 min``, ``3 d 4 h``."""
    seconds = max(int(length.total_seconds()), 0)
    if seconds < 60:  # noqa: PLR2004 - of a minute
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if not hours:
        return f"{minutes} min"
    if not days:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"


def sentence(incident: Incident) -> str:
    """Return the whole incident as one line of plain text."""
    parts = [headline(incident)]
    if incident.closed_at is not None:
        parts[0] += f" for {duration(incident.closed_at - incident.opened_at)}"
    parts.append(incident.cause)
    if incident.held_back:
        parts.append(f"{counted(len(incident.held_back), 'alarm')} held back")
    return ": ".join(filter(None, parts[:2])) + "".join(f" ({part})" for part in parts[2:])


def incident_message(incident: Incident, target: str, rules: Rules | None, *, at: datetime, announce: bool) -> Message:
    """Return the one message of *incident* at *target*, as it ought to say now; without *rules* it pings nobody."""
    is_heard = incident.is_open and incident.acknowledged_by is None and not incident.is_snoozed(at)
    fields = [Field(name="Began", value=_moment(incident.opened_at))]
    if incident.closed_at is not None:
        fields.append(Field(name="Over", value=_moment(incident.closed_at)))
        fields.append(Field(name="Lasted", value=duration(incident.closed_at - incident.opened_at)))
    else:
        fields.append(Field(name="Noticed after", value=duration(incident.noticed_at - incident.opened_at)))
    if incident.held_back:
        fields.append(Field(name="Held back", value=counted(len(incident.held_back), "alarm")))
    if incident.acknowledged_by is not None:
        fields.append(Field(name="Acknowledged by", value=escaped(incident.acknowledged_by)))
    if incident.is_open and incident.is_snoozed(at) and incident.snoozed_until is not None:
        fields.append(Field(name="Snoozed until", value=_moment(incident.snoozed_until)))
    server = incident.subject.server
    if server is not None and server.node_name is not None:
        fields.append(Field(name="Node", value=escaped(server.node_name)))
    embed = Embed(
        title=escaped(headline(incident)),
        description=escaped(incident.cause),
        colour=_COLOURS[incident.severity] if incident.is_open else _CLOSED,
        fields=tuple(fields),
        footer=f"Incident {incident.id} · {incident.severity}",
    )
    return Message(
        key=f"incident/{incident.id}",
        target=target,
        embeds=(embed,),
        buttons=_buttons(incident) if target.startswith("discord:") else (),
        mentions=getattr(rules.mentions, incident.severity) if is_heard and rules is not None else (),
        severity=incident.severity,
        text=sentence(incident),
        announce=announce,
    )


def reminder_key(incident: Incident) -> str:
    """Return the key of the message that calls somebody back to an incident."""
    return f"incident/{incident.id}/reminder"


def reminder_message(incident: Incident, target: str, rules: Rules) -> Message:
    """Return what is said anew when a snooze is over: an edit of the incident's own message would ping nobody."""
    said = f"Still open after a snooze: {sentence(incident)}"
    return Message(
        key=reminder_key(incident),
        target=target,
        embeds=(
            Embed(description=escaped(said), colour=_COLOURS[incident.severity], footer=f"Incident {incident.id}"),
        ),
        mentions=getattr(rules.mentions, incident.severity),
        severity=incident.severity,
        text=said,
    )


def _buttons(incident: Incident) -> tuple[tuple[Button, ...], ...]:
    if not incident.is_open:
        return ()
    row = [Button(custom_id=f"incident:snooze:{incident.id}:{minutes}", label=label) for minutes, label in _SNOOZES]
    if incident.acknowledged_by is None:
        row.insert(0, Button(custom_id=f"incident:ack:{incident.id}", label="Acknowledge", style="primary"))
    return (tuple(row),)


def _moment(at: datetime) -> str:
    """Return *at* so that Discord shows it in the reader's zone."""
    return f"<t:{int(at.timestamp())}:f>"


def digest_message(incidents: Sequence[Incident], target: str, day: date, name: str) -> Message:
    """Return what happened in quiet hours and waited for their end."""
    lines = [sentence(incident) for incident in incidents]
    still = sum(incident.is_open for incident in incidents)
    title = f"While it was quiet on {name}: {counted(len(incidents), 'incident')}, {still or 'none'} still open"
    return _listed(f"digest/{day:%Y-%m-%d}/{name}", target, title, lines)


def report_message(incidents: Sequence[Incident], target: str, monday: date, of: str, now: datetime) -> Message:
    """Return the report of the week before *monday* on the servers of *of*: a host or an owner."""
    kinds = Counter(incident.kind for incident in incidents)
    lost: dict[str, timedelta] = defaultdict(timedelta)
    for incident in incidents:
        if incident.kind in {"node_down", "server_crashed", "crash_loop"}:
            lost[incident.subject.name] += (incident.closed_at or now) - incident.opened_at
    lines = [f"{kind.replace('_', ' ')}: {count}" for kind, count in kinds.most_common()]
    worst = sorted(lost.items(), key=lambda pair: pair[1], reverse=True)[:5]
    lines += [f"down longest: {name}, {duration(length)}" for name, length in worst]
    title = f"Week from {monday - timedelta(days=7):%d %B %Y} on {of}: {counted(len(incidents), 'incident')}"
    year, week, _ = (monday - timedelta(days=7)).isocalendar()
    return _listed(f"report/{year}-W{week:02}/{of}", target, title, lines)


def _listed(key: str, target: str, title: str, lines: Iterable[str]) -> Message:
    shown = list(lines)
    cut = [*shown[:_MOST_LINES], f"and {len(shown) - _MOST_LINES} more"] if len(shown) > _MOST_LINES else shown
    return Message(
        key=key,
        target=target,
        embeds=(Embed(title=escaped(title), description="\n".join(f"• {escaped(line)}" for line in cut)),),
        text="\n".join([title, *(f"- {line}" for line in cut)]),
        announce=True,
    )
