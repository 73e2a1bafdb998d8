"""Parse what was collected: bytes of the log store to rows of ``raw_minecraft.events``.

A file is parsed from where it was left, one transaction a file; a newer parser reads every file again from the store,
without asking the panel.
"""

from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from psycopg.types.json import Jsonb

from pteroassets.clock import Clock
from pteroassets.log_store import LogStore
from pteroassets.passes.timezones import LogTimezones
from pteroassets.sources.minecraft.dates import Stamper
from pteroassets.sources.minecraft.events import PARSER_VERSION, LogEvent
from pteroassets.sources.minecraft.log import LogParser, ParserState
from pteroassets.sources.pterodactyl.redact import Redactor
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, copy_rows, lock_table_for_load, record_load, table_identifier
from pteroassets.warehouse.log_files import EVENTS, LogFile, known_files, save_file

_COLUMNS = {
    "server_uuid": "uuid",
    "file_key": "text",
    "line_number": "int4",
    "logged_at": "timestamptz",
    "logged_at_local": "timestamp",
    "log_date": "date",
    "kind": "text",
    "player_name": "text",
    "player_uuid": "uuid",
    "detail": "jsonb",
    "parser_version": "text",
    "_load_id": "uuid",
}
_BLOCK_BYTES = 1 << 20


def parse_logs(
    connection: Connection,
    store: LogStore,
    *,
    clock: Clock,
    zones: LogTimezones,
    redactor: Redactor,
    keep_text: bool,
    everything: bool = False,
) -> LoadReport:
    """Parse the files that have unparsed bytes, or all of them, and land their events.

    Args:
        connection: To the warehouse.
        store: Holds the files' bytes.
        clock: Gives the time of the load.
        zones: In which the files' stamps are read.
        redactor: Treats player addresses.
        keep_text: Land the text of chat lines and commands.
        everything: Parse every file again from its first line.

    Raises:
        FileNotFoundError: The store lacks a file; the message names the remedy.
    """
    started = clock.now()
    load_id = uuid.uuid4()
    read = added = gone = 0
    for files in known_files(connection).values():
        after: datetime | None = None
        for file in files:
            if file.outcome not in ("ok", "truncated") or not (everything or _is_due(file)):
                after = file.last_line_at
                continue
            with connection.transaction():
                lock_table_for_load(connection, f"{EVENTS}/{file.server_uuid}")
                parsed = _parse_file(
                    connection,
                    store,
                    file,
                    after=after,
                    zones=zones,
                    redactor=redactor,
                    keep_text=keep_text,
                    load_id=load_id,
                    from_start=everything or file.parser_version != PARSER_VERSION,
                )
            after = parsed.file.last_line_at
            read += parsed.written
            added += max(parsed.written - parsed.removed, 0)
            gone += max(parsed.removed - parsed.written, 0)
    report = LoadReport(
        load_id=load_id,
        table=EVENTS,
        observed_at=started,
        rows_read=read,
        rows_added=added,
        rows_gone=gone,
        seconds=(clock.now() - started).total_seconds(),
    )
    record_load(connection, report)
    return report


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parsed:
    """What parsing one file came to: its row, and how many events were written and replaced."""

    file: LogFile
    written: int
    removed: int


def _is_due(file: LogFile) -> bool:
    return file.parser_version != PARSER_VERSION or file.parsed_bytes < (file.content_bytes or 0)


def _parse_file(
    connection: Connection,
    store: LogStore,
    file: LogFile,
    *,
    after: datetime | None,
    zones: LogTimezones,
    redactor: Redactor,
    keep_text: bool,
    load_id: uuid.UUID,
    from_start: bool,
) -> _Parsed:
    """Land the events of one file's unparsed bytes, and how far it is parsed now."""
    if file.log_date is None or file.content_digest is None:
        raise ValueError(f"log file {file.file_key} of server {file.server_uuid} has no date or no content")
    state = None if from_start or file.parser_state is None else ParserState.from_json(file.parser_state)
    parser = LogParser(state, keep_text=keep_text)
    stamper = Stamper(file.log_date, zones.zone(str(file.server_uuid)), after=after)
    first_line = parser.state.lines
    events: list[LogEvent] = []
    content = memoryview(store.get(file.content_digest))
    for start in range(parser.state.bytes_consumed, len(content), _BLOCK_BYTES):
        events += parser.feed(bytes(content[start : start + _BLOCK_BYTES]))
    if not file.is_live:
        events += parser.finish()
    removed = connection.execute(
        sql.SQL("delete from {} where server_uuid = %s and file_key = %s and line_number > %s").format(
            table_identifier(EVENTS)
        ),
        (file.server_uuid, file.file_key, first_line),
    ).rowcount
    copy_rows(
        connection,
        table_identifier(EVENTS),
        _COLUMNS,
        (
            (
                file.server_uuid,
                file.file_key,
                event.line_number,
                *stamper.stamp(event),
                file.log_date,
                event.kind,
                event.player,
                event.player_uuid,
                _detail(event, redactor),
                PARSER_VERSION,
                load_id,
            )
            for event in events
        ),
    )
    counts = parser.state.counts
    parsed = dataclasses.replace(
        file,
        parsed_bytes=parser.state.bytes_consumed,
        parsed_lines=counts.lines,
        parser_state=parser.state.to_json(),
        parser_version=PARSER_VERSION,
        lines_understood=counts.understood,
        lines_ignored=counts.ignored,
        lines_unknown=counts.unknown,
        first_line_at=stamper.stamp(parser.state.first)[0] if parser.state.first else None,
        last_line_at=stamper.stamp(parser.state.last)[0] if parser.state.last else None,
        sessions_built=file.sessions_built and not events and parser.state.bytes_consumed == file.parsed_bytes,
    )
    save_file(connection, parsed, load_id)
    return _Parsed(file=parsed, written=len(events), removed=removed)


def _detail(event: LogEvent, redactor: Redactor) -> Jsonb | None:
    if event.detail is None:
        return None
    detail = dict(event.detail)
    if "address" in detail:
        address = redactor.address(str(detail.pop("address")))
        if address is not None:
            detail["address"] = address
    return Jsonb(detail)
