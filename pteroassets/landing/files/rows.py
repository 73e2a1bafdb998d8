"""The tables of a game's files: which files are known, and what came of looking for them."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from pteroassets.landing.servers import EVERYBODY, ServerGroup
from pteroassets.sources.outcomes import SAID_EACH_PASS, FileOutcome, ReadOutcome
from pteroassets.warehouse.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A row of a table of files: a file that was seen at least once.

    Attributes:
        file_id: What rows of its content name it by, as long as it has this key; None until Postgres numbers it.
        file_key: Tells the files of a server apart, whatever their names are.
        log_date: Local day of its first line.
        log_sequence: Its number among those of that day, as its name tells it.
        date_source: What tells the day.
        is_live: The server still writes to it.
        is_listed: It has this path now.
        content_digest: Of its bytes in the store, unpacked.
        parsed_bytes: How many of them have been read.
        sessions_built: What is derived of it is as new as it is.
    """

    server_uuid: uuid.UUID
    file_key: str
    path: str
    log_date: date | None
    log_sequence: int | None
    date_source: str | None
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
    sessions_built: bool = False
    fetched_at: datetime
    file_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRead:
    """A row of a table of readings: what came of listing a server's folder, or of fetching one of its files.

    The last three belong to the listing, whose path is empty: the files in the folder, and how much of them is read.
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


_READ_COLUMNS = [column.name for column in dataclasses.fields(FileRead)]
_KEY = ("server_uuid", "file_key")
_NUMBER = "file_id"
Row = TypeVar("Row", bound=StoredFile)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTables(Generic[Row]):
    """Where the files of one game are landed.

    Attributes:
        row: The type of a file's row.
        files: Schema and name of their table.
        reads: The same of the readings.
        content: The same of the tables of what the files hold, by number of the file.
    """

    row: type[Row]
    files: str
    reads: str
    content: tuple[str, ...] = ()

    def known(
        self,
        connection: Connection,
        server_uuid: uuid.UUID | None = None,
        *,
        group: ServerGroup = EVERYBODY,
        without: Collection[str] = (),
    ) -> dict[uuid.UUID, list[Row]]:
        """Return the files of each server of *group*, or of one, in no order that means anything.

        Columns that are not needed can be left out, if a row of the type can be made *without* them; such rows must
        not be saved.
        """
        columns = [name for name in self._columns if name not in without]
        # in binary form, since most of the columns are times and numbers
        with connection.cursor(row_factory=class_row(self.row), binary=True) as cursor:
            cursor.execute(
                f"""
                select {", ".join(columns)} from {self.files}
                where (%(server)s::uuid is null or server_uuid = %(server)s) and {group.condition("server_uuid")}
                order by server_uuid, file_key
                """,
                {"server": server_uuid},
            )
            files: dict[uuid.UUID, list[Row]] = {}
            for file in cursor:
                files.setdefault(file.server_uuid, []).append(file)
        return files

    @contextmanager
    def one_at_a_time(self, connection: Connection, group: ServerGroup = EVERYBODY) -> Iterator[None]:
        """Keep every other process from reading or writing the files of *group* meanwhile; it waits until this is done.

        The command line and Dagster may run at once, and a row is written back whole. Groups that share no server do
        not wait for each other; whoever works on all servers waits for every group, and every group for that one.
        """
        rows = f"rows of {self.files}"
        everybody = "(hashtext('pteroassets'), hashtext(%(rows)s))"
        if group.is_everybody:
            with _locked(connection, [f"pg_advisory_lock{everybody}"], rows):
                yield
            return
        # all in one order, so that two groups never wait for each other in a circle
        buckets = [f"pg_advisory_lock(hashtext(%(rows)s), {bucket})" for bucket in group.buckets]
        with _locked(connection, [f"pg_advisory_lock_shared{everybody}", *buckets], rows):
            yield

    def last_listed(self, connection: Connection) -> dict[uuid.UUID, datetime]:
        """Return when each server's folder was last listed, of those that ever were."""
        rows = connection.execute(
            f"select server_uuid, max(observed_at) from {self.reads} "
            "where path = '' and outcome = 'ok' group by server_uuid"
        ).fetchall()
        return dict(rows)

    def unread_paths(self, connection: Connection, server_uuid: uuid.UUID) -> list[str]:
        """Return the files in a server's last listing that could not be fetched."""
        rows = connection.execute(
            f"""
            select path from {self.reads}
            where server_uuid = %(server)s and path <> '' and outcome <> 'ok' and observed_at = (
                select max(observed_at) from {self.reads}
                where server_uuid = %(server)s and path = '' and outcome = 'ok'
            )
            order by path
            """,
            {"server": server_uuid},
        ).fetchall()
        return [path for (path,) in rows]

    def save_all(self, connection: Connection, files: Sequence[StoredFile], load_id: uuid.UUID) -> None:
        """Insert each of *files*, or replace the row of its key, which keeps its number."""
        columns = [name for name in self._columns if name != _NUMBER]
        names = [*columns, "_load_id"]
        changes = ", ".join(f"{name} = %({name})s" for name in names if name not in _KEY)
        # not "on conflict": it would use up a number each time
        statement = f"""
            merge into {self.files} as known
            using (select %(server_uuid)s::uuid as server_uuid, %(file_key)s::text as file_key) as new
            on known.server_uuid = new.server_uuid and known.file_key = new.file_key
            when matched then update set {changes}, _loaded_at = now()
            when not matched then insert ({", ".join(names)}, _loaded_at)
            values ({", ".join(f"%({name})s" for name in names)}, now())
            """
        rows = [
            {"_load_id": load_id}
            | {name: Jsonb(value) if isinstance(value := getattr(file, name), dict) else value for name in columns}
            for file in files
        ]
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)

    def forget(self, connection: Connection, server_uuid: uuid.UUID, file_key: str) -> None:
        """Remove a file and what is known of what it holds: its content stands under another key now."""
        key = (server_uuid, file_key)
        for table in self.content:
            connection.execute(
                f"delete from {table} where {_NUMBER} = "
                f"(select {_NUMBER} from {self.files} where server_uuid = %s and file_key = %s)",
                key,
            )
        connection.execute(f"delete from {self.files} where server_uuid = %s and file_key = %s", key)

    def save_reads(self, connection: Connection, reads: Iterable[FileRead], load_id: uuid.UUID) -> None:
        """Insert the outcome of each request; if the pass is run again, the first outcome is kept.

        Of files that were left to a later pass, or are packed as nothing here unpacks, only the newest rows are kept:
        they would be the folder once a pass.
        """
        reads = list(reads)
        for server_uuid, outcome in {
            (read.server_uuid, read.outcome) for read in reads if read.path and read.outcome in SAID_EACH_PASS
        }:
            connection.execute(
                f"delete from {self.reads} where server_uuid = %s and outcome = %s and path <> ''",
                (server_uuid, outcome),
            )
        rows: Sequence[Sequence[Any]] = [
            [*(getattr(read, column) for column in _READ_COLUMNS), load_id] for read in reads
        ]
        with connection.cursor() as cursor:
            cursor.executemany(
                f"""
                insert into {self.reads} ({", ".join(_READ_COLUMNS)}, _load_id)
                values ({", ".join(["%s"] * (len(_READ_COLUMNS) + 1))}) on conflict do nothing
                """,
                rows,
            )

    def unreferenced(self, connection: Connection, digests: Iterable[str]) -> list[str]:
        """Return those of *digests* that no file uses any more."""
        wanted = list(digests)
        rows = connection.execute(
            f"select distinct content_digest from {self.files} where content_digest = any(%s)", (wanted,)
        ).fetchall()
        still = {digest for (digest,) in rows}
        return [digest for digest in wanted if digest not in still]

    @property
    def _columns(self) -> list[str]:
        return [column.name for column in dataclasses.fields(self.row)]


@contextmanager
def _locked(connection: Connection, locks: Sequence[str], rows: str) -> Iterator[None]:
    """Hold advisory locks of the session, taken in this order, which end with it at the latest.

    One statement takes all, and one gives them back: a group has up to 128 of them, and each server of a group is
    locked for itself.
    """
    values = {"rows": rows}
    connection.execute(f"select {', '.join(locks)}", values)
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute(
                f"select {', '.join(lock.replace('_lock', '_unlock', 1) for lock in reversed(locks))}", values
            )
