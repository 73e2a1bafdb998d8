"""Build sessions and runs from events: a pure function of one server's files, in the order they were written.

Path of the data::

    FileOfEvents… --build_sessions--> PlayerSession…, ServerRun…

What counts as what is product rule 8: the login line proves an entry, the first of a pair of departure lines closes,
a session never outlives its run, and what no line shows is given as bounds and never as a time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta

from pteroassets.sources.minecraft.history import (
    EndReason,
    FileOfEvents,
    PlayerSession,
    ServerRun,
    SessionBuild,
    SessionEvent,
)
from pteroassets.sources.minecraft.online import OpenRun, OpenSession, Presence
from pteroassets.sources.minecraft.reasons import CloseReason, close_reason, is_refusal

__all__ = [
    "FileOfEvents",
    "PlayerSession",
    "ServerRun",
    "SessionBuild",
    "SessionEvent",
    "begins_with_start",
    "build_sessions",
    "rebuild_from",
]

_PAIR = timedelta(seconds=2)  # join and login of one entry, or the two lines of one departure
_REVIVAL = timedelta(seconds=60)  # somebody who plays on that long after a stop or crash line shows it was none


def begins_with_start(file: FileOfEvents) -> bool:
    """Tell whether the first event of *file* is the start of a run, so that nothing from before lives on in it."""
    return bool(file.events) and file.events[0].kind == "server_start"


def build_sessions(files: Sequence[FileOfEvents], *, last_line_at: datetime | None = None) -> SessionBuild:
    """Return the sessions and runs of one server.

    Args:
        files: All known ones in the order in which they were written, or those from `rebuild_from` on.
        last_line_at: The last line known of the server; by default that of the last file with a time.
    """
    builder = _Builder()
    for file in files:
        builder.read(file)
    return builder.finish(last_line_at)


def rebuild_from(files: Sequence[FileOfEvents], touched_file_key: str) -> int:
    """Return the index of the first file to derive again when *touched_file_key* was added or changed.

    It is the latest file before the touched one that begins with a start line, else 0. A start line closes whatever
    was open, so no session or run of ``files[:index]`` is still open in ``files[index]``; and how those were closed
    depends on nothing after that start line, which did not change. A file that begins with a start line itself is not
    enough, since that line may be what is new: it closes the sessions of the files before it. Hence sessions whose
    key names one of ``files[index:]`` are replaced by ``build_sessions(files[index:])``, and the others stand. (No
    session is missed: without a file before the start line, a departure of somebody unknown opens none.)

    Raises:
        ValueError: No file has that key.
    """
    touched = next((index for index, file in enumerate(files) if file.file_key == touched_file_key), None)
    if touched is None:
        raise ValueError(f"no file {touched_file_key} among {len(files)} files")
    return next((index for index in range(touched - 1, -1, -1) if begins_with_start(files[index])), 0)


class _Builder:
    """The reading of one server's events, one after the other."""

    def __init__(self) -> None:
        self._sessions: list[PlayerSession] = []
        self._runs: list[ServerRun] = []
        self._run: OpenRun | None = None
        self._online = Presence()
        self._last_line_at: datetime | None = None  # of the files before, then of the events read
        self._may_be_online: bool = True  # somebody may have joined before the first known line
        self._has_logins = False
        self._is_last_line_known = True

    # ---------- files

    def read(self, file: FileOfEvents) -> None:
        """Read the next file."""
        if file.gap_before and self._last_line_at is not None:
            self._end_at_gap(file)
        # the login line is never hidden, so where there are some a bare join line is a nickname's or a plugin's
        self._has_logins = any(event.kind == "player_login" for event in file.events)
        for number, event in enumerate(file.events):
            # a file begins with each start, so the line before is the last of the file before; not so where a log is
            # appended to: there it is not known, since only events are
            self._is_last_line_known = number == 0
            self._read(event)
            self._passed(event.logged_at)
        self._is_last_line_known = True
        self._passed(file.last_line_at)

    def finish(self, last_line_at: datetime | None) -> SessionBuild:
        """Return what was found; whatever is open stays open, unless its run was seen to stop or crash."""
        self._passed(last_line_at)
        if self._run is not None and (self._run.stopped_at is not None or self._run.crashed_at is not None):
            self._end_run(upper=None)
        elif self._run is not None:
            self._runs.append(_run(self._run))
        open_sessions = [_session(session, last_seen_at=self._last_line_at) for session in self._online.sessions()]
        return SessionBuild(sessions=(*self._sessions, *open_sessions), runs=tuple(self._runs))

    def _passed(self, instant: datetime | None) -> None:
        if instant is not None and (self._last_line_at is None or instant > self._last_line_at):
            self._last_line_at = instant

    # ---------- runs

    def _read(self, event: SessionEvent) -> None:
        if event.kind == "server_start":
            self._start(event)
            return
        if self._run is None:
            # the lines before belong to a run whose start is not known
            self._run = OpenRun(key=f"{event.file_key}:1", started_at=None)
        run = self._run
        match event.kind:
            case "server_ready" if run.ready_at is None:
                run.ready_at = event.logged_at
                seconds = (event.detail or {}).get("startup_seconds")
                run.startup_seconds = float(seconds) if seconds is not None else None
            case "server_stop" if run.stopped_at is None:
                run.stopped_at = event.logged_at
            case "server_crash" if run.crashed_at is None:
                run.crashed_at = event.logged_at
            case "player_uuid":
                self._online.learn(event)
            case "player_login":
                self._revive(event)
                self._login(event)
            case "player_join":
                self._join(event)
            case "player_lost_connection" | "player_leave":
                self._depart(event)
            case "player_chat" | "player_command" | "player_death" | "player_advancement":
                if self._online.count(event, may_be_unknown=self._may_be_online):
                    self._revive(event)
            case _:
                pass

    def _start(self, event: SessionEvent) -> None:
        if self._run is not None:
            self._end_run(upper=event.logged_at)
        self._may_be_online = False
        version = (event.detail or {}).get("game_version")
        self._run = OpenRun(
            key=f"{event.file_key}:{event.line_number}",
            started_at=event.logged_at,
            game_version=str(version) if version is not None else None,
        )

    def _revive(self, event: SessionEvent) -> None:
        """Take a stop or crash line back when somebody plays on long after it."""
        run = self._run
        if run is None:
            return
        if run.stopped_at is not None and event.logged_at - run.stopped_at > _REVIVAL:
            run.stopped_at = None
        if run.crashed_at is not None and event.logged_at - run.crashed_at > _REVIVAL:
            run.crashed_at = None

    def _end_run(self, *, upper: datetime | None) -> None:
        """End the run, and what is open in it; *upper* is the next start, if there is one yet.

        The process lives a little longer than its last line, so that line bounds nobody's leaving from above.
        """
        run, last = self._run, self._last_line_at
        if run is None:
            return
        lower: datetime | None
        if run.stopped_at is not None:
            # the process said goodbye: its last line shows its end, even if a crash made it stop
            reason: EndReason = "crashed" if run.crashed_at is not None else "stopped"
            last = max(filter(None, (last, run.last_departure_at, run.stopped_at)))
            ended_at = last if self._is_last_line_known else None
            self._runs.append(_run(run, ended_at=ended_at, lower=last, upper=upper, reason=reason))
            lower = min(filter(None, (run.crashed_at, run.stopped_at)))
        else:
            self._runs.append(_run(run, lower=last, upper=upper, reason="crashed"))
            lower = run.crashed_at or last
        why: CloseReason = "server_stopped" if self._runs[-1].end_reason == "stopped" else "server_crashed"
        self._close_all(lower=lower, upper=upper, reason=why)
        self._run = None

    def _end_at_gap(self, file: FileOfEvents) -> None:
        run = self._run
        if run is not None and run.stopped_at is not None:
            self._end_run(upper=file.first_line_at)
        elif run is not None:
            self._runs.append(_run(run, lower=self._last_line_at, upper=file.first_line_at, reason="log_gap"))
            self._close_all(lower=self._last_line_at, upper=file.first_line_at, reason="log_gap")
            self._run = None
        self._online = Presence()
        self._may_be_online = True

    def _close_all(self, *, lower: datetime | None, upper: datetime | None, reason: CloseReason) -> None:
        for session in self._online.sessions():
            # whoever came after the line that bounds the others was there at least until then
            seen = max(filter(None, (lower, session.joined_at)), default=None)
            self._sessions.append(_session(session, lower=seen, upper=upper, reason=reason, last_seen_at=seen))
        self._online = Presence()

    # ---------- players

    def _login(self, event: SessionEvent) -> None:
        name = event.player or ""
        session = self._online.get(name)
        if session is not None and not session.has_login and event.logged_at - session.opened_at <= _PAIR:
            session.login(event)
            return
        if session is not None:
            # one account is online once: the second entry ends the first
            self._close(session, event, reason="joined_again", detail=None)
        self._open(event, name, has_login=True)

    def _join(self, event: SessionEvent) -> None:
        session = self._online.get(event.player or "") or self._online.unnamed_since(event.logged_at - _PAIR)
        if session is not None and session.has_login:
            # the second line of an entry, whenever it comes; a new entry would have a login line of its own
            session.shown_as = session.shown_as or event.player
            return
        self._online.shown(event)
        if self._has_logins or (session is None and self._online.find(event.player) is not None):
            return
        if session is not None:
            if event.logged_at - session.opened_at <= _PAIR:
                return
            self._close(session, event, reason="joined_again", detail=None)
        self._open(event, event.player or "", has_login=False)

    def _open(self, event: SessionEvent, name: str, *, has_login: bool) -> None:
        run = self._run
        self._online.open(event, name, has_login=has_login, run_started_at=run.started_at if run else None)

    def _depart(self, event: SessionEvent) -> None:
        reason = (event.detail or {}).get("reason")
        text = str(reason) if reason is not None else None
        is_lost = event.kind == "player_lost_connection"
        if (first := self._online.first_of_pair(event, within=_PAIR)) is not None:
            if is_lost and first.index is not None:
                self._explain(first.index, text)
            return
        # only a leave line may show another name than the profile's
        session = self._online.get(event.player or "") if is_lost else self._online.find(event.player)
        run = self._run
        index = None
        if session is not None:
            self._close(session, event, reason=self._why(text), detail=text)
            index = len(self._sessions) - 1
        elif self._may_be_online and run is not None and not is_refusal(text) and self._online.is_new(event):
            unknown = self._online.unknown(event, run_started_at=run.started_at)
            self._close(unknown, event, reason=self._why(text), detail=text)
            index = len(self._sessions) - 1
        if run is not None and index is not None:
            run.last_departure_at = event.logged_at
        self._online.departed(event, session, index=index)

    def _why(self, reason: str | None) -> CloseReason:
        """Return how a departure closes: what befell the run comes before what the line says."""
        run = self._run
        if run is not None and run.crashed_at is not None:
            return "server_crashed"
        if run is not None and run.stopped_at is not None:
            return "server_stopped"
        return close_reason(reason)

    def _explain(self, index: int, reason: str | None) -> None:
        """Give a session, closed by the leave line, the reason of the other line of the pair."""
        self._sessions[index] = dataclasses.replace(
            self._sessions[index], close_reason=self._why(reason), close_detail=reason
        )

    def _close(self, session: OpenSession, event: SessionEvent, *, reason: CloseReason, detail: str | None) -> None:
        # a clock that was set back must not make a session end before it began
        left_at = max(filter(None, (event.logged_at, session.joined_at)))
        self._online.remove(session, ended_at=left_at)
        self._sessions.append(
            _session(
                session,
                left_at=left_at,
                lower=left_at,
                upper=left_at,
                reason=reason,
                detail=detail,
                leave=event,
                last_seen_at=left_at,
            )
        )


def _session(
    session: OpenSession,
    *,
    last_seen_at: datetime | None,
    left_at: datetime | None = None,
    lower: datetime | None = None,
    upper: datetime | None = None,
    reason: CloseReason | None = None,
    detail: str | None = None,
    leave: SessionEvent | None = None,
) -> PlayerSession:
    return PlayerSession(
        session_key=session.key,
        player_name=session.name,
        player_uuid=session.player_uuid,
        joined_at=session.joined_at,
        left_at=left_at,
        left_at_lower=lower,
        left_at_upper=upper,
        close_reason=reason,
        close_detail=detail,
        is_join_observed=session.joined_at is not None,
        is_end_observed=left_at is not None,
        join_file_key=session.join_file_key,
        join_line_number=session.join_line_number,
        leave_file_key=leave.file_key if leave is not None else None,
        leave_line_number=leave.line_number if leave is not None else None,
        run_started_at=session.run_started_at,
        last_seen_at=last_seen_at,
        chat_messages=session.counts["player_chat"],
        commands=session.counts["player_command"],
        deaths=session.counts["player_death"],
        advancements=session.counts["player_advancement"],
    )


def _run(
    run: OpenRun,
    *,
    ended_at: datetime | None = None,
    lower: datetime | None = None,
    upper: datetime | None = None,
    reason: EndReason | None = None,
) -> ServerRun:
    return ServerRun(
        run_key=run.key,
        started_at=run.started_at,
        ready_at=run.ready_at,
        startup_seconds=run.startup_seconds,
        ended_at=ended_at,
        ended_at_lower=lower,
        ended_at_upper=upper,
        end_reason=reason,
        game_version=run.game_version,
    )
