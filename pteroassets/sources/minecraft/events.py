"""What a log says: one value for each recognised line, and the stamps that lines bear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, NamedTuple
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
