"""Runs and sessions whose end was not read yet, and sessions that ended, as long as later lines may change them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from pteroassets.sources.minecraft.formats import is_proxy, rank_of_software
from pteroassets.sources.minecraft.history import EndReason, PlayerSession, ServerRun, SessionEvent
from pteroassets.sources.minecraft.reasons import CloseReason

_UNNAMED_CAUSES = ("crash_report", "exception")
_ASSUMED = "Vanilla"  # of what names nothing
_REVIVAL = timedelta(seconds=60)  # somebody who plays on that long after a stop or crash line shows it was none


def text_of(event: SessionEvent, name: str) -> str | None:
    """Return what the event's detail has under *name*."""
    value = (event.detail or {}).get(name)
    return str(value) if value is not None else None


@dataclass(slots=True, kw_only=True)
class OpenRun:
    """A run whose end was not read yet."""

    key: str
    started_at: datetime | None
    game_version: str | None = None
    ready_at: datetime | None = None
    startup_seconds: float | None = None
    stopped_at: datetime | None = None  # the first stop line
    crashed_at: datetime | None = None  # the first crash line, unless a stop was under way already
    last_departure_at: datetime | None = None
    software: str | None = None
    crash_cause: str | None = None
    crash_report: str | None = None
    overload_warnings: int = 0
    is_proxy: bool = False  # by what it says
    refused_entries: int = 0
    fake_players: set[str] = field(default_factory=set)

    @property
    def is_ending(self) -> bool:
        """Whether a line of its stop or crash was read."""
        return self.stopped_at is not None or self.crashed_at is not None

    def read(self, event: SessionEvent) -> None:
        """Take what *event*, which is no player's, says of it."""
        match event.kind:
            case "server_ready" if self.ready_at is None:
                self.ready_at = event.logged_at
                seconds = (event.detail or {}).get("startup_seconds")
                self.startup_seconds = float(seconds) if seconds is not None else None
                # what the lines so far come to, where none names it
                self.software = self.software or text_of(event, "software")
            case "server_stop" if self.stopped_at is None:
                self.stopped_at = event.logged_at
            case "server_crash":
                self._crash(event)
            case "server_overload":
                self.overload_warnings += 1
            case _:
                pass

    def brand(self, event: SessionEvent) -> None:
        """Take the software and version that a line names which comes right before its start or stands in it."""
        software = text_of(event, "software")
        # a program that is named may be what another one is built on
        is_better = rank_of_software(software) >= rank_of_software(self.software)
        # of a run that is ready, only where nothing has named it
        if software is not None and is_better and (self.ready_at is None or self.software in (None, _ASSUMED)):
            self.software = software
        self.game_version = self.game_version or text_of(event, "game_version")

    def revive(self, at: datetime) -> bool:
        """Take back stop and crash lines where somebody plays on at *at*, long after; tell whether none is left."""
        if self.stopped_at is not None and at - self.stopped_at > _REVIVAL:
            self.stopped_at = None
        if self.crashed_at is not None and at - self.crashed_at > _REVIVAL:
            self.crashed_at = self.crash_cause = self.crash_report = None
        return not self.is_ending

    def _crash(self, event: SessionEvent) -> None:
        """Note a crash; one while the server stops is not what ended it, but it has its cause too."""
        if self.crashed_at is None and self.stopped_at is None:
            self.crashed_at = event.logged_at
        exception = text_of(event, "exception")
        if self.crash_cause is None:
            self.crash_cause = exception or text_of(event, "cause")
        elif exception is not None and self.crash_cause in _UNNAMED_CAUSES:
            self.crash_cause = exception
        self.crash_report = self.crash_report or text_of(event, "report")

    def as_run(
        self,
        *,
        ended_at: datetime | None = None,
        lower: datetime | None = None,
        upper: datetime | None = None,
        reason: EndReason | None = None,
    ) -> ServerRun:
        """Return it as it stands, or as it ended."""
        return ServerRun(
            run_key=self.key,
            started_at=self.started_at,
            ready_at=self.ready_at,
            startup_seconds=self.startup_seconds,
            ended_at=ended_at,
            ended_at_lower=lower,
            ended_at_upper=upper,
            end_reason=reason,
            game_version=self.game_version,
            software=self.software,
            crash_cause=self.crash_cause,
            crash_report=self.crash_report,
            overload_warnings=self.overload_warnings,
            is_proxy=True if self.is_proxy else is_proxy(self.software),
            refused_entries=self.refused_entries,
            fake_players=len(self.fake_players),
        )


@dataclass(slots=True, kw_only=True)
class OpenSession:
    """A session whose end was not read yet.

    A proxy's begins with the first back-end that keeps the player; a connection to one does not tell yet that it does.
    """

    key: str
    name: str
    player_uuid: UUID | None
    opened_at: datetime
    joined_at: datetime | None  # None: before the first known line
    join_file_key: str | None
    join_line_number: int | None
    has_login: bool
    run_started_at: datetime | None
    not_before: datetime | None  # neither it nor its end can lie before: the run's start, the player's last end
    shown_as: str | None = None
    is_proxy: bool = False
    kicked_by: SessionEvent | None = None  # an announcement that no departure and no deed has followed yet
    was_announced: bool = False  # of a proxy: a line said that the client is there
    connects: list[SessionEvent] = field(default_factory=list)  # of a proxy: to back-ends that did not turn out failed
    in_flight: SessionEvent | None = None  # the last of them, until it failed
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def server_switches(self) -> int:
        """How often a proxy's player came onto another back-end."""
        return max(len(self.connects) - 1, 0)

    @property
    def is_nowhere(self) -> bool:
        """Whether it is a proxy's whose every back-end so far did not take the player."""
        return self.is_proxy and self.joined_at is not None and not self.connects

    def connect(self, event: SessionEvent) -> None:
        """Take a connection to a back-end, which may fail yet."""
        self.connects.append(event)
        self.in_flight = event
        self._begin()

    def fail(self, event: SessionEvent, *, within: timedelta) -> bool:
        """Take back the connect that turned out to have failed; tell whether there was one.

        Where the connection itself is seen to end, it can be one that another followed. Else it is the last one, or
        none at all: of a back-end that could not be reached there is no other line.
        """
        back_end, is_reached = text_of(event, "server"), "reached" in (event.detail or {})
        likely = reversed(self.connects) if is_reached else [self.in_flight]
        failed = next(
            (
                each
                for each in likely
                if each is not None
                and text_of(each, "server") == back_end
                and abs(event.logged_at - each.logged_at) <= within
            ),
            None,
        )
        if failed is None:
            return False
        self.connects.remove(failed)
        if failed is self.in_flight:
            self.in_flight = None
        self._begin()
        return True

    def _begin(self) -> None:
        """Let it begin with the first back-end that may have taken the player."""
        if self.joined_at is not None and self.connects:
            first = self.connects[0]
            self.key = f"{first.file_key}:{first.line_number}"
            self.joined_at = max(filter(None, (first.logged_at, self.not_before)))
            self.join_file_key, self.join_line_number = first.file_key, first.line_number

    def login(self, event: SessionEvent) -> None:
        """Take the login line of the entry that a join line opened: it is the one that proves it."""
        self.key = f"{event.file_key}:{event.line_number}"
        self.joined_at = max(event.logged_at, self.joined_at or event.logged_at)
        self.join_file_key, self.join_line_number = event.file_key, event.line_number
        self.has_login = True

    def as_session(
        self,
        *,
        last_seen_at: datetime | None,
        left_at: datetime | None = None,
        lower: datetime | None = None,
        upper: datetime | None = None,
        reason: CloseReason | None = None,
        detail: str | None = None,
        leave: SessionEvent | None = None,
    ) -> PlayerSession:
        """Return it as it stands, or as it was closed."""
        return PlayerSession(
            session_key=self.key,
            player_name=self.name,
            player_uuid=self.player_uuid,
            joined_at=self.joined_at,
            left_at=left_at,
            left_at_lower=lower,
            left_at_upper=upper,
            close_reason=reason,
            close_detail=detail,
            is_join_observed=self.joined_at is not None,
            is_end_observed=left_at is not None,
            join_file_key=self.join_file_key,
            join_line_number=self.join_line_number,
            leave_file_key=leave.file_key if leave is not None else None,
            leave_line_number=leave.line_number if leave is not None else None,
            run_started_at=self.run_started_at,
            last_seen_at=last_seen_at,
            chat_messages=self.counts["player_chat"],
            commands=self.counts["player_command"],
            deaths=self.counts["player_death"],
            advancements=self.counts["player_advancement"],
            is_proxy=self.is_proxy,
            server_switches=self.server_switches,
        )


class _Settling(NamedTuple):
    """A proxy's session that ended: its place, and when the one before of the same player had ended."""

    place: int
    session: OpenSession
    ended_before: datetime | None


class Ended:
    """The sessions of one server in the order in which they ended; each is known by its place."""

    def __init__(self) -> None:
        self._sessions: list[PlayerSession | None] = []  # None: found to have gone on, stands further down
        # of the run: sessions that closed without a UUID, and by a leave line that no other line bears out
        self._without_uuid: dict[str, list[int]] = {}
        self._alone: dict[str, tuple[int, OpenSession]] = {}
        # of the run: how departures after a stop or crash line would have closed without it
        self._overruled: dict[int, tuple[CloseReason, str | None]] = {}
        self._settling: dict[str, _Settling] = {}  # of the run: each player's last on a proxy

    def all(self) -> list[PlayerSession]:
        """Return them."""
        return [session for session in self._sessions if session is not None]

    def name_of(self, index: int) -> str | None:
        """Return the player's name; None where the session was found to have gone on."""
        session = self._sessions[index]
        return session.player_name if session is not None else None

    def add(self, session: PlayerSession) -> None:
        """Add one about which nothing more will be said."""
        self._sessions.append(session)

    def close(
        self,
        session: OpenSession,
        leave: SessionEvent,
        *,
        at: datetime,
        reason: CloseReason,
        detail: str | None,
        ended_before: datetime | None,
    ) -> int:
        """Add one that a line shows ending; return its place."""
        index = len(self._sessions)
        self._sessions.append(
            session.as_session(
                left_at=at, lower=at, upper=at, reason=reason, detail=detail, leave=leave, last_seen_at=at
            )
        )
        if session.is_proxy:
            self._settling[session.name] = _Settling(index, session, ended_before)
        if session.player_uuid is None:
            self._without_uuid.setdefault(session.name, []).append(index)
        return index

    def end_run(self) -> None:
        """Let what is said from now on change nothing."""
        self._without_uuid, self._alone, self._overruled, self._settling = {}, {}, {}, {}

    def learn(self, event: SessionEvent) -> None:
        """Give a UUID to the player's sessions that closed without one."""
        for index in self._without_uuid.pop(event.player or "", []):
            self._change(index, player_uuid=event.player_uuid)

    def left_by_leave_line(self, index: int, session: OpenSession) -> None:
        """Note that nothing but a leave line shows the end, which may be another's or a plugin's."""
        self._alone[session.name] = (index, session)

    def is_borne_out(self, name: str) -> None:
        """Note that another line shows the end too."""
        self._alone.pop(name, None)

    def reopened(self, name: str) -> OpenSession | None:
        """Take out the session that only a leave line ended, since the player was there until now."""
        index, session = self._alone.pop(name, (0, None))
        if session is not None:
            self._sessions[index] = None
        return session

    def explain(self, index: int, reason: CloseReason, detail: str | None) -> None:
        """Say otherwise how one ended."""
        self._change(index, close_reason=reason, close_detail=detail)

    def overrule(self, index: int, run: OpenRun | None, text: str | None) -> None:
        """Let what befell the run come before what the lines of a departure say."""
        session = self._sessions[index]
        if session is None or run is None or not run.is_ending:
            return
        self._overruled[index] = (session.close_reason or "left", session.close_detail)
        self.explain(index, "server_crashed" if run.crashed_at is not None else "server_stopped", text)

    def restore(self) -> None:
        """Let the lines of departures count after all, since the run went on."""
        for index, (reason, detail) in self._overruled.items():
            self.explain(index, reason, detail)
        self._overruled = {}

    def fail(self, event: SessionEvent, *, within: timedelta) -> _Settling | None:
        """Take back a proxy's connection that failed; return the session that was none after all, taken out."""
        found = self._settling.get(event.player or "")
        if found is None or not found.session.fail(event, within=within) or self._sessions[found.place] is None:
            return None
        session = found.session
        if session.is_nowhere:
            self._sessions[found.place] = None
            return found
        self._change(
            found.place,
            session_key=session.key,
            joined_at=session.joined_at,
            join_file_key=session.join_file_key,
            join_line_number=session.join_line_number,
            server_switches=session.server_switches,
        )
        return None

    def _change(self, index: int, **values: object) -> None:
        session = self._sessions[index]
        if session is not None:
            self._sessions[index] = dataclasses.replace(session, **values)  # type: ignore[arg-type] # its own fields
