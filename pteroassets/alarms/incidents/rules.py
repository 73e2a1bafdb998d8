"""The rules of incidents: one file that an operator may write, validated whole, with defaults in the package.

A file of an operator's holds only what differs. Thresholds may differ by owner, egg and server: where several apply a
server's goes before its egg's, and that before its owner's.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, time
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

from pteroassets.alarms.incidents.model import Kind, Server, Severity

_SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")
_LONGEST_NAME: Final = 80  # Discord's titles have 256, the rest of ours some 60, and escaping doubles a character
_SET_BY: Final = {
    "discord": "PTEROASSETS_DISCORD_TOKEN",
    "webhook": "PTEROASSETS_DISCORD_WEBHOOKS",
    "channel": "PTEROASSETS_CHANNELS",
}
#: Kinds of which the failure sensor tells, at the targets of alarms; no route is asked.
TOLD_BY_THE_SENSOR: Final[tuple[Kind, ...]] = ("run_failing", "check_failing")
_OF_NO_SERVER: Final[tuple[Kind, ...]] = ("node_down", "data_late", "extraction_failing")


def _is_set_up(target: str, info: ValidationInfo) -> str:
    ways = (info.context or {}).get("ways")
    kind, _, name = target.partition(":")
    if ways is None or (kind if kind == "discord" else target) in ways:
        return target
    if kind == "discord":
        raise ValueError(
            f"{target} cannot be reached, since {_SET_BY[kind]} is not set: set it, or take another target"
        )
    known = [way for way in ways if way.startswith(f"{kind}:")]
    setting = "PTEROASSETS_ALARM_WEBHOOK" if target == "channel:alarm" else f"{name!r} in {_SET_BY[kind]}"
    others = f", or write {' or '.join(known)}" if known else ", or take another target"
    raise ValueError(f"{target} is not set up: set {setting}{others}")


Mention = Annotated[str, Field(pattern=r"^((role|user):\d{1,20}|here)$")]
Target = Annotated[
    str,
    Field(pattern=r"^(discord:\d{1,20}|(webhook|channel):[a-z0-9][a-z0-9_-]{0,39})$"),
    AfterValidator(_is_set_up),
]
Share = Annotated[float, Field(gt=0, le=1)]


class RulesFault(Exception):  # noqa: N818 - operators see only its message
    """The file of rules has faults; the message has one line for each, with its place in the file."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Part):
    """When something is an incident: *open_after* and *close_after* count readings in a row."""

    enabled: bool = True
    severity: Severity
    open_after: int = Field(1, ge=1)
    close_after: int = Field(1, ge=1)


class LoopRule(Rule):
    """When crashes make a loop."""

    crashes: int = Field(ge=2)
    within_hours: float = Field(gt=0, le=168)  # closed incidents are remembered for eight days
    calm_hours: float = Field(gt=0)


class LimitRule(Rule):
    """From which share of its limit a resource is at it."""

    memory_from: Share
    cpu_from: Share
    disk_from: Share


class DiskRule(Rule):
    """How soon a disk may be full."""

    hours_left: float = Field(gt=0)


class BackupRule(Rule):
    """How old a backup may be, of how much that was played since."""

    age_hours: float = Field(gt=0)
    hours_played: float = Field(ge=0)


class UnusualRule(Rule):
    """How far from usual an hour may be."""

    deviations: float = Field(gt=0)
    least_weeks: int = Field(ge=2)
    least_cpu_percent: float = Field(ge=0)
    least_players: float = Field(ge=0)


class RuleSet(_Part):
    """A rule for each kind of incident."""

    node_down: Rule
    server_crashed: Rule
    crash_loop: LoopRule
    server_unknown: Rule
    resource_at_limit: LimitRule
    disk_filling: DiskRule
    backups_old: BackupRule
    data_late: Rule
    extraction_failing: Rule
    run_failing: Rule
    check_failing: Rule
    unusual: UnusualRule


def _fits_a_title(name: str) -> str:
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"it has {len(name)} characters, of which titles have room for {_LONGEST_NAME}: shorten it")
    return name


class General(_Part):
    """Whose clock counts, and when reports are made."""

    name: Annotated[str, Field(min_length=1), AfterValidator(_fits_a_title)]
    timezone: str
    report_weekday: int = Field(ge=0, le=7)
    report_hour: int = Field(ge=0, le=23)

    @model_validator(mode="after")
    def _has_a_zone(self) -> General:
        if self.timezone not in available_timezones():
            raise ValueError(f"timezone {self.timezone!r} is not an IANA time zone such as Europe/Berlin")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The zone of quiet hours, digests and reports."""
        return ZoneInfo(self.timezone)


class QuietHours(_Part):
    """When only what is severe enough is sent at once: from *begin* to before *end*, also over midnight."""

    enabled: bool
    begin: time
    end: time
    wakes: Severity

    @model_validator(mode="after")
    def _are_some_hours(self) -> QuietHours:
        if self.enabled and self.begin == self.end:
            raise ValueError("begin and end are the same, so it is not clear whether all hours are quiet or none")
        return self

    def hold(self, severity: Severity, at: datetime, zone: ZoneInfo) -> bool:
        """Return whether what is so severe waits at *at* for the end of the quiet hours."""
        return self.are_at(at, zone) and _SEVERITIES.index(severity) < _SEVERITIES.index(self.wakes)

    def are_at(self, at: datetime, zone: ZoneInfo) -> bool:
        """Return whether it is quiet at *at*, by the clock of *zone*."""
        if not self.enabled:
            return False
        clock = at.astimezone(zone).time()
        if self.begin < self.end:
            return self.begin <= clock < self.end
        return clock >= self.begin or clock < self.end


class Whose(_Part):
    """Which servers something applies to: those with any of these UUIDs, eggs or owners."""

    servers: tuple[str, ...] = ()
    eggs: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()

    def rank(self, server: Server | None) -> int:
        """Return how closely it names *server*: 3 by itself, 2 by egg, 1 by owner, 0 not at all."""
        if server is None:
            return 0
        named = ((server.uuid, self.servers), (server.egg_name, self.eggs), (server.owner_name, self.owners))
        return next((3 - place for place, (name, names) in enumerate(named) if name in names), 0)


class Override(Whose):
    """Other thresholds of one rule for some servers."""

    rule: Kind
    set: Mapping[str, Any]

    @model_validator(mode="after")
    def _names_somebody(self) -> Override:
        if not (self.servers or self.eggs or self.owners):
            raise ValueError("it names no servers, eggs or owners")
        if not self.set:
            raise ValueError("it sets nothing")
        return self


class Route(Whose):
    """Where incidents go: to *targets*, of these kinds, from this severity, of these servers; nothing named: of all."""

    targets: tuple[Target, ...]
    kinds: tuple[Kind, ...] = ()
    severity: Severity = "info"

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Route:
        if not self.targets:
            raise ValueError("it names no targets")
        return self

    @property
    def is_named(self) -> bool:
        """Return whether it takes incidents of some servers alone."""
        return bool(self.servers or self.eggs or self.owners)

    def takes(self, kind: Kind, severity: Severity, server: Server | None) -> bool:
        """Return whether an incident goes this way."""
        return (
            (not self.kinds or kind in self.kinds)
            and _SEVERITIES.index(severity) >= _SEVERITIES.index(self.severity)
            and (not self.is_named or self.rank(server) > 0)
        )


class Mentions(_Part):
    """Who is pinged, by severity."""

    info: tuple[Mention, ...]
    warning: tuple[Mention, ...]
    critical: tuple[Mention, ...]


class Rules(_Part):
    """All that an operator may say of incidents."""

    general: General
    quiet_hours: QuietHours
    rules: RuleSet
    mentions: Mentions
    overrides: tuple[Override, ...] = ()
    routes: tuple[Route, ...] = ()

    @model_validator(mode="after")
    def _overrides_are_of_their_rules(self) -> Rules:
        wrong = [
            f"overrides.{number}.set.{line}"
            for number, override in enumerate(self.overrides)
            for line in _faults_of_set(getattr(self.rules, override.rule), override.set)
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @cached_property
    def _resolved(self) -> dict[tuple[Any, ...], Rule]:
        return {}

    def rule(self, kind: Kind, server: Server | None = None) -> Any:
        """Return the rule of *kind* for *server*, with what overrides say."""
        base: Rule = getattr(self.rules, kind)
        if server is None or not self.overrides:
            return base
        key = (kind, server.uuid, server.egg_name, server.owner_name)
        if key not in self._resolved:
            ranked = [(override.rank(server), override) for override in self.overrides if override.rule == kind]
            values = base.model_dump()
            for rank, override in sorted(ranked, key=lambda pair: pair[0]):
                values |= override.set if rank else {}
            self._resolved[key] = type(base).model_validate(values)
        return self._resolved[key]

    def targets(self, kind: Kind, severity: Severity, server: Server | None, default: tuple[str, ...]) -> list[str]:
        """Return where an incident is told, each once; *default* where no route takes it."""
        if not self.routes:
            return list(default)
        taken = (route.targets for route in self.routes if route.takes(kind, severity, server))
        return list(dict.fromkeys(target for targets in taken for target in targets))

    def untold(self) -> tuple[list[str], list[str]]:
        """Return what no route takes, and what routes take of the servers that they name alone.

        Both are kinds of incidents that are switched on, with the severity where only one of several is missed, and the
        weekly report. Without routes all goes to the targets of alarms, so nothing is missed.
        """
        if not self.routes:
            return [], []
        nobody: list[str] = []
        some: list[str] = []
        for kind in get_args(Kind):
            rule = getattr(self.rules, kind)
            if kind in TOLD_BY_THE_SENSOR or not rule.enabled:
                continue
            set_by = [one.set["severity"] for one in self.overrides if one.rule == kind and "severity" in one.set]
            severities = list(dict.fromkeys((rule.severity, *set_by)))
            missed = [one for one in severities if not self.targets(kind, one, None, ())]
            for severity in missed:
                name = kind if missed == severities else f"{kind} of severity {severity}"
                is_named = kind not in _OF_NO_SERVER and any(
                    route.takes(kind, severity, None) for route in self._routes_of_all
                )
                into = some if is_named else nobody
                into += [name] if name not in into else []
        if self.general.report_weekday and all(route.is_named for route in self.routes):
            nobody.append("the weekly report of the host")
        return nobody, some

    @cached_property
    def _routes_of_all(self) -> list[Route]:
        return [route.model_copy(update={"servers": (), "eggs": (), "owners": ()}) for route in self.routes]


def _faults_of_set(base: Rule, changed: Mapping[str, Any]) -> Iterator[str]:
    try:
        type(base).model_validate({**base.model_dump(), **changed})
    except ValidationError as error:
        for fault in error.errors():
            yield f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"


def read_rules(path: Path | None = None, *, ways: Collection[str] | None = None) -> Rules:
    """Return the rules of the package, with what the file *path* says in their place.

    Args:
        path: The operator's file, if there is one.
        ways: The ways out for messages that are set; a target of another is a fault. None: they are not asked for.

    Raises:
        RulesFault: The file cannot be read, is not TOML, or says what cannot be; all faults are named.
    """
    values = tomllib.loads(files(__package__).joinpath("rules.toml").read_text(encoding="utf-8"))
    if path is not None:
        try:
            own = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise RulesFault(f"{path}: it cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RulesFault(f"{path}: it is not TOML: {error}") from error
        values = _merged(values, own)
    try:
        return Rules.model_validate(values, context={"ways": ways})
    except ValidationError as error:
        where = path or "rules.toml"
        raise RulesFault("\n".join(f"{where}: {line}" for line in _lines(error))) from error


def _merged(base: Any, own: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(own, dict):
        return own
    return {**base, **{key: _merged(base.get(key), value) for key, value in own.items()}}


def _lines(error: ValidationError) -> Iterator[str]:
    for fault in error.errors():
        place = ".".join(map(str, fault["loc"]))
        text = re.sub(r"^Value error, ", "", fault["msg"])
        if fault["type"] == "extra_forbidden":
            text = "there is no such key"
        yield f"{place}: {text}" if place else text
