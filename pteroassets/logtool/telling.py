"""What one server's files tell: its runs and sessions, in the words of the report."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile
from zoneinfo import ZoneInfo

from pteroassets.logtool.columns import EventColumns
from pteroassets.logtool.dating import DateRules, FileDate, Timeline, dates_of, seconds_between, text_of
from pteroassets.logtool.duplicates import without_duplicates
from pteroassets.logtool.finding import Candidate, History
from pteroassets.logtool.parsing import ParsedFile
from pteroassets.logtool.rows import FileReport, Outcome, RunReport, SessionReport
from pteroassets.logtool.summary import Summary, summarize
from pteroassets.sources.minecraft.events import BEFORE_A_START
from pteroassets.sources.minecraft.formats import is_proxy
from pteroassets.sources.minecraft.history import FileOfEvents, PlayerSession, ServerRun, SessionEvent
from pteroassets.sources.minecraft.ordering import FileInHistory, gaps, in_order
from pteroassets.sources.minecraft.sessions import build_sessions

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
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


def tell(history: History, parsed: Mapping[str, ParsedFile], rules: DateRules) -> Told:
    """Return what one history tells, whose files came to what is in *parsed*."""
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
    return Told(
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
    """Return whether something is missing between two files without a day in their names."""
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
