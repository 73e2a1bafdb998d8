"""A listed file with what its name tells, and the files of a server in the order in which they were written."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pteroassets.landing.minecraft.log_files import LogFile
from pteroassets.sources.minecraft.file_names import LogName, Numbered, collected_name, read_name, unread_archive
from pteroassets.sources.minecraft.ordering import Place, in_order
from pteroassets.sources.minecraft.state import ParserState
from pteroassets.sources.pterodactyl.files import ListedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file of a log folder whose name is a log's."""

    file: ListedFile
    name: LogName

    @property
    def size(self) -> int:
        """Its bytes, as listed."""
        return self.file.size

    @property
    def stat(self) -> tuple[int, datetime]:
        """What tells an unchanged file from one that was written since."""
        return self.file.size, self.file.modified_at

    @property
    def order(self) -> tuple[date, datetime, int]:
        """Sorts the closed files of a folder by what is known before they are read, the oldest first."""
        day = self.name.log_date or self.file.modified_at.date()
        return day, self.file.modified_at, -(self.name.age or 0)


def named_files(listing: Iterable[ListedFile], *, live: str | None) -> list[NamedFile]:
    """Return the logs of a folder: the closed ones from the oldest on, then those that grow."""
    named = [
        NamedFile(file=file, name=name)
        for file in listing
        if (name := collected_name(file.name, live=live)) is not None
    ]
    return sorted(named, key=lambda one: (one.name.is_live, one.order))


def unread_archives(listing: Iterable[ListedFile], *, live: str | None) -> list[tuple[ListedFile, str]]:
    """Return the packed files of a folder that are not read, and why; none where one name alone counts."""
    if live is not None:
        return []
    return [(file, reason) for file in listing if (reason := unread_archive(file.path)) is not None]


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


def named_of(file: LogFile) -> Numbered | None:
    """Return the day and the number among the files of that day which a file's name shows."""
    name = read_name(file.path)
    if file.log_sequence is None or file.log_date is None or name is None or name.named is None:
        return None
    return file.log_date, file.log_sequence
