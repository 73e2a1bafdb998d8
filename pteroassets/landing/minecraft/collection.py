"""Collect the logs of Minecraft servers: where they are, what their names mean, and which day they are of.

``latest.log`` grows, and is later closed under a dated name with the same first bytes; dated names shift when old files
are deleted, numbered ones (``proxy.log.1``) at each rotation. `landing.files` does the rest.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from pteroassets.landing.files.collection import FileFolder, Nowhere
from pteroassets.landing.files.folder import HEAD_BYTES
from pteroassets.landing.files.kinds import FileKind
from pteroassets.landing.files.rows import FileTables, StoredFile
from pteroassets.landing.opt_outs import NOBODY, OptOutList, OptOuts
from pteroassets.landing.servers import LogTimezones, ServerTraits, server_traits
from pteroassets.sources.minecraft.archives import Archive, is_archive
from pteroassets.sources.minecraft.dates import Stamper, date_of_live
from pteroassets.sources.minecraft.events import ParserState
from pteroassets.sources.minecraft.intake import as_text
from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.minecraft.ordering import Place, directions_of, in_order
from pteroassets.sources.minecraft.packing import SUFFIXES, foreign
from pteroassets.sources.minecraft.places import (
    DEFAULT_FOLDER,
    Egg,
    Numbered,
    collected_name,
    place_of,
    read_name,
    unread_archive,
)
from pteroassets.sources.outcomes import FileOutcome
from pteroassets.sources.pterodactyl.files import ListedFile
from pteroassets.warehouse.connection import Connection

FILES: Final = "raw_minecraft.log_files"
READS: Final = "raw_minecraft.log_reads"
EVENTS: Final = "raw_minecraft.events"
EVENT_ROWS: Final = "raw_minecraft.event_rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFile(StoredFile):
    """A row of ``raw_minecraft.log_files``: what is known of a file, and what its lines told.

    *first_kind* is that of its first event; a line that names the software, which stands before the start line, does
    not count.
    """

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
    first_kind: str | None = None
    neighbours: str | None = None


LOGS: Final = FileTables(row=LogFile, files=FILES, reads=READS, content=(EVENT_ROWS,))


def in_order_by_instants(files: Iterable[LogFile]) -> list[LogFile]:
    """Return parsed files of one server in the order in which they were written."""
    return in_order(files, lambda file: _place(file, file.first_line_at))


def in_order_by_stamps(
    files: Iterable[LogFile], state_of: Callable[[LogFile], ParserState | None], *, zone: ZoneInfo
) -> list[LogFile]:
    """Return files of one server in the order in which they were written, as far as it affects their times.

    Args:
        files: Parsed or not.
        state_of: Returns a file's first and last lines; None if they do not matter.
        zone: The zone in which they are written.
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
    """Return the day in a file's name, and its number among the files of that day."""
    name = read_name(file.path)
    if file.log_sequence is None or file.log_date is None or name is None or name.named is None:
        return None
    return file.log_date, file.log_sequence


LARGEST_CONTENT_BYTES = 1024 * 1024 * 1024
_FIRST_LINES = (0, 1 << 10, 1 << 13, HEAD_BYTES)  # where most logs, and all of them, have shown a time


def where_logs_are(
    connection: Connection, *, zones: LogTimezones, places: LogPlaces, opt_outs: OptOutList
) -> Callable[[uuid.UUID], FileFolder | Nowhere]:
    """Return what tells `collect_files` where each server keeps its logs, as the landed entities and *places* say.

    What it returns for a server replaces the players of *opt_outs* in what is fetched.
    """
    zones, traits = zones.of_servers(connection), server_traits(connection)

    def where(server_uuid: uuid.UUID) -> FileFolder | Nowhere:
        found = places.of(server_uuid, traits.get(server_uuid))
        if found.folder is None:
            return Nowhere(outcome="not_minecraft", reason=found.reason or "")
        # asked for here, where whoever adds to the list waits for this pass
        hidden = opt_outs.of_server(connection, server_uuid)
        zone = zones.zone(str(server_uuid))
        return FileFolder(folder=found.folder, kind=logs_of(zone, live=found.live, opt_outs=hidden))

    return where


def logs_of(zone: ZoneInfo, *, live: str | None = None, opt_outs: OptOuts = NOBODY) -> FileKind:
    """Return what the logs of one server are.

    Args:
        zone: In which their local dates are read.
        live: The one name that counts, where an operator gave it.
        opt_outs: Players who are to be forgotten there.
    """

    def unpack(name: str, raw: bytes, is_live: bool) -> tuple[bytes, FileOutcome, str | None]:  # noqa: FBT001 - as called
        content, outcome, reason = decode(name, raw, is_live=is_live)
        return forgetting(content, opt_outs, is_live=is_live), outcome, reason

    return FileKind(
        row=LogFile,
        read_name=lambda path: collected_name(path, live=live),
        why_unread=lambda path: unread_archive(path) if live is None else None,
        unpack=unpack,
        day_of=lambda file, content: _day_of(file, content, zone),
        first_at=lambda day, content: _first_at(day, content, zone),
        moves_names=_are_numbered_downwards,
        means_other=_means_other,
    )


def forgetting(content: bytes, opt_outs: OptOuts, *, is_live: bool) -> bytes:
    """Return a log with pseudonyms; the last line of a live one is left for later until it is whole."""
    if not opt_outs:
        return content
    return opt_outs.content(content[: content.rfind(b"\n") + 1] if is_live else content)


def _day_of(file: ListedFile, content: bytes, zone: ZoneInfo) -> tuple[date, str]:
    """Return the day that the lines show, else the one at which as many midnights lie before the last change."""
    parser = LogParser()
    parser.feed(content[:HEAD_BYTES])
    if parser.state.first_dated is None:
        parser.feed(content[HEAD_BYTES:])
    state = parser.state
    if state.first_date is not None and state.first_date_source is not None:
        return state.first_date, state.first_date_source
    return date_of_live(file.modified_at, zone, state.day, state.restarts), "modified_at"


def _first_at(day: date, content: bytes, zone: ZoneInfo) -> datetime | None:
    parser = LogParser()
    for start, end in itertools.pairwise(_FIRST_LINES):
        parser.feed(content[start:end])
        if parser.state.first is not None:
            return Stamper(day, zone).stamp(parser.state.first)[0]
    return None


def _are_numbered_downwards(files: Iterable[tuple[StoredFile, datetime | None]]) -> bool:
    """Return whether the closed files of a day are numbered downwards: a start then gives all of them another name."""
    closed = (
        Place(is_live=False, day=file.log_date, first_at=first_at, named=named)
        for file, fetched_first in files
        if (first_at := fetched_first or (file.first_line_at if isinstance(file, LogFile) else None)) is not None
        and (named := named_of(file)) is not None
    )
    return any(direction < 0 for direction in directions_of(closed).values())


def _means_other(known: StoredFile, source: str | None) -> bool:
    """Return whether a start at an earlier time of day, counted as a new day, is really a clock that was set back."""
    # a name that shows the day is that of a file that is closed at midnight
    return (
        isinstance(known, LogFile) and source != known.date_source and bool((known.parser_state or {}).get("restarts"))
    )


def decode(
    name: str, raw: bytes, *, is_live: bool = False, largest_bytes: int = LARGEST_CONTENT_BYTES
) -> tuple[bytes, FileOutcome, str | None]:
    """Return a file's uncompressed bytes, its outcome and, if that is not ok, the reason.

    A killed server leaves a cut archive: what can be read of it is kept. Of one larger than *largest_bytes* only the
    beginning is kept, since a server's owner must not decide how much memory we use.
    """
    if (reason := foreign(raw)) is not None:
        return b"", "unreadable", reason
    if not raw or not name.lower().endswith(SUFFIXES):
        return _whole(as_text([raw], is_whole=not is_live))
    if not is_archive(raw):
        return b"", "unreadable", "not an archive, despite its name"
    archive = Archive([raw])
    read: tuple[bytes, FileOutcome, str | None] | None = None
    for file in archive.files():
        if read is not None:
            return b"", "unreadable", "the archive holds several files: unpack it in place, so that each is read"
        if file.refused is None:
            read = _whole(as_text(file.blocks()), largest_bytes)
        if file.refused is not None:
            read = b"", "unreadable", file.refused
    content, outcome, reason = read or (b"", "empty", None)
    if archive.damage is not None and outcome in ("ok", "empty"):
        return content, "truncated" if content else "unreadable", archive.damage
    return content, outcome, reason


def _whole(
    blocks: Iterable[bytes], largest_bytes: int = LARGEST_CONTENT_BYTES
) -> tuple[bytes, FileOutcome, str | None]:
    pieces: list[bytes] = []
    size = 0
    for block in blocks:
        pieces.append(block)
        size += len(block)
        if size > largest_bytes:
            return b"".join(pieces)[:largest_bytes], "truncated", f"more than {largest_bytes} bytes uncompressed"
    return b"".join(pieces), "ok" if size else "empty", None


_FILE = re.compile(r"\.(?:log|txt)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLocation:
    """Where one server's logs are.

    Attributes:
        folder: Path from the server's root; None for a server of another game.
        live: The only log there; None if names show the logs.
        reason: Why there is no folder.
    """

    folder: str | None
    live: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPlaces:
    """Paths by server uuid or egg name (``PTEROASSETS_LOG_PATHS``); they override what is known of eggs."""

    by_name: Mapping[str, str] = field(default_factory=dict)

    def of(self, server_uuid: uuid.UUID, traits: ServerTraits | None) -> LogLocation:
        """Return where a server's logs are; for an unknown egg, the usual place."""
        paths = {name.strip().casefold(): path for name, path in self.by_name.items()}
        egg_name = traits.egg_name if traits is not None else None
        for name in (str(server_uuid), egg_name):
            if name is not None and (path := paths.get(name.strip().casefold())) is not None:
                return _of_path(path)
        if traits is None or egg_name is None:
            return LogLocation(folder=DEFAULT_FOLDER)
        place = place_of(
            Egg(
                name=egg_name,
                nest=traits.nest_name or "",
                image=traits.image,
                startup=traits.startup,
                done=traits.done,
                files=tuple(traits.files),
            )
        )
        if place is None:
            return LogLocation(
                folder=None,
                reason=f"its egg {egg_name!r} is for another game; if not, set its path in PTEROASSETS_LOG_PATHS",
            )
        return LogLocation(folder=place.folder)


def _of_path(path: str) -> LogLocation:
    if not _FILE.search(path):
        return LogLocation(folder=path.rstrip("/") or "/")
    folder, _, name = path.rpartition("/")
    return LogLocation(folder=folder or "/", live=name)
