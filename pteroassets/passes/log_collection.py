"""Collect log files: list first, fetch only what changed, know a file by its content.

Path of the data::

    files/list --> plan --> files/contents or signed download --> store (by digest) --> raw_minecraft.log_files

``latest.log`` grows, and is later closed under a dated name with the same first bytes; dated names shift when old
files are deleted. So a file keeps its key for as long as its content continues what is known of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
import zlib
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from pteroassets.clock import Clock
from pteroassets.log_store import LogStore
from pteroassets.passes.timezones import LogTimezones
from pteroassets.sources.minecraft.dates import date_of_file, date_of_live
from pteroassets.sources.minecraft.log import LogParser, classify
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.sources.pterodactyl.errors import (
    FileTooLargeError,
    NodeUnreachableError,
    PanelError,
    RateLimitedError,
    StateConflictError,
)
from pteroassets.sources.pterodactyl.files import ListedFile, NoLogFolder, fetch_file, list_logs
from pteroassets.sources.pterodactyl.servers import ServerFlags, current_flags, server_flags
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, record_load
from pteroassets.warehouse.log_files import (
    FILES,
    LogFile,
    LogRead,
    forget_file,
    known_files,
    save_file,
    save_reads,
    unreferenced,
)

LIVE_NAME = "latest.log"
_PREFIX_BYTES = 64 * 1024


class Progress(Protocol):
    """Told of each server when its logs were read."""

    def __call__(self, done: int, total: int) -> None:
        """Take note that *done* of *total* servers were read."""


@dataclass(slots=True)
class _Collected:
    """What one server's logs came to, before it is written."""

    server_uuid: uuid.UUID
    reads: list[LogRead] = field(default_factory=list)
    saved: dict[str, LogFile] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    listed: int = 0


def collect_logs(
    panel: PanelClient,
    connection: Connection,
    store: LogStore,
    *,
    clock: Clock,
    zones: LogTimezones,
    reload_dates: Collection[date] = (),
    max_workers: int = 8,
    progress: Progress | None = None,
) -> LoadReport:
    """List the logs of every server, fetch what changed into *store* and land the files' rows.

    One transaction a server, so a killed pass keeps what it has and the next one goes on. A dead node costs one
    server's time-out, not one of each.

    Args:
        panel: Whose servers.
        connection: To the warehouse.
        store: Where the files' bytes are kept.
        clock: Gives the time of the pass.
        zones: In which the files' local dates are read.
        reload_dates: Files of these dates are fetched again and parsed from their first line, changed or not.
        max_workers: Requests in flight at once.
        progress: Told of each server when it is done.

    Raises:
        PanelError: The list of servers could not be read.
    """
    started = clock.now()
    requests_before = panel.requests_made
    load_id = uuid.uuid4()
    known = known_files(connection)
    pass_ = _Pass(panel=panel, store=store, zones=zones, now=started, reload_dates=frozenset(reload_dates))
    flags = sorted(server_flags(panel), key=lambda server: server.uuid)
    firsts = list({server.node_name: server for server in reversed(flags) if server.outcome is None}.values())
    order = firsts + [server for server in flags if server not in firsts]
    totals = {"added": 0, "changed": 0, "listed": 0}
    problems: dict[tuple[str, str], int] = {}
    with ThreadPoolExecutor(max_workers=max_workers) as pool:
        # one server of each node answers before the others are asked, so that a dead node is known by then
        probes = {server.uuid: pool.submit(pass_.collect, server, known) for server in firsts}
        for future in probes.values():
            future.exception()
        futures = [probes.get(server.uuid) or pool.submit(pass_.collect, server, known) for server in order]
        for done, (server, future) in enumerate(zip(order, futures, strict=True), start=1):
            collected = future.result()
            _land(connection, store, collected, load_id)
            for name in totals:
                totals[name] += getattr(collected, name)
            for read in collected.reads:
                if read.outcome in ("node_unreachable", "rate_limited", "error", "too_large"):
                    key = (f"node {server.node_name}", f"{read.outcome}: {read.reason or read.path}")
                    problems[key] = problems.get(key, 0) + 1
            if progress is not None:
                progress(done, len(order))
    report = LoadReport(
        load_id=load_id,
        table=FILES,
        observed_at=started,
        is_complete=not problems,
        rows_read=totals["listed"],
        rows_added=totals["added"],
        rows_changed=totals["changed"],
        requests=panel.requests_made - requests_before,
        seconds=(clock.now() - started).total_seconds(),
        rate_limit_remaining=panel.rate_limit_remaining,
        problems=[{"scope": scope, "reason": f"{count} x {reason}"} for (scope, reason), count in problems.items()],
    )
    record_load(connection, report)
    return report


def _land(connection: Connection, store: LogStore, collected: _Collected, load_id: uuid.UUID) -> None:
    with connection.transaction():
        for file_key in collected.forgotten:
            forget_file(connection, collected.server_uuid, file_key)
        for file in collected.saved.values():
            save_file(connection, file, load_id)
        save_reads(connection, collected.reads, load_id)
        obsolete = unreferenced(connection, collected.superseded)
    # after the commit: a row never points at content that is not there
    for digest in obsolete:
        store.remove(digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """One pass over all servers: what every server's part needs."""

    panel: PanelClient
    store: LogStore
    zones: LogTimezones
    now: datetime
    reload_dates: frozenset[date]
    dead_nodes: dict[str, str] = field(default_factory=dict)

    def collect(self, server: ServerFlags, known: dict[uuid.UUID, list[LogFile]]) -> _Collected:
        """Read one server's logs; what goes wrong with it becomes an outcome, never another server's trouble."""
        collected = _Collected(server_uuid=uuid.UUID(server.uuid))
        if server.outcome is not None:
            self.note(collected, server.outcome, reason=f"the panel lists the server as {server.outcome}")
            return collected
        if server.node_name in self.dead_nodes:
            self.note(collected, "node_unreachable", reason=self.dead_nodes[server.node_name])
            return collected
        files = _ServerFiles(
            server_uuid=collected.server_uuid,
            zone=self.zones.zone(server.uuid),
            known=known.get(collected.server_uuid, []),
            collected=collected,
            of=self,
        )
        try:
            files.read()
        except NodeUnreachableError as error:
            self.dead_nodes[server.node_name] = str(error)
            self.note(collected, "node_unreachable", reason=str(error))
        except NoLogFolder:
            self.note(collected, "no_log_folder", reason="the server has no folder /logs")
        except RateLimitedError as error:
            self.note(collected, "rate_limited", reason=str(error))
        except StateConflictError as error:
            # its state changed since the list was read: what it is now is asked, never taken from the error's text
            outcome = current_flags(self.panel, server.uuid).outcome
            self.note(collected, outcome or "error", reason=str(error))
        except PanelError as error:
            self.note(collected, "error", reason=str(error))
        return collected

    def note(
        self, collected: _Collected, outcome: str, *, reason: str | None = None, file: ListedFile | None = None
    ) -> None:
        """Record what came of a request."""
        collected.reads.append(
            LogRead(
                server_uuid=collected.server_uuid,
                observed_at=self.now,
                path=file.path if file else "",
                outcome=outcome,
                size=file.size if file else None,
                modified_at=file.modified_at if file else None,
                reason=reason,
            )
        )


@dataclass(slots=True, kw_only=True)
class _ServerFiles:
    """Match one server's listing with what is known of its files."""

    server_uuid: uuid.UUID
    zone: ZoneInfo
    known: list[LogFile]
    collected: _Collected
    of: _Pass
    live: LogFile | None = None
    seen: set[str] = field(default_factory=set)

    def read(self) -> None:
        self.live = next((file for file in reversed(self.known) if file.is_live), None)
        listing = list_logs(self.of.panel, str(self.server_uuid))
        self.of.note(self.collected, "ok")
        self._rotated(listing)
        latest = next((file for file in listing if file.name == LIVE_NAME), None)
        if latest is not None:
            self._latest(latest)
        if self.live is not None and self.live.file_key not in self.seen:
            # gone without a successor: what was read of it stays
            self._save(dataclasses.replace(self.live, is_live=False, is_listed=False, sessions_built=False))
        for file in self.known:
            if file.file_key not in self.seen and file.is_listed and not file.is_live:
                self._save(dataclasses.replace(file, is_listed=False))
        self.collected.listed += len(listing)

    def _rotated(self, listing: Sequence[ListedFile]) -> None:
        rows = [*self.known, *self.collected.saved.values()]
        by_stat = {(f.listed_size, f.listed_modified_at): f for f in rows if not f.is_live}
        dated = [(named, file) for file in listing if (named := date_of_file(file.name)) is not None]
        for (log_date, sequence), file in sorted(dated, key=lambda pair: pair[0]):
            unchanged = by_stat.get((file.size, file.modified_at))
            # names shift when old files are deleted, size and time do not; the date in the name does not either
            if unchanged is not None and unchanged.log_date == log_date and log_date not in self.of.reload_dates:
                self.seen.add(unchanged.file_key)
                if (unchanged.path, unchanged.log_sequence, unchanged.is_listed) != (file.path, sequence, True):
                    self._save(dataclasses.replace(unchanged, path=file.path, log_sequence=sequence, is_listed=True))
                continue
            raw = self._fetch(file)
            if raw is None:
                continue
            content, outcome, reason = _decode(file.name, raw)
            before = self.live if self.live is not None and _continues(content, self.live) else None
            if before is not None:
                self.live = None
            self._take(file, content, outcome, reason, log_date=log_date, sequence=sequence, before=before)

    def _latest(self, file: ListedFile) -> None:
        live = self.live
        forced = live is not None and live.log_date in self.of.reload_dates
        if (
            live is not None
            and not forced
            and (file.size, file.modified_at) == (live.listed_size, live.listed_modified_at)
        ):
            self.seen.add(live.file_key)
            return
        content = self._fetch(file)
        if content is None:
            if live is not None:
                self.seen.add(live.file_key)
            return
        if live is not None and not _continues(content, live):
            # closed between the listing and this read: its dated file is there by now
            self._rotated(list_logs(self.of.panel, str(self.server_uuid)))
        self._take(file, content, "ok", None, log_date=None, sequence=None, before=self.live)

    def _take(
        self,
        file: ListedFile,
        content: bytes,
        outcome: str,
        reason: str | None,
        *,
        log_date: date | None,
        sequence: int | None,
        before: LogFile | None,
    ) -> None:
        """Save a fetched file; *before* is the live file that it continues, if it does."""
        if before is not None and not _continues(content, before):
            before = None
        is_live = log_date is None
        if b"\n" not in content[:_PREFIX_BYTES] and (is_live or not content):
            # without a whole line it cannot be told from others, nor says it anything
            self.of.note(self.collected, "ok", reason="no whole line yet", file=file)
            return
        if log_date is None:
            known_date = before.log_date if before is not None else None
            log_date = known_date or self._live_date(file, content)
        if outcome == "ok" and (refusal := classify(content[:_PREFIX_BYTES])) is not None:
            outcome, reason = "not_a_server_log", refusal
        taken = {f.file_key: f for f in self.known} | self.collected.saved
        key = _file_key(self.server_uuid, log_date, content, taken, outcome)
        prior = taken.get(key)
        if before is not None and before.file_key != key:
            # read under another date until now; the file's name knows better
            self.collected.forgotten.append(before.file_key)
            self.seen.add(before.file_key)
            prior = None
        if prior is not None and outcome == "truncated" and (prior.content_bytes or 0) >= len(content):
            # the archive was cut after more of it had been read as latest.log: what is known stays
            content, outcome = self.of.store.get(str(prior.content_digest)), prior.outcome
        reparse = prior is None or log_date in self.of.reload_dates or "truncated" in (outcome, prior.outcome)
        digest = self.of.store.put(content)
        if prior is not None and prior.content_digest not in (None, digest):
            self.collected.superseded.append(str(prior.content_digest))
        fields = {
            "path": file.path,
            "log_date": log_date,
            "log_sequence": sequence,
            "date_source": "modified_at" if is_live else "file_name",
            "is_live": is_live,
            "is_listed": True,
            "listed_size": file.size,
            "listed_modified_at": file.modified_at,
            "listed_utc_offset_seconds": file.utc_offset_seconds,
            "outcome": outcome,
            "reason": reason,
            "content_digest": digest,
            "content_bytes": len(content),
            "fetched_at": self.of.now,
            "sessions_built": False,
        }
        if reparse or prior is None:
            saved = LogFile(server_uuid=self.server_uuid, file_key=key, **fields)  # type: ignore[arg-type]
        else:
            saved = dataclasses.replace(prior, **fields)  # type: ignore[arg-type]
        if prior is None:
            self.collected.added += 1
        elif prior.content_digest != digest:
            self.collected.changed += 1
        self._save(saved)
        self.of.note(self.collected, "ok", file=file)

    def _live_date(self, file: ListedFile, content: bytes) -> date:
        parser = LogParser()
        parser.feed(content)
        return date_of_live(file.modified_at, self.zone, parser.state.day)

    def _fetch(self, file: ListedFile) -> bytes | None:
        try:
            return fetch_file(self.of.panel, str(self.server_uuid), file)
        except (NodeUnreachableError, RateLimitedError):
            raise
        except FileTooLargeError as error:
            self.of.note(self.collected, "too_large", reason=str(error), file=file)
        except PanelError as error:
            self.of.note(self.collected, "error", reason=str(error), file=file)
        return None

    def _save(self, file: LogFile) -> None:
        self.seen.add(file.file_key)
        self.collected.saved[file.file_key] = file


def _continues(content: bytes, known: LogFile) -> bool:
    """Tell whether *content* begins with all that is known of a file."""
    size = known.content_bytes or 0
    return 0 < size <= len(content) and hashlib.sha256(content[:size]).hexdigest() == known.content_digest


def _file_key(server_uuid: uuid.UUID, log_date: date, content: bytes, taken: dict[str, LogFile], outcome: str) -> str:
    """Return the key of a file: server, date and first line, numbered where a crash loop repeats all three."""
    first_line = content[:_PREFIX_BYTES].split(b"\n", 1)[0].rstrip(b"\r")
    number = 0
    while True:
        text = f"{server_uuid}|{log_date}|{number}|".encode() + first_line
        key = hashlib.sha256(text).hexdigest()[:32]
        known = taken.get(key)
        if known is None or _continues(content, known) or outcome == "truncated" or known.outcome == "truncated":
            return key
        number += 1


def _decode(name: str, raw: bytes) -> tuple[bytes, str, str | None]:
    """Return a file's uncompressed bytes, its outcome and the reason of one that is not ok.

    A killed server leaves a cut archive: what can be read of it is kept.
    """
    if not name.endswith(".gz"):
        return raw, "ok" if raw else "empty", None
    pieces: list[bytes] = []
    rest = raw
    try:
        while rest:
            inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            pieces.append(inflater.decompress(rest))
            if not inflater.eof:
                return b"".join(pieces), "truncated", f"the archive ends after {len(raw)} bytes, in the middle"
            rest = inflater.unused_data
    except zlib.error as error:
        content = b"".join(pieces)
        return content, "truncated" if content else "unreadable", f"not a whole gzip archive: {error}"
    content = b"".join(pieces)
    return content, "ok" if content else "empty", None
