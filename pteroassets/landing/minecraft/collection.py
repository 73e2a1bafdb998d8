"""Collect the logs of Minecraft servers: where they are, what their names mean, and which day they are of.

``latest.log`` grows, and is later closed under a dated name with the same first bytes; dated names shift when old files
are deleted, numbered ones (``proxy.log.1``) at each rotation. `landing.files` does the rest.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Collection, Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pteroassets.clock import Clock
from pteroassets.landing.files.budget import LogBudget
from pteroassets.landing.files.collection import Nowhere, Place, collect_files
from pteroassets.landing.files.folder import HEAD_BYTES
from pteroassets.landing.files.kinds import FileKind
from pteroassets.landing.files.rows import StoredFile
from pteroassets.landing.files.store import LogStore
from pteroassets.landing.minecraft.log_files import LOGS, LogFile, named_of
from pteroassets.landing.minecraft.places import LogPlaces
from pteroassets.landing.passes import Advance
from pteroassets.landing.servers import LogTimezones, server_traits
from pteroassets.sources.minecraft import ordering
from pteroassets.sources.minecraft.archives import Archive, is_archive
from pteroassets.sources.minecraft.dates import Stamper, date_of_live
from pteroassets.sources.minecraft.file_names import collected_name, unread_archive
from pteroassets.sources.minecraft.intake import as_text
from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.minecraft.packing import SUFFIXES, foreign
from pteroassets.sources.outcomes import FileOutcome
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.sources.pterodactyl.files import ListedFile
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport

LARGEST_CONTENT_BYTES = 1024 * 1024 * 1024
_FIRST_LINES = (0, 1 << 10, 1 << 13, HEAD_BYTES)  # where most logs, and all of them, have shown a time


def collect_logs(
    panel: PanelClient,
    connection: Connection,
    store: LogStore,
    *,
    clock: Clock,
    zones: LogTimezones,
    places: LogPlaces | None = None,
    budget: LogBudget | None = None,
    node_access: bool = False,
    reload_dates: Collection[date] = (),
    max_workers: int = 8,
    progress: Advance | None = None,
) -> LoadReport:
    """List the logs of every server, fetch what changed into *store* and land the files' rows.

    Args:
        panel: Whose servers.
        connection: To the warehouse.
        store: Where the files' bytes are kept.
        clock: Gives the time of the pass.
        zones: In which the files' local dates are read.
        places: What the operator says of where logs are.
        budget: As `collect_files` takes it, and the others below.
        node_access: Ask the nodes themselves.
        reload_dates: Files of these dates are fetched again and parsed from their first line.
        max_workers: Requests in flight at once.
        progress: Told after each step.

    Raises:
        PanelError: The list of servers could not be read.
    """
    zones, traits, places = zones.of_servers(connection), server_traits(connection), places or LogPlaces()

    def where(server_uuid: uuid.UUID) -> Place | Nowhere:
        found = places.of(server_uuid, traits.get(server_uuid))
        if found.folder is None:
            return Nowhere(outcome="not_minecraft", reason=found.reason or "")
        return Place(folder=found.folder, kind=logs_of(zones.zone(str(server_uuid)), live=found.live))

    return collect_files(
        panel,
        connection,
        store,
        LOGS,
        where,
        clock=clock,
        budget=budget,
        node_access=node_access,
        reload_dates=reload_dates,
        max_workers=max_workers,
        progress=progress,
    )


def logs_of(zone: ZoneInfo, *, live: str | None = None) -> FileKind:
    """Return what the logs of one server are.

    Args:
        zone: In which their local dates are read.
        live: The one name that counts, where an operator gave it.
    """
    return FileKind(
        row=LogFile,
        read_name=lambda path: collected_name(path, live=live),
        why_unread=lambda path: unread_archive(path) if live is None else None,
        unpack=lambda name, raw, is_live: decode(name, raw, is_live=is_live),
        day_of=lambda file, content: _day_of(file, content, zone),
        first_at=lambda day, content: _first_at(day, content, zone),
        moves_names=_are_numbered_downwards,
        means_other=_means_other,
    )


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
    """Tell whether the closed files of a day are numbered downwards: a start then gives all of them another name."""
    closed = (
        ordering.Place(is_live=False, day=file.log_date, first_at=first_at, named=named)
        for file, fetched_first in files
        if (first_at := fetched_first or (file.first_line_at if isinstance(file, LogFile) else None)) is not None
        and (named := named_of(file)) is not None
    )
    return any(direction < 0 for direction in ordering.directions_of(closed).values())


def _means_other(known: StoredFile, source: str | None) -> bool:
    """Tell whether a start at an earlier time of day, counted as a new day, is a clock that was set back after all."""
    # a name that shows the day is that of a file that is closed at midnight
    return (
        isinstance(known, LogFile) and source != known.date_source and bool((known.parser_state or {}).get("restarts"))
    )


def decode(
    name: str, raw: bytes, *, is_live: bool = False, largest_bytes: int = LARGEST_CONTENT_BYTES
) -> tuple[bytes, FileOutcome, str | None]:
    """Return a file's uncompressed bytes, its outcome and the reason of one that is not ok.

    A killed server leaves a cut archive: what can be read of it is kept. So is the beginning of one that holds more
    than *largest_bytes*, since a server's owner must not decide how much memory we use.
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
