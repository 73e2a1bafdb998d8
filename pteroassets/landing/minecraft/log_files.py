"""The tables of log files, and a server's files in the order in which they were written."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from pteroassets.landing.files.rows import FileTables, StoredFile
from pteroassets.sources.minecraft.file_names import Numbered, read_name
from pteroassets.sources.minecraft.ordering import Place, in_order
from pteroassets.sources.minecraft.state import ParserState

FILES: Final = "raw_minecraft.log_files"
READS: Final = "raw_minecraft.log_reads"
EVENTS: Final = "raw_minecraft.events"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFile(StoredFile):
    """A row of ``raw_minecraft.log_files``: what is known of a file, and what its lines told."""

    parsed_lines: int = 0
    parser_state: dict[str, Any] | None = None
    parser_version: str | None = None
    lines_understood: int = 0
    lines_ignored: int = 0
    lines_unknown: int = 0
    lines_continuation: int = 0
    software: str | None = None
    is_proxy: bool | None = None
    game_version: str | None = None
    layout: str | None = None
    first_line_at: datetime | None = None
    last_line_at: datetime | None = None
    neighbours: str | None = None


LOGS: Final = FileTables(row=LogFile, files=FILES, reads=READS, content=(EVENTS,))


def in_order_by_instants(files: Iterable[LogFile]) -> list[LogFile]:
    """Return parsed files of one server in the order in which they were written."""
    return in_order(files, lambda file: _place(file, file.first_line_at))


def in_order_by_stamps(
    files: Iterable[LogFile], state_of: Callable[[LogFile], ParserState | None], *, zone: ZoneInfo
) -> list[LogFile]:
    """Return files of one server in the order in which they were written, as far as it matters to their instants.

    Args:
        files: Parsed or not.
        state_of: Tells what a file's first and last lines are; None where that does not matter.
        zone: In which they are written.
    """

    def place(file: LogFile) -> Place:
        state = state_of(file)
        if state is None or state.first is None or file.log_date is None:
            return _place(file, None)
        first = state.first
        day = first.dated if first.dated is not None else file.log_date
        shown = datetime.combine(day, time()) + timedelta(seconds=first.seconds)
        return dataclasses.replace(_place(file, shown), day=day, last=state.last)

    return in_order(files, place, zone=zone)


def _place(file: LogFile, first_at: datetime | None) -> Place:
    return Place(
        is_live=file.is_live,
        day=first_at.date() if first_at is not None else file.log_date,
        first_at=first_at,
        named=named_of(file),
        name=file.file_key,
    )


def named_of(file: StoredFile) -> Numbered | None:
    """Return the day and the number among the files of that day which a file's name shows."""
    name = read_name(file.path)
    if file.log_sequence is None or file.log_date is None or name is None or name.named is None:
        return None
    return file.log_date, file.log_sequence
