"""Parse the logs of a simulated world as the product does, and say how much of what happened was found.

Usage: python benchmarks/log_accuracy.py [--size tiny|sampler|demo|truth] [--seed N] [--days N]. Nothing but the parser
and the builder of sessions is at work: no panel and no database. A session counts as found where its server, player and
second of joining agree; as right where its end, its closing and its counts agree too. The exit status is 1 where a
figure is below 0.99.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pteroassets.simulator.logs.files import LogFile
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.simulator.true_rows import TrueRun, TrueSession
from pteroassets.simulator.world.software import HABITS
from pteroassets.sources.minecraft.dates import Stamper, date_of_live
from pteroassets.sources.minecraft.events import LogEvent
from pteroassets.sources.minecraft.history import FileOfEvents, PlayerSession, ServerRun, SessionBuild, SessionEvent
from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.minecraft.places import read_name
from pteroassets.sources.minecraft.sessions import build_sessions

LEAST = 0.99
ANCHOR = datetime(2026, 10, 28, 12, tzinfo=UTC)
"""Weeks back from here hold the night when clocks in Europe go back."""

_BLOCK_BYTES = 1 << 20
_OPEN = "open"

Key = tuple[Hashable, ...]


@dataclass(slots=True)
class Score:
    """How many are true, how many were found, and how many of both are the same."""

    true: int = 0
    found: int = 0
    right: int = 0

    @property
    def precision(self) -> float:
        """The share of the found that is true."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """The share of the true that was found."""
        return self.right / self.true if self.true else 1.0


@dataclass(slots=True)
class Comparison:
    """The scores of one kind of thing, by closing and by software; *wrong* are some of those that differ."""

    name: str
    by_closing: dict[str, Score] = field(default_factory=dict)
    by_software: dict[str, Score] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def total(self) -> Score:
        """The scores of all together."""
        scores = self.by_software.values()
        return Score(
            true=sum(score.true for score in scores),
            found=sum(score.found for score in scores),
            right=sum(score.right for score in scores),
        )

    def compare(self, true: Mapping[Key, Key], found: Sequence[tuple[Key, Key]], software: str) -> None:
        """Count what *found* has of *true*, by key; the first part of each value is its closing."""
        own = self.by_software.setdefault(software, Score())
        left = dict(true)
        for value in true.values():
            for score in (own, self._closing(value)):
                score.true += 1
        for key, value in found:
            for score in (own, self._closing(value)):
                score.found += 1
                score.right += left.get(key) == value
            if left.pop(key, None) != value:
                self.wrong.append(f"{software}: found {key} {value}, true {true.get(key)}")
        self.wrong += [f"{software}: missed {key} {value}" for key, value in left.items()]

    def _closing(self, value: Key) -> Score:
        return self.by_closing.setdefault(str(value[0]), Score())


def read_server(files: Iterable[LogFile], zone: ZoneInfo) -> SessionBuild:
    """Return what the product makes of a server's files."""
    read: list[FileOfEvents] = []
    after: datetime | None = None
    for number, file in enumerate(files):
        parser = LogParser()
        content = gzip.decompress(file.content) if file.is_compressed else file.content
        events: list[LogEvent] = []
        for start in range(0, len(content), _BLOCK_BYTES):
            events += parser.feed(content[start : start + _BLOCK_BYTES])
        events += parser.finish()
        state = parser.state
        named = read_name(file.name)
        modified_at = datetime.fromtimestamp(file.modified_at, UTC)
        day = named.log_date if named is not None else None
        date = day or state.first_date or date_of_live(modified_at, zone, state.day)
        stamper = Stamper(date, zone, after=after)
        first, after = (stamper.stamp(stamp)[0] if stamp is not None else None for stamp in (state.first, state.last))
        key = f"file{number}"
        read.append(
            FileOfEvents(
                file_key=key,
                first_line_at=first,
                last_line_at=after,
                is_live=file.is_live,
                events=list(_stamped(events, stamper, key)),
            )
        )
    return build_sessions(read)


def _stamped(events: Iterable[LogEvent], stamper: Stamper, key: str) -> Iterator[SessionEvent]:
    for event in events:
        if (stamp := event.stamp) is None:
            continue  # a line without any time has no place
        yield SessionEvent(
            file_key=key,
            line_number=event.line_number,
            logged_at=stamper.stamp(stamp)[0],
            kind=event.kind,
            player=event.player,
            player_uuid=event.player_uuid,
            detail=event.detail,
        )


def true_session(session: TrueSession) -> Key:
    """Return what is to be found of a session: an end counts once a reader of the log can know of it."""
    is_known = session.end_known_at is not None
    return (
        session.close_reason if is_known else _OPEN,
        session.left_at if is_known and session.is_end_observed else None,
        (session.chat_messages, session.commands, session.deaths, session.advancements, session.server_switches),
    )


def found_session(session: PlayerSession, true: TrueSession | None) -> Key:
    """Return the same of a session that was found; bounds that hold the true end are as good as it."""
    counts = (
        session.chat_messages, session.commands, session.deaths, session.advancements, session.server_switches,
    )  # fmt: skip
    left_at: object = session.left_at
    if left_at is None and true is not None and true.left_at is not None and session.close_reason is not None:
        lower, upper = session.left_at_lower, session.left_at_upper
        if not (lower is not None and lower <= true.left_at and (upper is None or true.left_at <= upper)):
            left_at = "outside of its bounds"
    return session.close_reason or _OPEN, left_at, counts


def true_run(run: TrueRun, *, is_end_known: bool) -> Key:
    """Return what is to be found of a run."""
    cause = run.crash_exception.split(":")[0] if run.crash_exception is not None else run.crash_cause
    return (
        run.end_reason if is_end_known else _OPEN,
        run.ready_at,
        (run.software, run.game_version, run.overload_warnings),
        (cause, run.crash_report) if is_end_known else None,
    )


def found_run(run: ServerRun, true: TrueRun | None) -> Key:
    """Return the same of a run that was found."""
    reason = run.end_reason or _OPEN
    if true is not None and true.ended_at is not None and run.end_reason is not None:
        lower, upper = run.ended_at_lower, run.ended_at_upper
        # the process lives a little longer than its last line
        if not (lower is not None and lower <= true.ended_at and (upper is None or true.ended_at <= upper)):
            reason = "outside of its bounds"
    return (
        reason,
        run.ready_at,
        (run.software, run.game_version, run.overload_warnings),
        (run.crash_cause, run.crash_report) if run.end_reason is not None else None,
    )


def _compare_sessions(
    comparison: Comparison, true: list[TrueSession], found: Iterable[PlayerSession], software: str
) -> None:
    by_key: dict[Key, TrueSession] = {(each.player_name, each.joined_at): each for each in true}
    comparison.compare(
        {key: true_session(each) for key, each in by_key.items()},
        [(key := (each.player_name, each.joined_at), found_session(each, by_key.get(key))) for each in found],
        software,
    )


def _compare_runs(comparison: Comparison, true: list[TrueRun], found: Iterable[ServerRun], software: str) -> None:
    by_key: dict[Key, TrueRun] = {(each.started_at,): each for each in true}
    comparison.compare(
        {
            # that a server was killed is known at its next start
            key: true_run(each, is_end_known=each.stopping_at is not None or each is not true[-1])
            for key, each in by_key.items()
        },
        [(key := (each.started_at,), found_run(each, by_key.get(key))) for each in found],
        software,
    )


def compare_world(world: World, at: datetime) -> tuple[Comparison, Comparison]:
    """Return the scores of sessions and of runs of *world* as of *at*."""
    sessions, runs = Comparison("sessions"), Comparison("runs")
    true_sessions: dict[str, list[TrueSession]] = {}
    true_runs: dict[str, list[TrueRun]] = {}
    for session in world.truth.sessions(at):
        true_sessions.setdefault(session.server_uuid, []).append(session)
    for run in world.truth.runs(at):
        true_runs.setdefault(run.server_uuid, []).append(run)
    second = int(at.timestamp())
    zones = world.log_timezones(at)
    for server in world.estate.servers(second):
        software = HABITS[server.software(second)].title
        if not software:
            continue
        build = read_server(world.log_files(server, second, with_deleted=True), ZoneInfo(zones[server.uuid]))
        _compare_sessions(sessions, true_sessions.get(server.uuid, []), build.sessions, software)
        _compare_runs(runs, true_runs.get(server.uuid, []), build.runs, software)
    return sessions, runs


def show(comparison: Comparison) -> bool:
    """Print the scores; tell whether each of them is good enough."""
    groups = (comparison.by_closing, comparison.by_software, {"all": comparison.total})
    is_good = True
    print(f"\n{comparison.name:26} {'true':>7} {'found':>7} {'right':>7} {'precision':>10} {'recall':>8}")
    for group in groups:
        for name, score in sorted(group.items()):
            is_good &= min(score.precision, score.recall) >= LEAST
            counts = f"{score.true:7} {score.found:7} {score.right:7}"
            print(f"  {name:24} {counts} {score.precision:10.4f} {score.recall:8.4f}")
    return is_good


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both tables; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=WorldSize, choices=list(WorldSize), default=WorldSize.TRUTH)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--days", type=float, default=14, help="length of the history")
    parser.add_argument("--wrong", type=int, default=0, metavar="N", help="show so many of what differs")
    wanted = parser.parse_args(arguments)
    world = World.create(wanted.seed, ANCHOR, wanted.size, timedelta(days=wanted.days))
    comparisons = compare_world(world, ANCHOR)
    is_good = True
    for comparison in comparisons:
        is_good &= show(comparison)
        for text in comparison.wrong[: wanted.wrong]:
            print(text)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
