"""What the files of one game are: how they are named, unpacked and dated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from pteroassets.landing.files.rows import StoredFile
from pteroassets.sources.outcomes import FileOutcome
from pteroassets.sources.pterodactyl.files import ListedFile


class FileName(Protocol):
    """What the name of a file tells."""

    @property
    def is_live(self) -> bool:
        """The server still writes to it."""

    @property
    def log_date(self) -> date | None:
        """Local day of its first line."""

    @property
    def sequence(self) -> int | None:
        """Its number among those of that day."""

    @property
    def age(self) -> int | None:
        """Of files that move up by one at each rotation, the number: the higher, the older."""


def _as_it_is(_name: str, raw: bytes, _is_live: bool) -> tuple[bytes, FileOutcome, str | None]:  # noqa: FBT001 - one of a kind's functions
    return raw, "ok" if raw else "empty", None


def _when_changed(file: ListedFile, _content: bytes) -> tuple[date, str]:
    return file.modified_at.date(), "modified_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """The files of one server, as functions; a game need not give more than what their names tell.

    Attributes:
        row: The type of a file's row.
        read_name: What the name of a file tells; None where it is not one of these.
        why_unread: Why a file that is not one of these by its path should perhaps be; None where it is another's.
        unpack: Of a name, fetched bytes and whether the file still grows: what it holds, its outcome, and the reason of
            one that is not ok.
        day_of: Of a file whose name does not tell it: the local day of the first line, and what tells it.
        first_at: When the first line of a file of this day was written, where a start can rename files.
        moves_names: Whether a start renames files, as known ones and their first lines show.
        means_other: Whether what was read of a file means something else once another source tells its day.
    """

    row: type[StoredFile] = StoredFile
    read_name: Callable[[str], FileName | None]
    why_unread: Callable[[str], str | None] = lambda _path: None
    unpack: Callable[[str, bytes, bool], tuple[bytes, FileOutcome, str | None]] = _as_it_is
    day_of: Callable[[ListedFile, bytes], tuple[date, str]] = _when_changed
    first_at: Callable[[date, bytes], datetime | None] = lambda _day, _content: None
    moves_names: Callable[[Iterable[tuple[StoredFile, datetime | None]]], bool] = lambda _files: False
    means_other: Callable[[StoredFile, str | None], bool] = lambda _known, _source: False
