"""Build sessions and runs from events: a pure function of one server's files, in the order they were written.

Path of the data::

    FileOfEvents… --build_sessions--> PlayerSession…, ServerRun…

The login line proves an entry, the first of a pair of departure lines closes, a session never outlives its run, and
what no line shows is given as bounds and never as a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pteroassets.sources.minecraft.events import BEFORE_A_START
from pteroassets.sources.minecraft.formats import is_proxy, rank_of_software
from pteroassets.sources.minecraft.history import (
    EndReason,
    FileOfEvents,
    ServerRun,
    SessionBuild,
    SessionEvent,
)
from pteroassets.sources.minecraft.online import CONNECT, KICK, Presence
from pteroassets.sources.minecraft.open_sessions import Ended, OpenRun, OpenSession, text_of
from pteroassets.sources.minecraft.reasons import CloseReason, close_reason, is_refusal

_PAIR = timedelta(seconds=2)  # join and login of one entry, or the two lines of one departure
_SPAWN = timedelta(seconds=60)  # the same where the join line comes only when the player has spawned

_SPAWNS_LATE = ("PocketMine", "Nukkit", "PowerNukkit")
_ALREADY_HERE = "You are already connected to this proxy"
_ENTRIES = ("player_login", "player_spawn", "player_switch", "fake_login")
_OF_PROXIES = ("player_arrival", "player_switch", "player_switch_failed")


def begins_with_start(file: FileOfEvents) -> bool:
    """Return whether the first event of *file* is the start of a run, so that nothing from before continues in it.

    Lines that name the software do not count (`BEFORE_A_START`).
    """
    return next((event.kind == "server_start" for event in file.events if event.kind != BEFORE_A_START), False)


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
    was open and carries nothing over, not even the clock, so no session or run of ``files[:index]`` is still open in
    ``files[index]``; and how those were closed depends on nothing after that start line, which did not change. A file
    that begins with a start line itself is not enough, since that line may be what is new: it closes the sessions of
    the files before it. Hence sessions whose key names one of ``files[index:]`` are replaced by
    ``build_sessions(files[index:])``, and the others stand. (No session is missed: without a file before the start
    line, a departure of somebody unknown opens none.) Files that stand in another order than they did are touched too.

    Raises:
        ValueError: No file has that key.
    """
    touched = next((index for index, file in enumerate(files) if file.file_key == touched_file_key), None)
    if touched is None:
        raise ValueError(f"no file {touched_file_key} among {len(files)} files")
    return next((index for index in range(touched - 1, -1, -1) if begins_with_start(files[index])), 0)


class _Builder:
    """Reads one server's events, one after the other."""

    def __init__(self) -> None:
        self._ended = Ended()
        self._runs: list[ServerRun] = []
        self._run: OpenRun | None = None
        self._online = Presence()
        self._last_line_at: datetime | None = None  # of the files before, then of the events read
        self._may_be_online: bool = True  # somebody may have joined before the first known line
        # the login line is never hidden, so where there are some a bare join line is a nickname's or a plugin's
        self._run_has_logins = self._file_has_logins = False
        self._is_proxy = False
        self._is_last_line_known = True
        self._just_started: tuple[str, datetime] | None = None
        self._refused_at: dict[str, datetime] = {}  # of the run: the last client of each name that did not get in
        self._fake_players: set[str] = set()

    # ---------- files

    def read(self, file: FileOfEvents) -> None:
        """Read the next file."""
        if file.gap_before and self._last_line_at is not None:
            self._end_at_gap(file)
        kinds = {event.kind for event in file.events}
        self._file_has_logins = not kinds.isdisjoint(_ENTRIES)
        self._is_proxy = file.is_proxy or not kinds.isdisjoint(_OF_PROXIES)
        self._is_last_line_known = True
        self._just_started = None
        brands: list[SessionEvent] = []
        for event in file.events:
            if event.kind == BEFORE_A_START:
                brands.append(event)  # of the coming run, if that starts next
                continue
            self._read(event, brands)
            brands = []
            # a file begins with each start, so the line before is the last of the file before; not so where a log is
            # appended to: there it is not known, since only events are
            self._is_last_line_known = False
        if len(brands) < len(file.events):
            self._brand(brands)
        self._is_last_line_known = True
        self._passed(file.last_line_at)

    def finish(self, last_line_at: datetime | None) -> SessionBuild:
        """Return what was found; open sessions stay open, unless their run stopped or crashed."""
        self._passed(last_line_at)
        for session in self._online.sessions():
            if session.is_nowhere and self._run is not None and self._run.stopped_at is None:
                self._online.withdraw(session)  # a back-end may take him yet
        if self._run is not None and self._run.is_ending:
            self._end_run(upper=None)
        elif self._run is not None:
            self._runs.append(self._run.as_run())
        for session in self._online.sessions():
            kick, last = session.kicked_by, self._last_line_at
            if kick is not None and last is not None and last - kick.logged_at > KICK:
                self._close_at_kick(session, kick)
        open_sessions = [session.as_session(last_seen_at=self._last_line_at) for session in self._online.sessions()]
        return SessionBuild(
            sessions=(*self._ended.all(), *open_sessions),
            runs=tuple(self._runs),
            fake_players=frozenset(self._fake_players),
        )

    def _passed(self, instant: datetime | None) -> None:
        if instant is not None and (self._last_line_at is None or instant > self._last_line_at):
            self._last_line_at = instant

    # ---------- runs

    def _read(self, event: SessionEvent, brands: Sequence[SessionEvent]) -> None:
        if event.kind == "server_start":
            self._start(event)
            self._brand(brands)
            return
        if self._run is None:
            # the lines before belong to a run whose start is not known
            self._run = OpenRun(key=f"{event.file_key}:1", started_at=None)
        self._just_started = None
        self._brand(brands)
        self._passed(event.logged_at)
        self._run.is_proxy = self._run.is_proxy or event.kind in _OF_PROXIES
        # of a program that shows itself late, where nothing named it
        shown = text_of(event, "software")
        if rank_of_software(shown) > rank_of_software(self._run.software):
            self._run.software = shown
        if event.kind == "fake_login":
            self._enter_fake(event)
        elif event.kind.startswith("player_"):
            self._read_player(event)
        else:
            self._run.read(event)
            if event.kind == "login_refused":
                self._online.refused(event)
                self._count_refused(event)

    def _read_player(self, event: SessionEvent) -> None:
        if event.player_uuid is not None:
            self._learn(event)
        if (fake := self._online.fake_of(event.player)) is not None and self._read_fake(event, fake):
            return
        match event.kind:
            case "player_login":
                self._revive(event)
                self._login(event)
            case "player_spawn":
                self._spawn(event)
            case "player_arrival":
                self._online.arrived(event)
            case "player_switch":
                self._revive(event)
                self._switch(event)
            case "player_switch_failed":
                self._fail_switch(event)
            case "player_join":
                self._join(event)
            case "player_kick":
                self._kick(event)
            case "player_lost_connection" | "player_leave":
                self._depart(event)
            case "player_chat" | "player_command" | "player_death" | "player_advancement":
                if self._online.count(event, may_be_unknown=self._may_be_online):
                    self._revive(event)
            case _:
                pass

    def _start(self, event: SessionEvent) -> None:
        if self._just_started == (event.file_key, event.logged_at):
            return  # the same line twice, as some set-ups write all of them
        self._just_started = (event.file_key, event.logged_at)
        if self._run is not None:
            self._end_run(upper=event.logged_at)
        self._online = Presence()
        self._last_line_at = event.logged_at
        self._may_be_online = False
        self._run = OpenRun(
            key=f"{event.file_key}:{event.line_number}",
            started_at=event.logged_at,
            game_version=text_of(event, "game_version"),
            software=text_of(event, "software"),
        )

    def _brand(self, brands: Sequence[SessionEvent]) -> None:
        """Give the run the software and version that *brands* name."""
        for event in brands:
            self._passed(event.logged_at)
            if self._run is not None:
                self._run.brand(event)

    def _revive(self, event: SessionEvent) -> None:
        """Undo a stop or crash line if a player plays on long after it."""
        if self._run is not None and self._run.revive(event.logged_at):
            self._ended.restore()

    def _end_run(self, *, upper: datetime | None) -> None:
        """End the run, and what is open in it; *upper* is the next start, if there is one yet.

        Where the run's end is known, nobody left after that; the next start bounds those whose run just broke off.
        """
        run, last = self._run, self._last_line_at
        if run is None:
            return
        self._turn_away_nowhere()
        lower: datetime | None
        if run.stopped_at is not None:
            # the process said goodbye: its last line shows its end, even if a crash made it stop
            reason: EndReason = "crashed" if run.crashed_at is not None else "stopped"
            last = max(filter(None, (last, run.last_departure_at, run.stopped_at)))
            ended_at = last if self._is_last_line_known else None
            self._runs.append(run.as_run(ended_at=ended_at, lower=last, upper=_bound(upper, last), reason=reason))
            lower = min(filter(None, (run.crashed_at, run.stopped_at)))
            upper = ended_at or upper
        else:
            self._runs.append(run.as_run(lower=last, upper=_bound(upper, last), reason="crashed"))
            lower = run.crashed_at or last
        why: CloseReason = "server_stopped" if self._runs[-1].end_reason == "stopped" else "server_crashed"
        self._close_all(lower=lower, upper=upper, reason=why)

    def _end_at_gap(self, file: FileOfEvents) -> None:
        run, upper = self._run, file.first_line_at
        self._turn_away_nowhere()
        if run is not None and run.is_ending:
            self._end_run(upper=upper)
        elif run is not None:
            last = self._last_line_at
            self._runs.append(run.as_run(lower=last, upper=_bound(upper, last), reason="log_gap"))
            self._close_all(lower=last, upper=upper, reason="log_gap")
        self._online = Presence(fakes=self._online.fakes())
        self._may_be_online = True

    def _close_all(self, *, lower: datetime | None, upper: datetime | None, reason: CloseReason) -> None:
        """Close what is open at the end of the run."""
        for session in self._online.sessions():
            if session.kicked_by is not None:
                self._close_at_kick(session, session.kicked_by)
                continue
            # whoever came after the line that bounds the others was there at least until then
            seen = max(filter(None, (lower, session.joined_at)), default=None)
            latest = _bound(upper, seen)
            self._ended.add(session.as_session(lower=seen, upper=latest, reason=reason, last_seen_at=seen))
            if (ended_at := latest or seen) is not None:
                self._online.remove(session, ended_at=ended_at)
        self._run = None
        self._run_has_logins = False
        self._ended.end_run()
        self._refused_at = {}

    # ---------- who is not in

    def _count_refused(self, event: SessionEvent) -> None:
        """Count a client with a name that did not get in; several lines in the same second or so are of one."""
        name, run = event.player, self._run
        if name is None or run is None:
            return
        last = self._refused_at.get(name)
        self._refused_at[name] = event.logged_at
        if last is None or abs(event.logged_at - last) > _PAIR:
            run.refused_entries += 1

    def _turn_away_nowhere(self) -> None:
        """At the end of a run, remove players that no back-end of a proxy accepted."""
        for session in self._online.sessions():
            if session.is_nowhere:
                self._online.withdraw(session)
                if self._run is not None:
                    self._run.refused_entries += 1

    def _enter_fake(self, event: SessionEvent) -> None:
        """Read that a mod made a player; a player of that name is then gone."""
        name = event.player or ""
        self._revive(event)
        self._run_has_logins = True
        if (session := self._online.get(name)) is not None:
            self._close_before_entry(session, event)
        self._online.fake_entered(name)
        self._fake_players.add(name)
        if self._run is not None:
            self._run.fake_players.add(name)

    def _read_fake(self, event: SessionEvent, name: str) -> bool:
        """Read an event of a fake player; return whether nothing else is to be read."""
        if event.kind in ("player_lost_connection", "player_leave"):
            self._online.fake_left(name)
            self._online.turned_away(event)
        elif event.kind in ("player_login", "player_spawn", "player_switch"):
            self._online.fake_left(name)  # somebody of that name enters
            return False
        return True

    # ---------- players

    def _learn(self, event: SessionEvent) -> None:
        """Record a UUID, also in the player's sessions of this run that closed without one."""
        self._online.learn(event)
        self._ended.learn(event)

    def _login(self, event: SessionEvent) -> None:
        name = event.player or ""
        if self._online.is_repeated(event):
            return
        session = self._online.get(name)
        if session is not None and not session.has_login and abs(event.logged_at - session.opened_at) <= _PAIR:
            session.login(event)
            return
        if session is not None:
            self._close_before_entry(session, event)
        self._open(event, name, has_login=True)

    def _spawn(self, event: SessionEvent) -> None:
        """Read that a player of Bedrock appeared: the second line of an entry, or the only one.

        Who plays on the screen of another, or without an account, has no line before it.
        """
        name = event.player or ""
        if self._online.get(name) is None and not self._online.ended_since(name, event.logged_at - _PAIR):
            self._revive(event)
            self._open(event, name, has_login=True)

    def _switch(self, event: SessionEvent) -> None:
        """Read that a proxy's player is being connected to a back-end: the first that keeps him is the entry."""
        name = event.player or ""
        session, since = self._online.get(name), event.logged_at - CONNECT
        if session is None and self._online.gone_since(name, since):
            return  # the client went while the proxy was connecting
        if session is not None and session.is_proxy and self._online.arrived_since(name, since):
            self._close_before_entry(session, event)
            session = None
        if session is None:
            session = self._open(event, name, has_login=True)
        else:
            self._online.stays(name)
        session.connect(event)

    def _fail_switch(self, event: SessionEvent) -> None:
        """Read that a back-end did not accept the player; the line may come after that of the client's departure."""
        name = event.player or ""
        session = self._online.get(name)
        if session is not None and session.fail(event, within=CONNECT):
            return
        if (undone := self._ended.fail(event, within=CONNECT)) is not None:
            self._online.withdraw_ended(name, ended_before=undone.ended_before)
            self._count_refused(event)

    def _kick(self, event: SessionEvent) -> None:
        reason = text_of(event, "reason")
        if _turns_away(reason):
            # of a second client, though somebody of that name is online
            self._online.goes_unseen(event.player or "", event.logged_at)
            self._count_refused(event)
        else:
            self._online.kicked(event, reason)

    def _join(self, event: SessionEvent) -> None:
        spawns_late = self._run is not None and (self._run.software or "").startswith(_SPAWNS_LATE)
        since = event.logged_at - (_SPAWN if spawns_late else _PAIR)
        session = self._online.get(event.player or "") or self._online.unnamed_since(since)
        if (formerly := text_of(event, "formerly")) is not None:
            self._online.renamed(session.name if session is not None else event.player or "", formerly)
        if session is not None and session.has_login:
            # the second line of an entry, whenever it comes; a new entry would have a login line of its own
            session.shown_as = session.shown_as or event.player
            self._close_other_name(event, session.name)
            return
        self._online.shown(event)
        if (
            self._run_has_logins
            or self._file_has_logins
            or (session is None and self._online.find(event.player) is not None)
        ):
            return
        if session is not None:
            if abs(event.logged_at - session.opened_at) <= _PAIR:
                return
            self._close_before_entry(session, event)
        self._open(event, event.player or "", has_login=False)

    def _open(self, event: SessionEvent, name: str, *, has_login: bool) -> OpenSession:
        self._run_has_logins = self._run_has_logins or has_login
        self._close_other_name(event, name)
        self._ended.is_borne_out(name)
        session = self._online.open(
            event,
            name,
            has_login=has_login,
            run_started_at=self._run.started_at if self._run else None,
            is_proxy=event.kind == "player_switch",
        )
        self._passed(session.joined_at)
        return session

    def _close_other_name(self, event: SessionEvent, name: str) -> None:
        """End the session that the account of *name* has under the name it bore before."""
        other = self._online.take_other(name, event.player_uuid)
        if other is not None:
            self._close_before_entry(other, event)

    def _depart(self, event: SessionEvent) -> None:
        name, text = event.player or "", text_of(event, "reason")
        is_lost = event.kind == "player_lost_connection"
        if (first := self._online.first_of_pair(event, within=_PAIR)) is not None:
            if is_lost and first.index is not None:
                self._explain(first.index, event)
            return
        # only a leave line may show another name than the profile's
        session = self._online.get(name) if is_lost else self._online.find(event.player)
        refusal = self._online.refusal_of(name, event.logged_at)
        if (is_lost and _turns_away(text)) or (refusal is not None and (refusal.is_of_mods or session is None)):
            # of a client that never entered, though somebody of that name may be online
            self._online.goes_unseen(name, event.logged_at)
            self._online.turned_away(event)
            self._count_refused(event)
            return
        if session is None and is_lost and self._online.goes_unseen(name, event.logged_at):
            self._count_refused(event)
            return
        # where the leave line was another's, or a plugin's, who loses the connection was there until now
        if is_lost and session is not None:
            self._ended.is_borne_out(name)
        elif is_lost:
            session = self._ended.reopened(name)
        if session is None and self._may_be_online and not is_refusal(text) and self._online.is_new(event):
            run = self._run
            of_proxy = self._is_proxy or (run is not None and (run.is_proxy or is_proxy(run.software) is True))
            session = self._online.unknown(
                event, run_started_at=run.started_at if run is not None else None, is_proxy=of_proxy
            )
        elif session is None and is_lost and not self._online.ended_since(name, event.logged_at - _PAIR):
            self._count_refused(event)  # no line showed him entering
        index = None
        if session is not None and (session.is_nowhere or self._online.is_told_so(session, text, event.logged_at)):
            self._online.withdraw(session)
            self._online.turned_away(event)
            self._count_refused(event)
            return
        if session is not None:
            self._revive_by_client(event)
            reason, detail = self._online.why(session.name, text, event.logged_at)
            index = self._close(session, event, reason=reason, detail=detail)
            self._ended.overrule(index, self._run, text)
            if not is_lost and session.has_login:
                self._ended.left_by_leave_line(index, session)
            if self._run is not None:
                self._run.last_departure_at = event.logged_at
        self._online.departed(event, session, index=index)

    def _explain(self, index: int, event: SessionEvent) -> None:
        """Give a session, closed by the leave line, the reason of the other line of the pair."""
        name = self._ended.name_of(index)
        if name is None:
            return
        self._ended.is_borne_out(name)
        self._revive_by_client(event)
        self._ended.explain(index, *self._online.why(name, text_of(event, "reason"), event.logged_at))
        self._ended.overrule(index, self._run, text_of(event, "reason"))

    def _revive_by_client(self, event: SessionEvent) -> None:
        """Undo a stop or crash line if a client leaves long after it by itself."""
        text = text_of(event, "reason")
        if text is not None and close_reason(text) in ("left", "timed_out"):
            self._revive(event)

    def _close_before_entry(self, session: OpenSession, event: SessionEvent) -> None:
        """End a session because its account enters again: one account is online once."""
        if session.kicked_by is not None:
            self._close_at_kick(session, session.kicked_by)
        else:
            self._close(session, event, reason="joined_again", detail=None)

    def _close_at_kick(self, session: OpenSession, kick: SessionEvent) -> None:
        """End a session at the line that announces a kick: up to 1.5 no other line tells of the departure."""
        self._close(session, kick, reason="kicked", detail=text_of(kick, "reason"))

    def _close(self, session: OpenSession, event: SessionEvent, *, reason: CloseReason, detail: str | None) -> int:
        """Close *session* at *event*; return its place."""
        # a clock that was set back within the run must not make a session end before it began
        left_at = max(filter(None, (event.logged_at, session.joined_at, session.not_before)))
        ended_before = self._online.end_of(session.name)
        self._online.remove(session, ended_at=left_at)
        self._passed(left_at)
        return self._ended.close(session, event, at=left_at, reason=reason, detail=detail, ended_before=ended_before)


def _bound(upper: datetime | None, lower: datetime | None) -> datetime | None:
    """Return the upper bound, not before the lower one: a clock set back may show the next start earlier."""
    return upper if upper is None else max(filter(None, (upper, lower)))


def _turns_away(reason: str | None) -> bool:
    """Return whether *reason* is never given to somebody who plays; to be taken off the whitelist is."""
    said = reason or ""
    return (is_refusal(reason) and "listed" not in said.lower()) or said.startswith(_ALREADY_HERE)
