"""What a log says: a value for each recognised line, the stamps that lines bear, and what is known at a line's end."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

PARSER_VERSION = "5"

Kind = Literal[
    "server_start",
    "server_ready",
    "server_stop",
    "server_crash",
    "server_software",
    "server_overload",
    "player_uuid",
    "player_login",
    "player_spawn",
    "player_join",
    "player_leave",
    "player_lost_connection",
    "player_kick",
    "player_arrival",
    "player_switch",
    "player_switch_failed",
    "player_death",
    "player_advancement",
    "player_chat",
    "player_command",
    "login_refused",
    "fake_login",
]

#: What names the software stands before the start line of the run that it belongs to.
BEFORE_A_START: Final[Kind] = "server_software"
#: Lines of several threads are written a second or so out of order; a clock that is set moves further than this.
OUT_OF_ORDER_SECONDS: Final = 120

Detail = Mapping[str, str | int | float]


class Setback(NamedTuple):
    """A step back of the log's clock by two minutes to twelve hours: a correction, or the end of daylight saving."""

    day: int
    from_seconds: int  # time of day of the line before the step
    to_seconds: int  # of the line after it


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStamp:
    """The time of one line, as the file shows it."""

    day: int  # midnights since the first line of the file
    seconds: int  # local time of day
    dated: date | None = None  # the local date, where the line itself shows one
    setback: Setback | None = None  # the last step back of the clock before the line, in this file
    offset: int | None = None  # seconds by which its clock is ahead of UTC, where a log shipper's stamp tells it


class LogEvent(NamedTuple):  # made far faster than a frozen dataclass, and there are millions of them
    """One recognised line of a log.

    *player* is the name as the line shows it, without colour codes; in join, leave, death and advancement lines that
    is the display name. *detail* by kind:

    ========================  ==========================================================================
    server_start              ``game_version``, ``software`` (where the same line names it)
    server_ready              ``startup_seconds``, ``software`` (Vanilla: where no line before named another)
    server_crash              ``cause`` (crash_report, exception, watchdog), ``report`` (file name), ``exception``
    server_software           ``software``, ``game_version``; before or after the start line of its run
    server_overload           ``behind_milliseconds``, ``ticks``
    player_login              ``entity_id``, ``address`` (no port; personal), ``world``, ``x``, ``y``, ``z``
    player_spawn              nothing; of Bedrock, where some players appear without a login line
    player_join               ``formerly`` (the name before a rename)
    player_lost_connection    ``reason`` (addresses in it are masked)
    login_refused             ``reason`` (the same), ``cause`` (banned, not_whitelisted, full, version, verification,
                              mods, timed_out, throttled, starting, forwarding, other)
    fake_login                as player_login, without ``address``: a player that a mod made, with nobody behind it
    player_kick               ``reason``; an announcement, the departure follows
    player_arrival            nothing; a proxy's client is there, but on no back-end yet
    player_switch             ``server``: the back-end that a proxy connects a player to; the first that keeps him is
                              the entry
    player_switch_failed      ``server``: the back-end that did not take the player after all; ``reached`` (1) where
                              there was a connection to it, which ended
    player_death              ``cause``, ``killer``, ``item`` (only with the parser's *keep_text*)
    player_advancement        ``advancement``, ``type`` (achievement, task, challenge, goal)
    player_chat               ``text`` (only with *keep_text*)
    player_command            ``text`` (only with *keep_text*)
    ========================  ==========================================================================
    """

    line_number: int  # from 1
    day: int
    seconds: int | None  # None in layouts that show no time at all
    kind: Kind
    dated: date | None = None
    setback: Setback | None = None
    player: str | None = None
    player_uuid: UUID | None = None  # in player_uuid lines
    detail: Detail | None = None
    offset: int | None = None

    @property
    def stamp(self) -> LogStamp | None:
        """The line's time; None in layouts that show none."""
        if self.seconds is None:
            return None
        return LogStamp(day=self.day, seconds=self.seconds, dated=self.dated, setback=self.setback, offset=self.offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCounts:
    """How many lines were read, and what became of them; the four kinds add up to *lines*."""

    lines: int = 0
    understood: int = 0  # gave an event, or the software
    ignored: int = 0  # of a kind known to say nothing, or a look-alike refused by rule
    unknown: int = 0
    continuations: int = 0  # no prefix: belongs to the line before

    def plus(self, **more: int) -> LineCounts:
        """Return these with *more* of some."""
        return dataclasses.replace(self, **{name: getattr(self, name) + value for name, value in more.items()})


#: Whether a program that was named has got ready since, and whether the layout has changed after that, so that the next
#: program to start may be another one.
SoftwareIs = Literal["named", "running", "earlier"]


#: What wrote a log, as far as its lines have told: a server's start or a player's entry, or what clients alone say.
Writer = Literal["unknown", "server", "client"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParserState:
    """What the parser must know to go on after the last whole line."""

    parser_version: str = PARSER_VERSION
    bytes_consumed: int = 0
    counts: LineCounts = dataclasses.field(default_factory=LineCounts)
    format_name: str | None = None
    first: LogStamp | None = None  # of the first line with a time
    first_dated: LogStamp | None = None  # of the first one that shows its date
    last: LogStamp | None = None
    clock: int | None = None  # second of the day that the last line with a time shows itself, whatever its shipper says
    software: str | None = None  # as a line names it, else as only one program writes
    software_is: SoftwareIs = "named"
    names_until: int | None = None  # second since day 0 up to which a start's lines come; None: no start was seen yet
    game_version: str | None = None
    is_of: Writer = "unknown"
    is_shipped: bool = False  # a log shipper wrote lines of it
    has_times: bool = True  # False once a line that gave an event showed no time: that event cannot be placed
    report_date: date | None = None  # in the name of the first crash report that a line names
    report_day: int | None = None  # the day counter at that date
    restarts: tuple[Setback, ...] = ()  # starts at an earlier time of day, each counted as a new day
    setback_seen: Setback | None = None  # that of the last event: a start does not explain it any more

    def copy(self) -> ParserState:
        """Return the same state, for a parser that changes it in place while it reads a block."""
        other = object.__new__(ParserState)
        for name in self.__slots__:
            object.__setattr__(other, name, getattr(self, name))
        return other

    @property
    def first_date(self) -> date | None:
        """Local date of the first line with a time, where the log itself tells it."""
        if self.first_dated is not None and self.first_dated.dated is not None:
            return self.first_dated.dated - timedelta(days=self.first_dated.day)
        if self.report_date is not None and self.report_day is not None:
            return self.report_date - timedelta(days=self.report_day)
        return None

    @property
    def first_date_source(self) -> Literal["line", "crash_report"] | None:
        """What tells `first_date`."""
        if self.first_dated is not None:
            return "line"
        return "crash_report" if self.first_date is not None else None

    @property
    def lines(self) -> int:
        """Lines read."""
        return self.counts.lines

    @property
    def day(self) -> int:
        """Midnights passed since the first line."""
        return self.last.day if self.last is not None else 0

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain JSON values."""
        plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self), default=date.isoformat))
        return plain

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ParserState:
        """Return the state that `to_json` gave.

        Raises:
            ValueError: Another version of the parser wrote it; the file must be read from its start.
        """
        if values["parser_version"] != PARSER_VERSION:
            raise ValueError(f"a state of parser {values['parser_version']}, but this is parser {PARSER_VERSION}")
        return cls(
            **{
                **values,
                "counts": LineCounts(**values["counts"]),
                **{name: _stamp(values[name]) for name in ("first", "first_dated", "last")},
                "report_date": values["report_date"] and date.fromisoformat(values["report_date"]),
                "restarts": tuple(Setback(*each) for each in values["restarts"]),
                "setback_seen": values["setback_seen"] and Setback(*values["setback_seen"]),
            }
        )


def _stamp(values: Mapping[str, Any] | None) -> LogStamp | None:
    if values is None:
        return None
    dated, setback = values["dated"], values["setback"]
    return LogStamp(
        **{**values, "dated": dated and date.fromisoformat(dated), "setback": setback and Setback(*setback)}
    )
