"""Read logs from anywhere and say what they tell: files, runs, sessions and a summary; no database, no panel.

Path of the data::

    paths --finding--> histories --parsing--> events --dating--> instants --build_sessions--> Report
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pteroassets.logtool.columns import EventColumns
from pteroassets.logtool.dating import (
    DateRules,
    DateSource,
    FileDate,
    Timeline,
    dates_of,
    seconds_between,
    text_of,
)
from pteroassets.logtool.duplicates import without_duplicates
from pteroassets.logtool.finding import Candidate, Grouping, History, Problem, arrange, describe, find_files
from pteroassets.logtool.parsing import ParsedFile, parse_files
from pteroassets.logtool.summary import Summary, summarize
from pteroassets.logtool.unknown import UnknownTemplate, most_frequent
from pteroassets.sources.minecraft.events import BEFORE_A_START
from pteroassets.sources.minecraft.formats import is_proxy
from pteroassets.sources.minecraft.gaps import FileInHistory, gaps
from pteroassets.sources.minecraft.history import EndReason, FileOfEvents, PlayerSession, ServerRun, SessionEvent
from pteroassets.sources.minecraft.ordering import in_order
from pteroassets.sources.minecraft.reasons import CloseReason
from pteroassets.sources.minecraft.sessions import build_sessions
from pteroassets.sources.outcomes import READABLE, FileOutcome

Outcome = Literal[FileOutcome, "duplicate"]

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What came of one file."""

    path: str
    server: str
    outcome: Outcome
    reason: str | None  # of an outcome other than ok
    software: str | None
    game_version: str | None
    layout: str | None  # of the beginnings of its lines
    date: date | None  # local day of the first line
    date_source: DateSource | None
    first_at: str | None
    last_at: str | None
    gap_before: bool  # files between the one before and this are missing
    bytes: int  # unpacked
    lines: int
    understood: int
    ignored: int
    unknown: int
    continuations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """One life of a server's process."""

    server: str
    file: str  # in which it began
    started_line: int | None  # None where the start line is not among the files
    started_at: str | None
    ready_at: str | None
    ended_at: str | None
    ended_at_lower: str | None
    ended_at_upper: str | None
    how: EndReason | None  # None while it goes on
    seconds: float | None  # None where the log does not tell both ends
    seconds_at_least: float | None
    lines: int  # in all files that it wrote to
    software: str | None
    game_version: str | None
    startup_seconds: float | None
    crash_cause: str | None
    crash_report: str | None
    overload_warnings: int
    refused_entries: int
    fake_players: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport:
    """One player's time on one server, from the login to the departure."""

    server: str
    file: str  # of the line that shows the entry, else of the line that shows the departure
    player: str
    uuid: str | None
    joined_at: str | None
    left_at: str | None  # None where no line shows the departure; then see the bounds
    left_at_lower: str | None
    left_at_upper: str | None
    close_reason: CloseReason | None  # None while it is open
    reason_text: str | None
    joined_line: int | None
    left_line: int | None
    left_file: str | None
    last_seen_at: str | None
    seconds: float | None  # None where the log does not tell both ends
    seconds_at_least: float | None  # to the departure, its lower bound or the last line, whatever is known
    is_proxy: bool  # seen by a proxy: the same player is on a back-end at that time
    server_switches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that logs tell; *problems* are the paths that gave nothing."""

    files: tuple[FileReport, ...]
    runs: tuple[RunReport, ...]
    sessions: tuple[SessionReport, ...]
    event_counts: Mapping[str, Mapping[str, int]]
    servers: tuple[Summary, ...]
    summary: Summary
    unknown: tuple[UnknownTemplate, ...]
    problems: tuple[Problem, ...]


#: Is told how many bytes were read, and of how many; 0 where nobody can tell.
Progress = Callable[[int, int], None]


def parse_paths(
    paths: Sequence[str],
    *,
    grouping: Grouping = "by_name",
    dates: DateRules | None = None,
    unknown: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Report:
    """Return what the logs under *paths* tell.

    Args:
        paths: Of files and folders; ``-`` is the standard input.
        grouping: Which files are one server's history: those of one folder that are named as a server names its logs,
            or none, or all.
        dates: Where to take dates from that a log does not show.
        unknown: How many templates of unknown lines to list, most frequent first.
        jobs: How many processes to parse in, where there is enough to read; more than one needs a main module that
            can be imported.
        progress: Is told how far the reading is.
    """
    rules = dates if dates is not None else DateRules()
    found, problems = find_files(paths)
    candidates, parsed = _parse(found, grouping=grouping, unknown=unknown, jobs=jobs, progress=progress)
    told = [_tell(history, parsed, rules) for history in arrange(candidates, grouping=grouping)]
    servers = tuple(each.summary for each in told)
    by_path = {file.path: file for each in told for file in each.files}
    problems += _problems(paths, by_path.values(), told=[problem.path for problem in problems])
    return Report(
        files=tuple(by_path[candidate.path] for candidate in candidates),
        runs=tuple(run for each in told for run in each.runs),
        sessions=tuple(session for each in told for session in each.sessions),
        event_counts={
            candidate.path: parsed[candidate.path].events.counts()
            for candidate in candidates
            if by_path[candidate.path].outcome in READABLE
        },
        servers=servers,
        summary=Summary.of_all(servers),
        unknown=_unknown(candidates, parsed, by_path, limit=unknown),
        problems=tuple(problems),
    )


def _problems(paths: Sequence[str], files: Iterable[FileReport], *, told: Sequence[str]) -> list[Problem]:
    """Return the files that could not be read, and those of *paths* that gave nothing for another reason."""
    files = list(files)
    problems = [Problem(path=file.path, message=file.reason or "") for file in files if file.outcome == "unreadable"]
    told = [*told, *(problem.path for problem in problems)]
    for path in dict.fromkeys(paths):
        own = [file for file in files if file.path == path or file.path.startswith(f"{path.rstrip('/')}/")]
        gave = any(file.outcome == "duplicate" or (file.outcome in READABLE and file.lines > 0) for file in own)
        if gave or not own or any(other == path or other.startswith(f"{path.rstrip('/')}/") for other in told):
            continue
        message = own[0].reason or "it gave nothing"
        if len(own) > 1 or own[0].path != path:
            message = f"no server's log among its {len(own)} files; the first is {own[0].path}: {message}"
        problems.append(Problem(path=path, message=message))
    return problems


def _parse(
    candidates: Sequence[Candidate], *, grouping: Grouping, unknown: int, jobs: int, progress: Progress | None
) -> tuple[list[Candidate], dict[str, ParsedFile]]:
    """Return the files, with those that archives hold in their places, and what each came to, by path.

    Files that say the same as the log beside them are not read.
    """
    done, total = 0, sum(_size(candidate) for candidate in candidates)
    parsed: dict[str, ParsedFile] = {}
    places: dict[str, list[Candidate]] = {}

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    def read(files: Sequence[Candidate]) -> None:
        found = parse_files(files, jobs=jobs, list_unknown=unknown > 0, advanced=advance)
        for candidate, of_path in zip(files, found, strict=True):
            parsed.update(of_path)
            members = sorted(path for path in of_path if path != candidate.path)
            places[candidate.path] = [candidate] if candidate.path in of_path else []
            places[candidate.path] += [describe(path, below=candidate.path) for path in members]

    echoes = [candidate for candidate in candidates if candidate.is_echo and grouping != "separate"]
    read([candidate for candidate in candidates if candidate not in echoes and candidate.refused is None])
    spoken_for = {
        place.folder
        for read_here in places.values()
        for place in read_here
        if place.scheme in ("rotated", "server") and parsed[place.path].state.lines > 0
    }
    if grouping != "separate":
        # those in archives were read, since what follows is not known there
        for place in [place for read_here in places.values() for place in read_here]:
            if place.is_echo and place.folder in spoken_for and parsed[place.path].is_log:
                parsed[place.path] = ParsedFile(is_echo=True)
    read([echo for echo in echoes if echo.folder not in spoken_for and echo.refused is None])
    for candidate in candidates:
        if candidate.path not in places:
            places[candidate.path] = [candidate]
            parsed[candidate.path] = ParsedFile(refused=candidate.refused, is_echo=candidate.refused is None)
            advance(_size(candidate))
    return [place for candidate in candidates for place in places[candidate.path]], parsed


def _size(candidate: Candidate) -> int:
    path = Path(candidate.path)
    return path.stat().st_size if not candidate.is_stream and path.exists() else 0


def _unknown(
    candidates: Sequence[Candidate], parsed: Mapping[str, ParsedFile], files: Mapping[str, FileReport], *, limit: int
) -> tuple[UnknownTemplate, ...]:
    if limit == 0:
        return ()
    read = [file for file in candidates if files[file.path].outcome != "duplicate"]
    return most_frequent(
        [(file.path, parsed[file.path].unknown) for file in read],
        players={name for file in read for name in parsed[file.path].events.players()},
        limit=limit,
        readable_again={file.path for file in read if not file.is_stream},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What one history tells."""

    files: tuple[FileReport, ...]
    runs: tuple[RunReport, ...]
    sessions: tuple[SessionReport, ...]
    summary: Summary


class _Events(Sequence[SessionEvent]):
    """A file's events with their instants, made anew on each reading."""

    def __init__(self, key: str, rows: EventColumns, timeline: Timeline) -> None:
        self._key = key
        self._rows = rows
        self._timeline = timeline

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[SessionEvent]:
        for instant, row in self._timeline.instants(self._rows):
            yield SessionEvent(
                file_key=self._key,
                line_number=row.line_number,
                logged_at=instant,
                kind=row.kind,
                player=row.player,
                player_uuid=row.player_uuid,
                detail=row.detail,
            )

    def __getitem__(self, index: int) -> SessionEvent:  # type: ignore[override]
        # an event without a time is placed by those before it
        return list(self)[index]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A file that was read, in its history; *key* is its number there."""

    key: str
    candidate: Candidate
    parsed: ParsedFile
    day: FileDate | None
    timeline: Timeline
    gap_before: bool = False

    @property
    def log_date(self) -> date | None:
        return self.day.known if self.day is not None else None

    @property
    def begins_with_start(self) -> bool:
        kinds = (row.kind for row in self.parsed.events if row.kind != BEFORE_A_START)
        return next(kinds, None) == "server_start"


def _tell(history: History, parsed: Mapping[str, ParsedFile], rules: DateRules) -> _Told:
    zone = rules.zone if rules.zone is not None else _UTC
    worth = [
        (candidate, parsed[candidate.path])
        for candidate in history.files
        if parsed[candidate.path].is_log and parsed[candidate.path].content_bytes > 0
    ]
    worth, copies = without_duplicates(worth)
    worth = in_order(worth, lambda file: file[0].place(file[1].state.first, file[1].state.last), zone=rules.zone)
    read: list[_Read] = []
    for number, ((candidate, file), day) in enumerate(zip(worth, dates_of(worth, rules), strict=True)):
        before = read[-1] if read else None
        after = before.timeline.end(before.parsed.state.last) if before is not None else None
        timeline = Timeline(day, file, zone=rules.zone, place=number, after=after)
        read.append(_Read(key=str(number), candidate=candidate, parsed=file, day=day, timeline=timeline))
    unread = [candidate for candidate in history.files if parsed[candidate.path].unreadable is not None]
    read = _with_gaps(read, unread)
    build = build_sessions([_file_of(each) for each in read])
    teller = _Teller(history.name, read, zone)
    runs, sessions = teller.runs(build.runs), teller.sessions(build.sessions)
    files = tuple(
        _file_report(history.name, candidate, parsed[candidate.path], read, copies.get(candidate.path), zone)
        for candidate in history.files
    )
    first_at = next((at for each in read if (at := each.timeline.end(each.parsed.state.first)) is not None), None)
    return _Told(
        files=files,
        runs=runs,
        sessions=sessions,
        summary=summarize(
            history.name,
            counts=[each.parsed.state.counts for each in read],
            files_passed_over=len(history.files) - len(read),
            software=next((run.software for run in reversed(build.runs) if run.software is not None), None)
            or next((each.parsed.state.software for each in reversed(read) if each.parsed.state.software), None),
            is_proxy=any(run.is_proxy for run in build.runs)
            or any(is_proxy(each.parsed.state.software) for each in read),
            runs=len(runs),
            sessions=build.sessions,
            refused_entries=sum(run.refused_entries for run in build.runs),
            fake_players=build.fake_players,
            first_at=first_at,
        ),
    )


def _with_gaps(files: Sequence[_Read], unread: Sequence[Candidate]) -> list[_Read]:
    """Return *files* with what lies between each and the one before."""
    missing = gaps(
        [
            FileInHistory(
                log_date=file.log_date,
                named=file.candidate.named,
                first_at=file.timeline.end(file.parsed.state.first),
                is_whole=file.parsed.damage is None,
                begins_with_start=file.begins_with_start,
            )
            for file in files
        ],
        unread=[other.named for other in unread if other.named is not None],
    )
    return [
        dataclasses.replace(file, gap_before=is_missing or (before is not None and _has_gap(before, file)))
        for before, file, is_missing in zip([None, *files], files, missing, strict=False)
    ]


def _has_gap(before: _Read, file: _Read) -> bool:
    """Tell whether something is missing between two files without a day in their names."""
    is_hole = (
        before.candidate.scheme == file.candidate.scheme
        and before.candidate.age is not None
        and file.candidate.age is not None
        and before.candidate.age - file.candidate.age > 1
    )
    return is_hole or before.parsed.damage is not None


def _file_of(file: _Read) -> FileOfEvents:
    return FileOfEvents(
        file_key=file.key,
        first_line_at=file.timeline.end(file.parsed.state.first),
        last_line_at=file.timeline.end(file.parsed.state.last),
        events=_Events(file.key, file.parsed.events, file.timeline),
        gap_before=file.gap_before,
        is_proxy=is_proxy(file.parsed.state.software) is True,
    )


def _file_report(
    server: str, candidate: Candidate, parsed: ParsedFile, read: Sequence[_Read], copy_of: str | None, zone: ZoneInfo
) -> FileReport:
    own = next((each for each in read if each.candidate.path == candidate.path), None)
    outcome, reason = _outcome(parsed, copy_of)
    state = parsed.state
    return FileReport(
        path=candidate.path,
        server=server,
        outcome=outcome,
        reason=reason,
        software=state.software,
        game_version=state.game_version,
        layout=state.format_name,
        date=own.log_date if own is not None else None,
        date_source=own.day.source if own is not None and own.day is not None else None,
        first_at=text_of(own.timeline.end(state.first), zone) if own is not None else None,
        last_at=text_of(own.timeline.end(state.last), zone) if own is not None else None,
        gap_before=own is not None and own.gap_before,
        bytes=parsed.content_bytes,
        lines=state.counts.lines,
        understood=state.counts.understood,
        ignored=state.counts.ignored,
        unknown=state.counts.unknown,
        continuations=state.counts.continuations,
    )


def _outcome(parsed: ParsedFile, copy_of: str | None) -> tuple[Outcome, str | None]:
    if parsed.unreadable is not None:
        return "unreadable", parsed.unreadable
    if parsed.is_echo:
        return "duplicate", "the events of the log beside it once more, with more detail"
    if copy_of is not None:
        return "duplicate", f"all of it stands in {copy_of} too"
    if parsed.damage is not None:
        return "truncated", f"{parsed.damage}; what can be read of it was read"
    if parsed.content_bytes == 0 and parsed.refused in (None, "no text in it"):
        return "empty", "no text in it"
    if parsed.refused is not None:
        return "not_a_server_log", parsed.refused
    if parsed.state.first is None:
        return "no_times", "its lines show no time: sessions have line numbers only"
    if not parsed.state.has_times:
        return "ok", "some of its lines show no time: their sessions have line numbers only"
    return "ok", None


class _Teller:
    """Puts runs and sessions of one history into the words of the report."""

    def __init__(self, server: str, read: Sequence[_Read], zone: ZoneInfo) -> None:
        self._server = server
        self._files = {each.key: each for each in read}
        self._offsets: dict[str, int] = {}  # lines in the files before
        self._lines = 0
        for each in read:
            self._offsets[each.key] = self._lines
            self._lines += each.parsed.state.lines
        self._zone = zone
        self._last_line_at = read[-1].timeline.end(read[-1].parsed.state.last) if read else None

    def runs(self, runs: Sequence[ServerRun]) -> tuple[RunReport, ...]:
        starts = [self._start_of(run) for run in runs]
        ordered = sorted(zip(starts, runs, strict=True), key=lambda pair: pair[0])
        ends = [*(start for start, _ in ordered), self._lines][1:]
        return tuple(self._run(run, lines=end - start) for (start, run), end in zip(ordered, ends, strict=True))

    def sessions(self, sessions: Sequence[PlayerSession]) -> tuple[SessionReport, ...]:
        return tuple(self._session(session) for session in sorted(sessions, key=self._place_of))

    def _start_of(self, run: ServerRun) -> int:
        """Return how many lines of the history come before *run*."""
        key, _, line = run.run_key.partition(":")
        rows = self._files[key].parsed.events
        before = takewhile(lambda row: row.line_number < int(line), rows)
        is_first = all(row.kind == BEFORE_A_START for row in before)
        return self._offsets[key] + (0 if is_first else int(line) - 1)

    def _place_of(self, session: PlayerSession) -> int:
        key = session.join_file_key or session.leave_file_key or session.session_key.partition(":")[0]
        line = session.join_line_number or session.leave_line_number or int(session.session_key.partition(":")[2])
        return self._offsets[key] + line

    def _text(self, instant: datetime | None) -> str | None:
        return text_of(instant, self._zone)

    def _path(self, key: str | None) -> str | None:
        return self._files[key].candidate.path if key is not None else None

    def _run(self, run: ServerRun, *, lines: int) -> RunReport:
        key, _, line = run.run_key.partition(":")
        last_line_at = self._last_line_at if run.end_reason is None else None
        return RunReport(
            server=self._server,
            file=self._files[key].candidate.path,
            started_line=int(line) if run.started_at is not None else None,
            started_at=self._text(run.started_at),
            ready_at=self._text(run.ready_at),
            ended_at=self._text(run.ended_at),
            ended_at_lower=self._text(run.ended_at_lower),
            ended_at_upper=self._text(run.ended_at_upper),
            how=run.end_reason,
            seconds=seconds_between(run.started_at, run.ended_at),
            seconds_at_least=seconds_between(run.started_at, run.ended_at or run.ended_at_lower or last_line_at),
            lines=lines,
            software=run.software,
            game_version=run.game_version,
            startup_seconds=run.startup_seconds,
            crash_cause=run.crash_cause,
            crash_report=run.crash_report,
            overload_warnings=run.overload_warnings,
            refused_entries=run.refused_entries,
            fake_players=run.fake_players,
        )

    def _session(self, session: PlayerSession) -> SessionReport:
        file = self._path(session.join_file_key or session.leave_file_key or session.session_key.partition(":")[0])
        known_until = session.left_at or session.left_at_lower or session.last_seen_at
        return SessionReport(
            server=self._server,
            file=file or "",
            player=session.player_name,
            uuid=str(session.player_uuid) if session.player_uuid is not None else None,
            joined_at=self._text(session.joined_at),
            left_at=self._text(session.left_at),
            left_at_lower=self._text(session.left_at_lower),
            left_at_upper=self._text(session.left_at_upper),
            close_reason=session.close_reason,
            reason_text=session.close_detail,
            joined_line=session.join_line_number,
            left_line=session.leave_line_number,
            left_file=self._path(session.leave_file_key),
            last_seen_at=self._text(session.last_seen_at),
            seconds=seconds_between(session.joined_at, session.left_at),
            seconds_at_least=seconds_between(session.joined_at, known_until),
            is_proxy=session.is_proxy,
            server_switches=session.server_switches,
        )
