"""The values between a log's events and its sessions: what goes into `sessions.build_sessions` and what comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from pteroassets.sources.minecraft.reasons import CloseReason

EndReason = Literal["stopped", "crashed", "log_gap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEvent:
    """One recognised line of a server's log, with its instant."""

    file_key: str
    line_number: int
    logged_at: datetime
    kind: str
    player: str | None = None
    player_uuid: UUID | None = None
    detail: Mapping[str, str | int | float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOfEvents:
    """One file's events in line order; *gap_before*: files between the one before and this are missing.

    *is_proxy*: a proxy wrote it, as far as the file shows by itself.
    """

    file_key: str
    first_line_at: datetime | None  # None where no line shows a time
    last_line_at: datetime | None
    events: Sequence[SessionEvent]
    is_live: bool = False
    gap_before: bool = False
    is_proxy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerSession:
    """One session: the columns of ``derived_minecraft.player_sessions``, without the server."""

    session_key: str
    player_name: str
    player_uuid: UUID | None
    joined_at: datetime | None
    left_at: datetime | None
    left_at_lower: datetime | None
    left_at_upper: datetime | None
    close_reason: CloseReason | None
    close_detail: str | None
    is_join_observed: bool
    is_end_observed: bool
    join_file_key: str | None
    join_line_number: int | None
    leave_file_key: str | None
    leave_line_number: int | None
    run_started_at: datetime | None
    last_seen_at: datetime | None
    chat_messages: int
    commands: int
    deaths: int
    advancements: int
    is_proxy: bool  # of a proxy: from the first back-end to the client's departure
    server_switches: int  # changes of the back-end, of a proxy's session


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRun:
    """One run: the columns of ``derived_minecraft.server_runs``, without the server."""

    run_key: str
    started_at: datetime | None
    ready_at: datetime | None
    startup_seconds: float | None
    ended_at: datetime | None
    ended_at_lower: datetime | None
    ended_at_upper: datetime | None
    end_reason: EndReason | None
    game_version: str | None
    software: str | None
    crash_cause: str | None  # the exception that is named, else crash_report, exception or watchdog
    crash_report: str | None  # name of its file
    overload_warnings: int
    is_proxy: bool | None  # None where nothing names the software
    refused_entries: int  # of clients with a name that did not get in
    fake_players: int  # different ones: made by a mod, with nobody behind them; they have no sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionBuild:
    """What a server's events come to; sessions in the order in which they ended, open ones last."""

    sessions: tuple[PlayerSession, ...]
    runs: tuple[ServerRun, ...]
    fake_players: frozenset[str] = frozenset()  # their names
