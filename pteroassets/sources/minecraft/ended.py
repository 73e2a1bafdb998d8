"""Sessions that ended, and what later lines of the same run may still change about them."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import NamedTuple

from pteroassets.sources.minecraft.history import PlayerSession, SessionEvent
from pteroassets.sources.minecraft.open_sessions import OpenRun, OpenSession
from pteroassets.sources.minecraft.reasons import CloseReason


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
