"""Who is online while a log is read, and under which names.

Login and ``lost connection`` lines show the profile's name. Join and leave lines show the display name, which teams
and plugins change; it is mapped back by what stood beside it at the entry, or where it contains one online name as a
whole word. Names are never compared by how they begin.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from pteroassets.sources.minecraft.history import SessionEvent

_SAME_SECOND = timedelta(seconds=2)


@dataclass(slots=True, kw_only=True)
class OpenRun:
    """A run whose end was not read yet."""

    key: str
    started_at: datetime | None
    game_version: str | None = None
    ready_at: datetime | None = None
    startup_seconds: float | None = None
    stopped_at: datetime | None = None  # the first stop line
    crashed_at: datetime | None = None  # the first crash line
    last_departure_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class OpenSession:
    """A session whose end was not read yet."""

    key: str
    name: str
    player_uuid: UUID | None
    opened_at: datetime
    joined_at: datetime | None  # None: before the first known line
    join_file_key: str | None
    join_line_number: int | None
    has_login: bool
    run_started_at: datetime | None
    shown_as: str | None = None
    counts: Counter[str] = field(default_factory=Counter)

    def login(self, event: SessionEvent) -> None:
        """Take the login line of the entry that a join line opened: it is the one that proves it."""
        self.key = f"{event.file_key}:{event.line_number}"
        self.joined_at = max(event.logged_at, self.joined_at or event.logged_at)
        self.join_file_key, self.join_line_number = event.file_key, event.line_number
        self.has_login = True


@dataclass(slots=True, kw_only=True)
class Departure:
    """The first line of a pair; *index* is the place of the session that it closed, if it closed one."""

    kind: str
    names: set[str]
    at: datetime
    index: int | None


class Presence:
    """The players online since the last start line, or since the log or a gap in it."""

    def __init__(self) -> None:
        self._open: dict[str, OpenSession] = {}
        self._seen: set[str] = set()
        self._uuids: dict[str, UUID] = {}
        self._ended: dict[str, datetime] = {}
        self._shown: list[tuple[str, datetime]] = []  # join lines that no login line claimed yet
        self._departures: list[Departure] = []  # of the last seconds, their second line still to come
        self._counts_of_unknown: dict[str, Counter[str]] = {}

    def sessions(self) -> list[OpenSession]:
        """Return the open sessions in the order in which they were opened."""
        return list(self._open.values())

    def get(self, name: str) -> OpenSession | None:
        """Return the open session of the profile *name*."""
        return self._open.get(name)

    def find(self, shown: str | None) -> OpenSession | None:
        """Return the open session of whoever is shown as *shown*; None where that is nobody or not certain."""
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
        self._shown = [(name, at) for name, at in self._shown if event.logged_at - at <= _SAME_SECOND]
        if event.player is not None:
            self._shown.append((event.player, event.logged_at))

    def open(self, event: SessionEvent, name: str, *, has_login: bool, run_started_at: datetime | None) -> OpenSession:
        """Open the session of profile *name*."""
        # a clock that was set back must not make sessions overlap, or begin before their run
        joined_at = max(filter(None, (event.logged_at, self._ended.get(name), run_started_at)))
        session = OpenSession(
            key=f"{event.file_key}:{event.line_number}",
            name=name,
            player_uuid=event.player_uuid or self._uuids.get(name),
            opened_at=event.logged_at,
            joined_at=joined_at,
            join_file_key=event.file_key,
            join_line_number=event.line_number,
            has_login=has_login,
            run_started_at=run_started_at,
            shown_as=self._claim(name, event.logged_at) if has_login else name,
        )
        for other in self._open.values():
            if other.shown_as == name:
                other.shown_as = None  # it was this one's join line
        self._open[name] = session
        self._seen.add(name)
        self._counts_of_unknown.pop(name, None)
        return session

    def unknown(self, event: SessionEvent, *, run_started_at: datetime | None) -> OpenSession:
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
            counts=self._counts_of_unknown.pop(name, Counter()),
        )

    def is_new(self, event: SessionEvent) -> bool:
        """Tell whether no line has shown this player entering or departing yet."""
        return bool(event.player) and event.player not in self._seen

    def count(self, event: SessionEvent, *, may_be_unknown: bool) -> bool:
        """Count what a player did; tell whether somebody online did it."""
        session = self.find(event.player)
        if session is not None:
            session.counts[event.kind] += 1
        elif may_be_unknown and event.player is not None and self.is_new(event):
            self._counts_of_unknown.setdefault(event.player, Counter())[event.kind] += 1
        return session is not None

    def remove(self, session: OpenSession, *, ended_at: datetime) -> None:
        """Take a session that ended out of those that are open."""
        if self._open.get(session.name) is session:
            del self._open[session.name]
        self._ended[session.name] = ended_at
        self._seen.add(session.name)

    def departed(self, event: SessionEvent, session: OpenSession | None, *, index: int | None) -> None:
        """Note the first line of a departure, so that the second can be known for it."""
        names = {event.player or ""}
        if session is not None:
            names |= {session.name, session.shown_as or session.name}
        self._seen |= names
        self._departures.append(Departure(kind=event.kind, names=names, at=event.logged_at, index=index))

    def first_of_pair(self, event: SessionEvent, *, within: timedelta) -> Departure | None:
        """Return the departure whose second line *event* is, and forget it; None where it is a first one."""
        self._departures = [each for each in self._departures if event.logged_at - each.at <= within]
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
        recent = [shown for shown, shown_at in self._shown if at - shown_at <= _SAME_SECOND]
        own = [shown for shown in recent if shown == name] or [shown for shown in recent if _contains_word(shown, name)]
        claimed = own or (recent if len(recent) == 1 else [])
        if not claimed:
            return None
        self._shown = [(shown, shown_at) for shown, shown_at in self._shown if shown != claimed[0]]
        return claimed[0]


def _contains_word(text: str, word: str) -> bool:
    """Tell whether *text* has *word* between characters that no name holds."""
    return word in text and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None
