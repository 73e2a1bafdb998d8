"""Who is online while a log is read, and under which names.

Login and ``lost connection`` lines show the profile's name. Join and leave lines show the display name, which teams
and plugins change; it is mapped back by what stood beside it at the entry, or where it contains one online name as a
whole word. Names are never compared by how they begin.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pteroassets.sources.minecraft.history import SessionEvent
from pteroassets.sources.minecraft.open_sessions import OpenSession, text_of
from pteroassets.sources.minecraft.reasons import CloseReason, close_reason

_SAME_SECOND = timedelta(seconds=2)
KICK = timedelta(seconds=5)  # from the announcement of a kick to the departure
CONNECT = timedelta(seconds=60)  # from a client's arrival or departure at a proxy to what its back-end says of it
_NOT_TAKEN = re.compile(r"Kicked whilst connecting to |Unable to connect (?:you )?to ")


@dataclass(slots=True, kw_only=True)
class Departure:
    """The first line of a pair; *index* is the place of the session that it closed, if it closed one."""

    kind: str
    names: set[str]
    at: datetime
    index: int | None


@dataclass(slots=True, kw_only=True)
class Refusal:
    """A login that was turned away; over mods, so late that departure lines follow as after an entry."""

    is_of_mods: bool
    at: datetime


@dataclass(slots=True, kw_only=True)
class Kick:
    """An announcement that a player is being kicked; the departure follows."""

    reason: str | None
    at: datetime


class Presence:
    """The players online since the last start line, or since the log or a gap in it.

    Within that nobody's session begins before the last one of the same player ended, even if the clock says so.

    Args:
        fakes: Names of the fake players who may be there.
    """

    def __init__(self, *, fakes: Iterable[str] = ()) -> None:
        self._open: dict[str, OpenSession] = {}
        self._seen: set[str] = set()
        self._uuids: dict[str, UUID] = {}
        self._ended: dict[str, datetime] = {}  # when the last session of each player ended
        self._entries: set[tuple[datetime, str, int]] = set()  # login lines: instant, player, entity id
        self._renamed: dict[str, str] = {}  # new name to old one, until the entry
        self._kicks: dict[str, Kick] = {}
        self._refusals: dict[str, Refusal] = {}
        self._shown: list[tuple[str, datetime]] = []  # join lines that no login line claimed yet
        self._departures: list[Departure] = []  # of the last seconds, their second line still to come
        self._counts_of_unknown: dict[str, Counter[str]] = {}
        self._arrivals: dict[str, datetime] = {}  # of a proxy's clients that are on no back-end yet
        self._gone: dict[str, datetime] = {}  # those that went before they were on one
        self._fakes: set[str] = set(fakes)

    def sessions(self) -> list[OpenSession]:
        """Return the open sessions in the order in which they were opened."""
        return list(self._open.values())

    def get(self, name: str) -> OpenSession | None:
        """Return the open session of the profile *name*."""
        return self._open.get(name)

    def find(self, shown: str | None) -> OpenSession | None:
        """Return the open session of the player shown as *shown*; None if there is none or it is not certain."""
        if shown is None:
            return None
        if shown in self._open:
            return self._open[shown]
        if shown in self._seen:
            return None  # a profile's name, of somebody who is not online
        found = [session for session in self._open.values() if session.shown_as == shown]
        found = found or [session for name, session in self._open.items() if _contains_word(shown, name)]
        return found[0] if len(found) == 1 else None

    def unnamed_since(self, instant: datetime) -> OpenSession | None:
        """Return the one session opened by a login line since *instant* whose join line has not come."""
        found = [
            session
            for session in self._open.values()
            if session.has_login and session.shown_as is None and session.opened_at >= instant
        ]
        return found[0] if len(found) == 1 else None

    def is_repeated(self, event: SessionEvent) -> bool:
        """Return whether this very login line was read before: no two entries of a run share an entity id.

        Some set-ups write each line twice, and the same event may stand in two files.
        """
        entity = (event.detail or {}).get("entity_id")
        if not isinstance(entity, int):
            return False
        entry = (event.logged_at, event.player or "", entity)
        if entry in self._entries:
            return True
        self._entries.add(entry)
        return False

    def take_other(self, name: str, player_uuid: UUID | None) -> OpenSession | None:
        """Return the open session, under another name, of the account that enters as *name*."""
        old = self._open.get(self._renamed.pop(name, ""))
        account = player_uuid or self._uuids.get(name)
        for other in self._open.values():
            # the nil UUID is what some proxies and plugins put where they know none
            if other.name != name and account is not None and account.int and other.player_uuid == account:
                return other
        return old if old is not None and (old.player_uuid is None or account in (None, old.player_uuid)) else None

    def renamed(self, name: str, formerly: str) -> None:
        """Record that the player *name* was known as *formerly*; the account stays the same."""
        self._renamed[name] = formerly
        account = self._uuids.setdefault(name, self._uuids[formerly]) if formerly in self._uuids else None
        session = self._open.get(name)
        if session is not None and session.player_uuid is None:
            session.player_uuid = account

    def kicked(self, event: SessionEvent, reason: str | None) -> None:
        """Record that a player is being kicked."""
        session = self.find(event.player)
        name = session.name if session is not None else event.player or ""
        self._kicks[name] = Kick(reason=reason, at=event.logged_at)
        if session is not None and not session.is_proxy:  # whom a back-end kicks, a proxy may take elsewhere
            session.kicked_by = event

    def arrived(self, event: SessionEvent) -> None:
        """Note that a proxy's client is there; the first back-end follows, or came just before in the log."""
        if event.player is None:
            return
        session = self._open.get(event.player)
        if session is not None and not session.was_announced:
            session.was_announced = abs(event.logged_at - session.opened_at) <= _SAME_SECOND
            if session.was_announced:
                return
        self._arrivals[event.player] = event.logged_at
        self._gone.pop(event.player, None)

    def arrived_since(self, name: str, instant: datetime) -> bool:
        """Return whether a client of *name* arrived since *instant* that is on no back-end yet."""
        return name in self._arrivals and self._arrivals[name] >= instant

    def goes_unseen(self, name: str, at: datetime) -> bool:
        """Note a departure that ends no session of *name*; tell whether it is that of a client that arrived."""
        if self._arrivals.pop(name, None) is None:
            return False
        self._gone[name] = at
        self._seen.add(name)
        return True

    def gone_since(self, name: str, instant: datetime) -> bool:
        """Return whether the last client of *name* went since *instant* without having been on a back-end."""
        return name in self._gone and self._gone[name] >= instant

    def stays(self, name: str) -> None:
        """Forget that *name* was being kicked: a proxy's player is on another back-end now, or here again."""
        self._kicks.pop(name, None)
        if name in self._open:
            self._open[name].kicked_by = None

    def kick_of(self, name: str, at: datetime) -> Kick | None:
        """Return the announcement that the departure of *name* follows, if there was one."""
        kick = self._kicks.get(name)
        return kick if kick is not None and abs(at - kick.at) <= KICK else None

    def is_told_so(self, session: OpenSession, text: str | None, at: datetime) -> bool:
        """Return whether a proxy's client is told that its only back-end, by name, did not take it.

        The lines of the connection say so without any text; they are what lacks where a log is cut or filtered.
        """
        kick = self.kick_of(session.name, at)
        said = text or (kick.reason if kick is not None else None) or ""
        only = session.in_flight if len(session.connects) == 1 else None
        if only is None or at - only.logged_at > CONNECT or (prefix := _NOT_TAKEN.match(said)) is None:
            return False
        return said[prefix.end() :].startswith(text_of(only, "server") or "?")

    def why(self, name: str, text: str | None, at: datetime) -> tuple[CloseReason, str | None]:
        """Return how a departure closes by what its lines say, and the reason to show.

        What announced a kick comes before a line that says nothing.
        """
        reason = close_reason(text)
        kick = self.kick_of(name, at)
        if kick is None or reason != "left":
            return reason, text
        announced = close_reason(kick.reason)
        return announced if announced == "timed_out" else "kicked", kick.reason or text

    def refused(self, event: SessionEvent) -> None:
        """Note that somebody was turned away at the login."""
        if event.player is not None:
            is_of_mods = (event.detail or {}).get("cause") == "mods"
            self._refusals[event.player] = Refusal(is_of_mods=is_of_mods, at=event.logged_at)

    def refusal_of(self, name: str, at: datetime) -> Refusal | None:
        """Return the refusal of the last seconds that a departure of *name* may belong to."""
        refusal = self._refusals.get(name)
        return refusal if refusal is not None and abs(at - refusal.at) <= _SAME_SECOND else None

    def learn(self, event: SessionEvent) -> None:
        """Note the UUID of the player who is about to enter."""
        if event.player is None or event.player_uuid is None:
            return
        self._uuids[event.player] = event.player_uuid
        session = self._open.get(event.player)
        if session is not None and session.player_uuid is None:
            session.player_uuid = event.player_uuid

    def shown(self, event: SessionEvent) -> None:
        """Note a join line, whose login line may follow."""
        self._shown = [(name, at) for name, at in self._shown if abs(event.logged_at - at) <= _SAME_SECOND]
        if event.player is not None:
            self._shown.append((event.player, event.logged_at))

    def open(
        self,
        event: SessionEvent,
        name: str,
        *,
        has_login: bool,
        run_started_at: datetime | None,
        is_proxy: bool,
    ) -> OpenSession:
        """Open the session of profile *name*."""
        # a clock that was set back within a run must not make its sessions overlap, or begin before it
        not_before = self._not_before(name, run_started_at)
        session = OpenSession(
            key=f"{event.file_key}:{event.line_number}",
            name=name,
            player_uuid=event.player_uuid or self._uuids.get(name),
            opened_at=event.logged_at,
            joined_at=max(filter(None, (event.logged_at, not_before))),
            join_file_key=event.file_key,
            join_line_number=event.line_number,
            has_login=has_login,
            run_started_at=run_started_at,
            not_before=not_before,
            is_proxy=is_proxy,
            shown_as=self._claim(name, event.logged_at) if has_login else name,
            was_announced=name in self._arrivals,
        )
        for other in self._open.values():
            if other.shown_as == name:
                other.shown_as = None  # it was this one's join line
        self._open[name] = session
        self._seen.add(name)
        self._arrivals.pop(name, None)
        self.stays(name)
        self._counts_of_unknown.pop(name, None)
        return session

    def unknown(self, event: SessionEvent, *, run_started_at: datetime | None, is_proxy: bool) -> OpenSession:
        """Return the session, opened before the first known line, of somebody who is seen to depart."""
        name = event.player or ""
        return OpenSession(
            key=f"{event.file_key}:{event.line_number}",
            name=name,
            player_uuid=event.player_uuid or self._uuids.get(name),
            opened_at=event.logged_at,
            joined_at=None,
            join_file_key=None,
            join_line_number=None,
            has_login=False,
            run_started_at=run_started_at,
            not_before=self._not_before(name, run_started_at),
            is_proxy=is_proxy,
            counts=self._counts_of_unknown.pop(name, Counter()),
        )

    def _not_before(self, name: str, run_started_at: datetime | None) -> datetime | None:
        return max(filter(None, (self._ended.get(name), run_started_at)), default=None)

    def is_new(self, event: SessionEvent) -> bool:
        """Return whether no line has shown this player entering or departing yet."""
        return bool(event.player) and event.player not in self._seen

    def count(self, event: SessionEvent, *, may_be_unknown: bool) -> bool:
        """Count what a player did; tell whether somebody online did it."""
        session = self.find(event.player)
        if session is not None:
            session.counts[event.kind] += 1
            session.kicked_by = None
        elif may_be_unknown and event.player is not None and self.is_new(event):
            self._counts_of_unknown.setdefault(event.player, Counter())[event.kind] += 1
        return session is not None

    def remove(self, session: OpenSession, *, ended_at: datetime) -> None:
        """Take a session that ended out of those that are open."""
        if self._open.get(session.name) is session:
            del self._open[session.name]
        self._ended[session.name] = ended_at
        self._seen.add(session.name)

    def withdraw(self, session: OpenSession) -> None:
        """Take out a session that was none; when the player's last one ended stays as it was."""
        if self._open.get(session.name) is session:
            del self._open[session.name]

    def withdraw_ended(self, name: str, *, ended_before: datetime | None) -> None:
        """Take out a session that ended and then turned out to have been none."""
        self._ended.pop(name, None)
        if ended_before is not None:
            self._ended[name] = ended_before

    def end_of(self, name: str) -> datetime | None:
        """Return when the last session of *name* ended."""
        return self._ended.get(name)

    def ended_since(self, name: str | None, instant: datetime) -> bool:
        """Return whether the last session of *name* ended since *instant*."""
        return name in self._ended and self._ended[name] >= instant

    def fake_entered(self, name: str) -> None:
        """Note that a fake player is there."""
        self._fakes.add(name)
        self._seen.add(name)
        self._shown = [(shown, at) for shown, at in self._shown if shown != name]

    def fakes(self) -> frozenset[str]:
        """Return the names of the fake players who are there."""
        return frozenset(self._fakes)

    def fake_of(self, shown: str | None) -> str | None:
        """Return the fake player who is shown as *shown*; None where that is somebody else."""
        if shown is None or not self._fakes or self.find(shown) is not None:
            return None
        if shown in self._fakes:
            return shown
        found = [name for name in self._fakes if _contains_word(shown, name)]
        return found[0] if len(found) == 1 else None

    def fake_left(self, name: str) -> None:
        """Note that a fake player is gone, or that it was a player."""
        self._fakes.discard(name)

    def turned_away(self, event: SessionEvent) -> None:
        """Note the first departure line of somebody who never entered, so that the second can be known for it."""
        self._departures.append(Departure(kind=event.kind, names={event.player or ""}, at=event.logged_at, index=None))

    def departed(self, event: SessionEvent, session: OpenSession | None, *, index: int | None) -> None:
        """Note the first line of a departure, so that the second can be known for it."""
        names = {event.player or ""}
        if session is not None:
            names |= {session.name, session.shown_as or session.name}
        self._seen |= names
        self._departures.append(Departure(kind=event.kind, names=names, at=event.logged_at, index=index))

    def first_of_pair(self, event: SessionEvent, *, within: timedelta) -> Departure | None:
        """Return the departure whose second line *event* is, and forget it; None where it is a first one."""
        self._departures = [each for each in self._departures if abs(event.logged_at - each.at) <= within]
        shown = event.player or ""
        for departure in self._departures:
            is_same = shown in departure.names or (
                shown not in self._open and any(_contains_word(shown, name) for name in departure.names)
            )
            if departure.kind != event.kind and is_same:
                self._departures.remove(departure)
                return departure
        return None

    def _claim(self, name: str, at: datetime) -> str | None:
        """Return the display name of the join line just before the login line of *name*."""
        recent = [shown for shown, shown_at in self._shown if abs(at - shown_at) <= _SAME_SECOND]
        own = [shown for shown in recent if shown == name] or [shown for shown in recent if _contains_word(shown, name)]
        claimed = own or (recent if len(recent) == 1 else [])
        if not claimed:
            return None
        self._shown = [(shown, shown_at) for shown, shown_at in self._shown if shown != claimed[0]]
        return claimed[0]


def _contains_word(text: str, word: str) -> bool:
    """Return whether *text* has *word* between characters that no name holds."""
    return word in text and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None
