"""Which files of a server's history are missing, as the names of their neighbours tell."""

from __future__ import annotations

from datetime import date
from typing import Protocol


class FileInHistory(Protocol):
    """What a neighbour must show: its day, its number among those of that day, and what came of reading it."""

    @property
    def log_date(self) -> date | None:
        """Local day of its first line."""

    @property
    def log_sequence(self) -> int | None:
        """The number in its name; None for a file without one."""

    @property
    def outcome(self) -> str:
        """``truncated`` where its end could not be read."""


def is_gap(before: FileInHistory, file: FileInHistory, *, begins_with_start: bool) -> bool:
    """Tell whether files between these two neighbours are missing.

    Files of one day are numbered from 1 without holes, so a hole is a missing file; a number above 1 right after a file
    of an earlier day misses the first ones. A file that does not begin with a start line was closed at midnight, so the
    one before it is of the day before; a cut archive misses its end.
    """
    if before.log_date is None or file.log_date is None:
        return False
    if before.outcome == "truncated":
        return True
    if file.log_sequence is not None:
        if file.log_date == before.log_date and before.log_sequence is not None:
            return file.log_sequence > before.log_sequence + 1
        if file.log_date > before.log_date and file.log_sequence > 1:
            return True
    return not begins_with_start and (file.log_date - before.log_date).days > 1
