"""The figures of one server, and of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from pteroassets.logtool.dating import seconds_between
from pteroassets.sources.minecraft.events import LineCounts
from pteroassets.sources.minecraft.history import PlayerSession

_OPEN = "open"
_INSTANT = timedelta(microseconds=1)
_HOUR = 3600
_LINES = tuple(field.name for field in fields(LineCounts))
_OF_EVERY_SERVER = (*_LINES, "files", "files_passed_over", "runs", "refused_entries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Figures of one server's files, or of all of them.

    Attributes:
        server: Its name; None for all of them.
        software: That the newest log names.
        is_proxy: Whether players pass through it to other servers.
        files: That were read.
        files_passed_over: That gave nothing of their own.
        lines: In the files that were read; the next four add up to it.
        understood: Lines that say something.
        ignored: Lines of a kind known to say nothing.
        unknown: Lines of no known kind.
        continuations: Lines that belong to the line before.
        runs: Lives of the process.
        players: Different ones.
        sessions: Of all players. For all servers those that proxies saw are left out where there are others, since
            these players were on the servers behind.
        sessions_by_close_reason: How many ended in which way; ``open`` ones did not end.
        refused_entries: How often a client with a name did not get in; of all servers, proxies included.
        fake_players: Different players made by a mod, with nobody behind them; they count nowhere else.
        sessions_without_length: Those whose length is in no way known; `hours_played` lacks them.
        hours_played: To the departure, or to the last moment at which somebody is known to have been there.
        peak_online: The most players at once on one server.
        peak_server: Which one that was.
        player_keys: UUIDs or names of the players.
        fake_names: Names of the fake players.
    """

    server: str | None
    software: str | None
    is_proxy: bool
    files: int
    files_passed_over: int
    lines: int
    understood: int
    ignored: int
    unknown: int
    continuations: int
    runs: int
    players: int
    sessions: int
    sessions_by_close_reason: Mapping[str, int]
    refused_entries: int
    fake_players: int
    sessions_without_length: int
    hours_played: float
    peak_online: int
    peak_server: str | None
    player_keys: frozenset[str]
    fake_names: frozenset[str]

    @property
    def share_known(self) -> float | None:
        """Of the lines that begin an entry, those of a known kind; None where there are none."""
        entries = self.lines - self.continuations
        return (self.understood + self.ignored) / entries if entries else None

    @classmethod
    def of_all(cls, servers: Sequence[Summary]) -> Summary:
        """Return the figures of all *servers* together."""
        counted = [server for server in servers if not server.is_proxy] or list(servers)
        if not any(server.sessions for server in counted):
            counted = list(servers)
        peak = max(counted, key=lambda server: server.peak_online, default=None)
        reasons: Counter[str] = Counter()
        for server in counted:
            reasons.update(server.sessions_by_close_reason)
        fake_names = frozenset[str]().union(*(server.fake_names for server in servers))
        keys = frozenset[str]().union(*(server.player_keys for server in counted))
        return cls(
            server=None,
            software=None,
            is_proxy=bool(servers) and all(server.is_proxy for server in servers),
            **{name: sum(getattr(server, name) for server in servers) for name in _OF_EVERY_SERVER},
            players=len(keys),
            sessions=sum(server.sessions for server in counted),
            sessions_by_close_reason=_most_first(reasons),
            fake_players=len(fake_names),
            sessions_without_length=sum(server.sessions_without_length for server in counted),
            hours_played=sum(server.hours_played for server in counted),
            peak_online=peak.peak_online if peak is not None else 0,
            peak_server=peak.server if peak is not None and peak.peak_online else None,
            player_keys=keys,
            fake_names=fake_names,
        )


def summarize(
    server: str,
    *,
    counts: Sequence[LineCounts],
    files_passed_over: int,
    software: str | None,
    is_proxy: bool,
    runs: int,
    sessions: Sequence[PlayerSession],
    refused_entries: int,
    fake_players: frozenset[str],
    first_at: datetime | None,
) -> Summary:
    """Return the figures of one server.

    Args:
        server: Its name.
        counts: Of the lines of each file that was read.
        files_passed_over: That gave nothing of their own.
        software: That the newest log names.
        is_proxy: Whether players pass through it to other servers.
        runs: Lives of the process.
        sessions: Of its players.
        refused_entries: How often a client with a name did not get in.
        fake_players: Names of those whom a mod made.
        first_at: The first line: whoever was online before it is so from there on.
    """
    lengths = [
        seconds_between(session.joined_at, session.left_at or session.left_at_lower or session.last_seen_at)
        for session in sessions
    ]
    uuids = {session.player_name: str(session.player_uuid) for session in sessions if session.player_uuid is not None}
    keys = frozenset(uuids.get(session.player_name, session.player_name) for session in sessions)
    peak = _peak(sessions, first_at)
    return Summary(
        server=server,
        software=software,
        is_proxy=is_proxy,
        files=len(counts),
        files_passed_over=files_passed_over,
        **{name: sum(getattr(each, name) for each in counts) for name in _LINES},
        runs=runs,
        players=len(keys),
        sessions=len(sessions),
        sessions_by_close_reason=_most_first(Counter(session.close_reason or _OPEN for session in sessions)),
        refused_entries=refused_entries,
        fake_players=len(fake_players),
        sessions_without_length=lengths.count(None),
        hours_played=sum(length for length in lengths if length is not None) / _HOUR,
        peak_online=peak,
        peak_server=server if peak else None,
        player_keys=keys,
        fake_names=fake_players,
    )


def _most_first(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _peak(sessions: Sequence[PlayerSession], first_at: datetime | None) -> int:
    """Return how many were online at once at most."""
    changes: list[tuple[datetime, int]] = []
    for session in sessions:
        end = session.left_at or session.left_at_lower or session.last_seen_at
        start = session.joined_at or first_at or end
        if start is None or end is None:
            continue
        changes += [(start, 1), (max(end, start + _INSTANT), -1)]
    online = peak = 0
    # whoever leaves in the second in which another enters makes room first
    for _, change in sorted(changes):
        online += change
        peak = max(peak, online)
    return peak
