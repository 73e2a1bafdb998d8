"""The table of log files: which are known, and what one server's pass changes."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from pteroassets.sources.minecraft.dates import DateSource
from pteroassets.sources.outcomes import SAID_EACH_PASS, FileOutcome, ReadOutcome
from pteroassets.warehouse.connection import Connection

FILES = "raw_minecraft.log_files"
READS = "raw_minecraft.log_reads"
EVENTS = "raw_minecraft.events"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFile:
    """A row of ``raw_minecraft.log_files``: a file that was seen at least once."""

    server_uuid: uuid.UUID
    file_key: str
    path: str
    log_date: date | None
    log_sequence: int | None
    date_source: DateSource | None
    is_live: bool
    is_listed: bool
    listed_size: int
    listed_modified_at: datetime
    listed_utc_offset_seconds: int | None
    outcome: FileOutcome
    reason: str | None = None
    content_digest: str | None
    content_bytes: int | None
    parsed_bytes: int = 0
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
    sessions_built: bool = False
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRead:
    """A row of ``raw_minecraft.log_reads``: what came of listing a server's logs, or of fetching one of them.

    The last three belong to the listing, whose path is empty: the logs in the folder, and how much of them is read.
    """

    server_uuid: uuid.UUID
    observed_at: datetime
    path: str
    outcome: ReadOutcome
    size: int | None = None
    modified_at: datetime | None = None
    reason: str | None = None
    files_present: int | None = None
    bytes_present: int | None = None
    bytes_read: int | None = None


_FILE_COLUMNS = [column.name for column in dataclasses.fields(LogFile)]
_READ_COLUMNS = [column.name for column in dataclasses.fields(LogRead)]


def known_files(connection: Connection, server_uuid: uuid.UUID | None = None) -> dict[uuid.UUID, list[LogFile]]:
    """Return the files of each server, or of one, in no order that means anything; `passes.log_names` gives one."""
    with connection.cursor(row_factory=class_row(LogFile)) as cursor:
        cursor.execute(
            f"""
            select {", ".join(_FILE_COLUMNS)} from {FILES}
            where %(server)s::uuid is null or server_uuid = %(server)s
            order by server_uuid, file_key
            """,
            {"server": server_uuid},
        )
        files: dict[uuid.UUID, list[LogFile]] = {}
        for file in cursor:
            files.setdefault(file.server_uuid, []).append(file)
    return files


@contextmanager
def one_at_a_time(connection: Connection) -> Iterator[None]:
    """Keep every other process from reading or writing rows of log files meanwhile; it waits until this is done.

    The command line and Dagster may both be at it, and a row is written back whole.
    """
    lock = "hashtext('pteroassets'), hashtext('log files')"
    connection.execute(f"select pg_advisory_lock({lock})")
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute(f"select pg_advisory_unlock({lock})")


def last_listed(connection: Connection) -> dict[uuid.UUID, datetime]:
    """Return when each server's logs were last listed, of those that ever were."""
    rows = connection.execute(
        f"select server_uuid, max(observed_at) from {READS} where path = '' and outcome = 'ok' group by server_uuid"
    ).fetchall()
    return dict(rows)


def unread_paths(connection: Connection, server_uuid: uuid.UUID) -> list[str]:
    """Return the files that lay in a server's folder when it was last listed, and could not be fetched."""
    rows = connection.execute(
        f"""
        select path from {READS}
        where server_uuid = %(server)s and path <> '' and outcome <> 'ok' and observed_at = (
            select max(observed_at) from {READS} where server_uuid = %(server)s and path = '' and outcome = 'ok'
        )
        order by path
        """,
        {"server": server_uuid},
    ).fetchall()
    return [path for (path,) in rows]


def save_file(connection: Connection, file: LogFile, load_id: uuid.UUID) -> None:
    """Insert *file*, or replace the row of its key."""
    values = [
        Jsonb(value) if column == "parser_state" and value is not None else value
        for column, value in ((column, getattr(file, column)) for column in _FILE_COLUMNS)
    ]
    changes = ", ".join(f"{column} = excluded.{column}" for column in [*_FILE_COLUMNS[2:], "_load_id"])
    connection.execute(
        f"""
        insert into {FILES} ({", ".join(_FILE_COLUMNS)}, _load_id, _loaded_at)
        values ({", ".join(["%s"] * len(_FILE_COLUMNS))}, %s, now())
        on conflict (server_uuid, file_key) do update set {changes}, _loaded_at = now()
        """,
        [*values, load_id],
    )


def forget_file(connection: Connection, server_uuid: uuid.UUID, file_key: str) -> None:
    """Remove a file and its events: its content stands under another key now."""
    connection.execute(f"delete from {EVENTS} where server_uuid = %s and file_key = %s", (server_uuid, file_key))
    connection.execute(f"delete from {FILES} where server_uuid = %s and file_key = %s", (server_uuid, file_key))


def save_reads(connection: Connection, reads: Iterable[LogRead], load_id: uuid.UUID) -> None:
    """Insert what came of each request; the first outcome of a pass stands when the pass is run again.

    Of files that were left to a later pass, or are packed as nothing here unpacks, only the newest rows are kept: they
    would be the folder once a pass.
    """
    reads = list(reads)
    repeated = {(read.server_uuid, read.outcome) for read in reads if read.path and read.outcome in SAID_EACH_PASS}
    for server_uuid, outcome in repeated:
        connection.execute(
            f"delete from {READS} where server_uuid = %s and outcome = %s and path <> ''", (server_uuid, outcome)
        )
    rows: Sequence[Sequence[Any]] = [[*(getattr(read, column) for column in _READ_COLUMNS), load_id] for read in reads]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"""
            insert into {READS} ({", ".join(_READ_COLUMNS)}, _load_id)
            values ({", ".join(["%s"] * (len(_READ_COLUMNS) + 1))}) on conflict do nothing
            """,
            rows,
        )


def unreferenced(connection: Connection, digests: Iterable[str]) -> list[str]:
    """Return those of *digests* that no file has any more."""
    wanted = list(digests)
    rows = connection.execute(
        f"select distinct content_digest from {FILES} where content_digest = any(%s)",
        (wanted,),
    ).fetchall()
    still = {digest for (digest,) in rows}
    return [digest for digest in wanted if digest not in still]
