"""One server's folder: which of its files are known, which have to be fetched, and what they turn out to be.

A file that grows is later closed under another name with the same first bytes; names shift when old files are deleted
or numbered anew. So a file keeps its key for as long as its content continues what is known of it, and a name only says
where to look. What names mean, and what tells the day of a file, a game's `FileKind` says.
"""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from pteroassets.landing.files.kinds import FileKind, FileName
from pteroassets.landing.files.rows import FileRead, StoredFile
from pteroassets.landing.files.store import LogStore
from pteroassets.sources.outcomes import READABLE, FileOutcome, ReadOutcome, Unanswered
from pteroassets.sources.pterodactyl.errors import (
    FileTooLargeError,
    NodeUnreachableError,
    PanelError,
    RateLimitedError,
    StateConflictError,
)
from pteroassets.sources.pterodactyl.files import ListedFile

#: As many bytes of a file's beginning as may hold its first line.
HEAD_BYTES = 64 * 1024
_STEP_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file of a folder whose name is one of its kind."""

    file: ListedFile
    name: FileName

    @property
    def size(self) -> int:
        """Return its bytes, as listed."""
        return self.file.size

    @property
    def stat(self) -> tuple[int, datetime]:
        """Return what differs between an unchanged file and one written since."""
        return self.file.size, self.file.modified_at

    @property
    def order(self) -> tuple[bool, date, datetime, int]:
        """Sorts the files of a folder by what is known before they are read: the oldest first, those that grow last."""
        day = self.name.log_date or self.file.modified_at.date()
        return self.name.is_live, day, self.file.modified_at, -(self.name.age or 0)


class Access(Protocol):
    """How one server's files are read."""

    @property
    def note(self) -> str | None:
        """Return why files are not read in the way the operator asked for; None if they are."""

    def list(self) -> Sequence[ListedFile]:
        """Return the regular files of the log folder."""

    def fetch(self, file: ListedFile) -> bytes:
        """Return the bytes of one of these files."""


@dataclass(slots=True)
class Collected:
    """The result of one step at a server, before it is written."""

    reads: list[FileRead] = field(default_factory=list)
    saved: dict[str, StoredFile] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    done_bytes: int = 0


class ServerFolder:
    """One pass over one server's folder, in steps that are landed one by one.

    Args:
        server_uuid: The server whose folder it is.
        now: When the pass began.
        kind: What its files are.
        known: The server's known files.
        listing: What is in the folder now.
        access: Reads the files.
        store: Where their bytes are kept.
        reload_dates: Files of these dates are fetched even if unchanged.
    """

    def __init__(
        self,
        *,
        server_uuid: uuid.UUID,
        now: datetime,
        kind: FileKind,
        known: Iterable[StoredFile],
        listing: Sequence[ListedFile],
        access: Access,
        store: LogStore,
        reload_dates: frozenset[date],
    ) -> None:
        self.server_uuid = server_uuid
        self._now = now
        self._kind = kind
        self._access = access
        self._store = store
        self._reload_dates = reload_dates
        self._rows = {file.file_key: file for file in known}
        self._lives = {file.path: file.file_key for file in self._rows.values() if file.is_live}
        self._current: set[str] = set()  # keys of live files that are unchanged
        self._seen: set[str] = set()
        self._fetched: dict[str, datetime | None] = {}  # first lines of the closed files that were fetched, by key
        self._ended: set[str] = set()  # keys of live files whose name another file took in this pass
        self._read: set[str] = set()  # paths whose listed state is known
        self._stop: tuple[Unanswered, str] | None = None  # why no more requests are sent in this pass
        self._collected = Collected()
        self._files = self._named(listing)
        self._others = [(file, why) for file in listing if (why := kind.why_unread(file.path)) is not None]
        self._compare_stats()
        self.forced: list[NamedFile] = []
        self.urgent: list[NamedFile] = []
        self.archives: list[NamedFile] = []
        self._left: list[NamedFile] = []
        self._first: list[NamedFile] = []
        self._rest: deque[NamedFile] = deque()
        self._is_first_step = True
        self._survey()

    # ------------------------------------------------------------------ before anything is fetched

    @property
    def files_present(self) -> int:
        """Return how many logs are in the folder."""
        return len(self._files)

    @property
    def live_fetched_at(self) -> datetime | None:
        """Return when a live file was last fetched; None if none is known."""
        return max((self._rows[key].fetched_at for key in self._lives.values()), default=None)

    def plan(self, first: Sequence[NamedFile], rest: Sequence[NamedFile], *, left: Sequence[NamedFile]) -> None:
        """Set what to fetch, in which order, and what to leave to a later pass."""
        self._first = sorted(first, key=lambda named: not named.name.is_live)
        self._rest = deque(rest)
        self._left = list(left)

    def _named(self, listing: Iterable[ListedFile]) -> list[NamedFile]:
        read = self._kind.read_name
        named = [NamedFile(file=file, name=name) for file in listing if (name := read(file.name)) is not None]
        return sorted(named, key=lambda one: one.order)

    def _survey(self) -> None:
        """Sort the listed files into those known as they are and those that must be fetched."""
        live_read_at = max((self._rows[key].listed_modified_at for key in self._lives.values()), default=None)
        for named in self._files:
            if named.name.is_live:
                row = self._rows.get(self._lives.get(named.file.path, ""))
                if row is not None and row.log_date in self._reload_dates:
                    self.forced.append(named)
                elif row is not None and named.stat == (row.listed_size, row.listed_modified_at):
                    self._current.add(row.file_key)
                    self._seen.add(row.file_key)
                    self._read.add(named.file.path)
                else:
                    self.urgent.append(named)
            elif self._is_reloaded(named):
                self.forced.append(named)
            elif not self._is_unchanged(named):
                # a file closed after the last reading of a live file holds that live file's end
                is_new = live_read_at is not None and named.file.modified_at >= live_read_at
                (self.urgent if is_new else self.archives).append(named)
        # live files first: their new content shows whether a closed file is their end
        self.urgent.sort(key=lambda named: not named.name.is_live)

    def _same(self, named: NamedFile) -> StoredFile | None:
        """Return the known closed file that *named* is, by size and time: names shift, the date in a name does not.

        If several match, as in a crash loop, they are paired in the order of their names, whatever these are now;
        if there are more names than files, only the content shows which of them is new.
        """
        kind = (*named.stat, named.name.log_date)
        names, rows = self._names_by_stat.get(kind, []), self._by_stat.get(kind, [])
        if len(names) > len(rows) or named not in names:
            return None
        return rows[names.index(named)]

    def _compare_stats(self) -> None:
        """Match names with known closed files of the same size, time and date, each in one order."""
        self._names_by_stat: dict[tuple[int, datetime, date | None], list[NamedFile]] = {}
        self._by_stat: dict[tuple[int, datetime, date | None], list[StoredFile]] = {}
        for named in self._files:
            if not named.name.is_live:
                self._names_by_stat.setdefault((*named.stat, named.name.log_date), []).append(named)
        for row in self._rows.values():
            if not row.is_live:
                day = row.log_date if row.date_source == "file_name" else None
                self._by_stat.setdefault((row.listed_size, row.listed_modified_at, day), []).append(row)
        for names in self._names_by_stat.values():
            names.sort(key=lambda named: (named.name.sequence or named.name.age or 0, named.file.path))
        for rows in self._by_stat.values():
            # those that were in the last listing come first
            rows.sort(key=lambda row: (not row.is_listed, self._number_of(row), row.path))

    def _number_of(self, row: StoredFile) -> int:
        name = self._kind.read_name(row.path)
        return row.log_sequence or (name.age if name is not None else None) or 0

    def _is_reloaded(self, named: NamedFile) -> bool:
        if not self._reload_dates:
            return False
        if named.name.log_date is not None:
            return named.name.log_date in self._reload_dates
        row = self._same(named)
        return row is not None and row.log_date in self._reload_dates

    def _is_unchanged(self, named: NamedFile) -> bool:
        row = self._same(named)
        if row is None:
            return False
        self._seen.add(row.file_key)
        self._read.add(named.file.path)
        if (row.path, row.log_sequence, row.is_listed) != (named.file.path, named.name.sequence, True):
            # a new number can change the order, or show that nothing is missing
            is_same = row.log_sequence == named.name.sequence and row.is_listed
            self._save(
                dataclasses.replace(
                    row,
                    path=named.file.path,
                    log_sequence=named.name.sequence,
                    is_listed=True,
                    sessions_built=row.sessions_built and is_same,
                )
            )
        return True

    # ------------------------------------------------------------------ steps

    @property
    def is_done(self) -> bool:
        """Return whether no step is left."""
        return not self._is_first_step and not self._rest

    def step(self) -> Collected:
        """Fetch the next files and return what to land of them; the last step has the outcome of the listing."""
        if self._is_first_step:
            self._is_first_step = False
            for named in self._first:
                self._fetch(named)
            if self._stop is None and any(key in self._rows for key in self._ended):
                self._find_ends()
        else:
            size = 0
            while self._rest and size < _STEP_BYTES:
                named = self._rest.popleft()
                size += named.file.size
                self._fetch(named)
        if self.is_done:
            first_lines = ((row, self._fetched.get(key)) for key, row in self._rows.items())
            if self._fetched and self._kind.moves_names(first_lines):
                self._doubt_renamed()
            self._finish()
        collected, self._collected = self._collected, Collected()
        return collected

    def _find_ends(self) -> None:
        """List once more: a file was closed after the listing, so its end is now under another name."""
        listed = {named.stat for named in self._files}
        try:
            self._files = self._named(self._access.list())
        except PanelError as error:
            self._end(error)
            return
        self._compare_stats()
        for named in self._files:
            if not named.name.is_live and named.stat not in listed and self._same(named) is None:
                self._fetch(named)

    def _doubt_renamed(self) -> None:
        """List once more: where numbers run downwards, a start renames all of a day, perhaps before a file was fetched.

        Its content is kept, but what was listed under its name may be another file's: a later pass fetches it again.
        """
        try:
            listing = self._access.list()
        except PanelError:
            return
        stats = {file.path: (file.size, file.modified_at) for file in listing}
        for key in self._fetched:
            row = self._rows.get(key)
            if row is not None and stats.get(row.path) != (row.listed_size, row.listed_modified_at):
                self._save(dataclasses.replace(row, listed_size=0))

    def _finish(self) -> None:
        """Mark missing files as gone and record how much of the folder was read."""
        listed = {named.file.path for named in self._files}
        for row in list(self._rows.values()):
            if row.file_key in self._seen:
                continue
            if row.is_live:
                self._close(row)
            elif row.is_listed and row.path not in listed - self._read:
                self._save(dataclasses.replace(row, is_listed=False))
        for file, reason in self._others:
            self._report("unreadable", file, reason)
        for named in self._left:
            self._report("budget_spent", named.file, "the pass used up its budget; a later pass fetches it")
        self._collected.reads.append(
            FileRead(
                server_uuid=self.server_uuid,
                observed_at=self._now,
                path="",
                outcome="ok",
                reason=self._access.note,
                files_present=len(self._files),
                bytes_present=sum(named.file.size for named in self._files),
                bytes_read=sum(named.file.size for named in self._files if named.file.path in self._read),
            )
        )

    # ------------------------------------------------------------------ one file

    def _fetch(self, named: NamedFile) -> None:
        self._collected.done_bytes += named.file.size
        row = self._rows.get(self._lives.get(named.file.path, "")) if named.name.is_live else None
        raw = self._bytes_of(named.file)
        if raw is None:
            if row is not None:
                self._seen.add(row.file_key)
            return
        self._read.add(named.file.path)
        content, outcome, reason = self._kind.unpack(named.file.name, raw, named.name.is_live)
        if row is not None and not _continues(content, row):
            # another file has its name now
            self._close(row)
            self._ended.add(row.file_key)
            row = None
        self._take(named, content, outcome, reason, size=len(raw), before=row or self._continued_by(content))

    def _bytes_of(self, file: ListedFile) -> bytes | None:
        """Return a file's bytes, or None with the outcome noted."""
        if self._stop is not None:
            self._report(self._stop[0], file, self._stop[1])
            return None
        try:
            return self._access.fetch(file)
        except FileTooLargeError as error:
            self._report("too_large", file, str(error))
        except (NodeUnreachableError, RateLimitedError, StateConflictError) as error:
            self._end(error)
            self._report(_outcome_of(error), file, str(error))
        except PanelError as error:
            self._report("error", file, str(error))
        return None

    def _end(self, error: PanelError) -> None:
        self._stop = _outcome_of(error), str(error)

    def _continued_by(self, content: bytes) -> StoredFile | None:
        """Return the file that *content* completes: one that grew, or whose end was missing."""
        for row in self._rows.values():
            is_open = row.is_live and row.file_key not in self._current
            if (is_open or not (row.is_listed or row.date_source == "file_name")) and _continues(content, row):
                return row
        return None

    def _take(
        self,
        named: NamedFile,
        content: bytes,
        outcome: FileOutcome,
        reason: str | None,
        *,
        size: int,
        before: StoredFile | None,
    ) -> None:
        """Save a fetched file of *size* bytes; *before* is its known row, under another name or with less content."""
        file, is_live = named.file, named.name.is_live
        if is_live and b"\n" not in content[:HEAD_BYTES]:
            # without a whole line it has no content and cannot be told from others
            self._report("ok", file, "no whole line yet")
            return
        log_date: date
        source: str | None
        if named.name.log_date is not None:
            log_date, source = named.name.log_date, "file_name"
        elif before is not None and before.log_date is not None:
            log_date, source = before.log_date, before.date_source
        else:
            log_date, source = self._kind.day_of(file, content)
        key = _file_key(self.server_uuid, log_date, content, self._rows, outcome)
        prior = self._rows.get(key)
        for row in list(self._rows.values()):
            if row.path == file.path and not row.content_bytes and row.file_key != key:
                # nothing could be read under this name before
                self._forget(row)
        if before is not None and before.file_key != key:
            # read under another date before; the file's name has the right one
            self._forget(before)
            prior = None
        if prior is not None and outcome == "truncated" and (prior.content_bytes or 0) >= len(content):
            # more was read while the file grew than the cut archive holds: keep what is known
            content, outcome = self._store.get(str(prior.content_digest)), prior.outcome
        reparse = (
            prior is None
            or log_date in self._reload_dates
            or "truncated" in (outcome, prior.outcome)
            or prior.outcome not in READABLE
            or self._kind.means_other(prior, source)
            # read as a closed file, whose last line needs no end, although it went on
            or content[: prior.parsed_bytes][-1:] not in (b"", b"\n")
        )
        digest = self._store.put(content)
        if prior is not None and prior.content_digest not in (None, digest):
            self._collected.superseded.append(str(prior.content_digest))
        fields: dict[str, Any] = {
            "path": file.path,
            "log_date": log_date,
            "log_sequence": named.name.sequence,
            "date_source": source,
            "is_live": is_live,
            "is_listed": True,
            # other bytes than were listed: it was renamed meanwhile, and its name is another file's. What it was listed
            # as is then found under its new name, and this one is looked at again
            "listed_size": file.size if is_live else size,
            "listed_modified_at": file.modified_at,
            "listed_utc_offset_seconds": file.utc_offset_seconds,
            "outcome": outcome,
            "reason": reason,
            "content_digest": digest,
            "content_bytes": len(content),
            "fetched_at": self._now,
            "sessions_built": False,
        }
        if reparse or prior is None:
            saved = self._kind.row(server_uuid=self.server_uuid, file_key=key, **fields)
        else:
            saved = dataclasses.replace(prior, **fields)
        if prior is None:
            self._collected.added += 1
        elif prior.content_digest != digest:
            self._collected.changed += 1
        self._save(saved)
        self._seen.add(key)
        if not is_live:
            is_numbered = named.name.sequence is not None
            self._fetched[key] = self._kind.first_at(log_date, content) if is_numbered else None
        self._ended.discard(key)
        if is_live:
            self._current.add(key)
        self._report("ok", file, None)

    def _close(self, row: StoredFile) -> None:
        """Keep what was read of a file that is gone or lost its name; its end may turn up."""
        self._save(dataclasses.replace(row, is_live=False, is_listed=False, sessions_built=False))

    def _save(self, file: StoredFile) -> None:
        self._rows[file.file_key] = file
        self._collected.saved[file.file_key] = file

    def _forget(self, file: StoredFile) -> None:
        del self._rows[file.file_key]
        self._ended.discard(file.file_key)
        self._collected.saved.pop(file.file_key, None)
        self._collected.forgotten.append(file.file_key)
        if file.content_digest is not None:
            self._collected.superseded.append(file.content_digest)

    def _report(self, outcome: ReadOutcome, file: ListedFile, reason: str | None) -> None:
        self._collected.reads.append(
            FileRead(
                server_uuid=self.server_uuid,
                observed_at=self._now,
                path=file.path,
                outcome=outcome,
                size=file.size,
                modified_at=file.modified_at,
                reason=reason,
            )
        )


def _outcome_of(error: PanelError) -> Unanswered:
    if isinstance(error, NodeUnreachableError):
        return "node_unreachable"
    return "rate_limited" if isinstance(error, RateLimitedError) else "error"


def _continues(content: bytes, known: StoredFile) -> bool:
    """Return whether *content* begins with all that is known of a file."""
    size = known.content_bytes or 0
    return 0 < size <= len(content) and hashlib.sha256(content[:size]).hexdigest() == known.content_digest


def _file_key(
    server_uuid: uuid.UUID, log_date: date, content: bytes, taken: dict[str, StoredFile], outcome: FileOutcome
) -> str:
    """Return the key of a file: server, date and first line, numbered where a crash loop repeats all three."""
    first_line = content[:HEAD_BYTES].split(b"\n", 1)[0].rstrip(b"\r")
    number = 0
    while True:
        text = f"{server_uuid}|{log_date}|{number}|".encode() + first_line
        key = hashlib.sha256(text).hexdigest()[:32]
        known = taken.get(key)
        if known is None or _continues(content, known) or outcome == "truncated" or known.outcome == "truncated":
            return key
        number += 1
