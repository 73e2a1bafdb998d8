"""A listed file with what its name tells, and the order in which such files were written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from pteroassets.sources.minecraft.places import LogName, read_name, unread_archive
from pteroassets.sources.pterodactyl.files import ListedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file of a log folder whose name is a log's."""

    file: ListedFile
    name: LogName

    @property
    def stat(self) -> tuple[int, datetime]:
        """What tells an unchanged file from one that was written since."""
        return self.file.size, self.file.modified_at

    @property
    def order(self) -> tuple[date, int, int, datetime]:
        """Sorts the closed files of a folder, the oldest first."""
        day = self.name.log_date or self.file.modified_at.date()
        return day, self.name.sequence or 0, -self.name.age, self.file.modified_at


def named_files(listing: Iterable[ListedFile], *, live: str | None) -> list[NamedFile]:
    """Return the logs of a folder: the closed ones from the oldest on, then those that grow."""
    named = [
        NamedFile(file=file, name=name) for file in listing if (name := read_name(file.name, live=live)) is not None
    ]
    return sorted(named, key=lambda one: (one.name.is_live, one.order))


def unread_archives(listing: Iterable[ListedFile], *, live: str | None) -> list[tuple[ListedFile, str]]:
    """Return the packed files of a folder that are not read, and why; none where one name alone counts."""
    if live is not None:
        return []
    return [(file, reason) for file in listing if (reason := unread_archive(file.path)) is not None]
