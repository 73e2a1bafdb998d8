"""What is known at an instant, what is found in it, and what is remembered from one instant to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Kind = Literal[
    "node_down",
    "server_crashed",
    "crash_loop",
    "server_unknown",
    "resource_at_limit",
    "disk_filling",
    "backups_old",
    "data_late",
    "extraction_failing",
    "run_failing",
    "check_failing",
    "unusual",
]
Severity = Literal["info", "warning", "critical"]
SubjectKind = Literal["node", "server", "pass", "job", "check"]
ClosedAs = Literal["recovered", "gone", "became_a_loop"]
Event = Literal["opened", "updated", "held_back", "closed", "acknowledged", "snoozed", "snooze_over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server as it stood at an instant; a limit is None where there is none, or it is not known.

    *memory_bytes* and *disk_bytes* are limits, *cpu_percent* is one in percent of a core.
    """

    uuid: str
    name: str
    node_name: str | None = None
    egg_name: str | None = None
    owner_name: str | None = None
    memory_bytes: int | None = None
    cpu_percent: int | None = None
    disk_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a pass read of a server; figures are None where they were not measured."""

    server: Server
    node_name: str | None
    outcome: str
    sampled_at: datetime
    state: str | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    uptime_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """The end of a run that the log shows as a crash.

    It happened between *earliest* and *latest*, which are the same where a line shows it. *back_at* is the next start;
    None where none is known.
    """

    server: Server
    earliest: datetime
    latest: datetime
    cause: str | None = None
    back_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassState:
    """How a pass stands: its newest load, when that is late, and whether it was read completely.

    *is_complete* is None where no load came since the instant before, so that a load is judged once. *nodes* are those
    that left something unread, where nothing else did.
    """

    name: str
    newest_at: datetime
    late_from: datetime
    is_complete: bool | None = None
    problem: str | None = None
    nodes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskTrend:
    """How the disk of a server grew in the last day; *bytes_an_hour* is None, with a *reason*, if that is not known."""

    server: Server
    at: datetime
    used_bytes: int
    bytes_an_hour: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupState:
    """What of a server would be lost; *hours_played* is since the newest good backup, None where it is not known."""

    server: Server
    at: datetime
    newest_good_at: datetime | None
    hours_played: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HourOfWeek:
    """What a server used in an hour, beside what is usual in that hour of the week.

    *median* and *deviation* (the median of the absolute deviations) are None with a *reason* where too few weeks are
    known.
    """

    server: Server
    hour: datetime
    measure: Literal["cpu_percent", "players"]
    value: float
    weeks: int
    median: float | None
    deviation: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What became known at an instant; a part is None where nothing of its kind was read then.

    Attributes:
        at: The time of what was read.
        pass_at: Of the samples' pass; one that was evaluated already is passed over.
        known_at: When it became known, if that was later than *at*.
        logs_at: Of the newest reading of logs that the crashes are of.
        hours_at: The full hour at which disks and usual use were judged.
        day_at: The noon at which backups were judged.
    """

    at: datetime
    pass_at: datetime | None = None
    known_at: datetime | None = None
    logs_at: datetime | None = None
    hours_at: datetime | None = None
    day_at: datetime | None = None
    samples: Sequence[Sample] | None = None
    crashes: Sequence[Crash] | None = None
    passes: Sequence[PassState] | None = None
    disks: Sequence[DiskTrend] | None = None
    backups: Sequence[BackupState] | None = None
    hours: Sequence[HourOfWeek] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an incident is about."""

    kind: SubjectKind
    key: str
    name: str
    server: Server | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one rule says of one subject at an instant.

    *is_bad* is None where it cannot be told: that neither opens nor closes anything. *since* is the time of what was
    read, *aspect* tells findings of one kind and subject apart. *nodes* are what it comes of where they are down.
    """

    kind: Kind
    subject: Subject
    is_bad: bool | None
    since: datetime
    aspect: str = ""
    cause: str = ""
    nodes: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """Tells this watch from all others."""
        return watch_key(self.kind, self.subject.key, self.aspect)


def watch_key(kind: Kind, subject_key: str, aspect: str = "") -> str:
    """Return what tells a watch from all others."""
    return f"{kind}/{subject_key}/{aspect}" if aspect else f"{kind}/{subject_key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How often in a row something was found bad, or good again, and since when; *gone* counts passes without it."""

    bad: int = 0
    good: int = 0
    bad_since: datetime | None = None
    good_since: datetime | None = None
    gone: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One root cause, from when it began to when it was over.

    Attributes:
        id: Its number.
        opened_at: When it began, as far as readings tell; *noticed_at* is when that was known.
        closed_at: When it was over; None while open.
        times: How often it happened, of crashes.
        last_at: When it happened last, of crashes; else when it was last found bad.
        held_back: Keys of the alarms that were not raised since this is their cause.
        is_quiet: Whether it was noticed in quiet hours and waits for the digest.
    """

    id: int
    kind: Kind
    subject: Subject
    severity: Severity
    opened_at: datetime
    noticed_at: datetime
    cause: str
    aspect: str = ""
    closed_at: datetime | None = None
    closed_as: ClosedAs | None = None
    times: int = 1
    last_at: datetime | None = None
    held_back: frozenset[str] = frozenset()
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    snoozed_until: datetime | None = None
    is_quiet: bool = False

    @property
    def key(self) -> str:
        """The key of its watch."""
        return watch_key(self.kind, self.subject.key, self.aspect)

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.closed_at is None

    def is_snoozed(self, at: datetime) -> bool:
        """Return whether nobody wants to hear of it at *at*."""
        return self.snoozed_until is not None and at < self.snoozed_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that happened to an incident."""

    incident: Incident
    event: Event
    at: datetime
    detail: str = ""
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is remembered from one instant to the next.

    Attributes:
        next_id: Number of the next incident.
        watches: Of what is bad, or open, by key; what is well has none.
        incidents: Open ones and those closed in the last days, by number.
        crashes: Times of each server's crashes of the last day.
        seen_crashes: Up to which crash each server's are known.
        seen_loads: The newest load of each pass that was judged.
        samples_until: The newest pass of samples that was evaluated.
        logs_until: The newest reading of logs of which crashes were judged.
        hours_until: The newest hour of which disks and usual use were judged.
        days_until: The newest day of which backups were judged.
        digest: Numbers of the incidents that wait for the end of the quiet hours.
        reported_week: Monday of the newest week that was reported.
    """

    next_id: int = 1
    watches: Mapping[str, Watch] = field(default_factory=dict)
    incidents: Mapping[int, Incident] = field(default_factory=dict)
    crashes: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    seen_crashes: Mapping[str, datetime] = field(default_factory=dict)
    seen_loads: Mapping[str, datetime] = field(default_factory=dict)
    samples_until: datetime | None = None
    logs_until: datetime | None = None
    hours_until: datetime | None = None
    days_until: datetime | None = None
    digest: tuple[int, ...] = ()
    reported_week: date | None = None
