"""The rows of a report: one for each file, run and session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pteroassets.logtool.dating import DateSource
from pteroassets.logtool.finding import Problem
from pteroassets.logtool.summary import Summary
from pteroassets.logtool.unknown import UnknownTemplate
from pteroassets.sources.minecraft.history import EndReason
from pteroassets.sources.minecraft.reasons import CloseReason
from pteroassets.sources.outcomes import FileOutcome

Outcome = Literal[FileOutcome, "duplicate"]


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
