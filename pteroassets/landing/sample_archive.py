"""The archive of old samples: Parquet files, one a month, in a folder or in any store that fsspec can write to.

A month is written before its partition is dropped, and read back before the file gets its name::

    partition --COPY, in one snapshot--> rows --Arrow--> .name.part --read back, same checksum--> name --> drop

So a file under its own name is whole, and one that is there already is never written over. Rows pass through in groups,
so that memory does not grow with the month (decision 36).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped] # ships no types
from psycopg import sql

from pteroassets.landing.files.store import open_place
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import month_after, months_stored, partition_of, starts_at
from pteroassets.warehouse.restored import RESTORED, restored_name
from pteroassets.warehouse.retention import ArchivedMonth, passes_of

SETTING: Final = "PTEROASSETS_SAMPLE_ARCHIVE"
GROUP_ROWS = 65_536
"""Rows of a row group, which is what is in memory at a time."""
# any number that no one else on this database takes
_ARCHIVE_LOCK = 7_316_054
_FILE = re.compile(r"utilization_samples_(?P<month>\d{4}-\d\d)(?:_\d+)?\.parquet")
_KEY = b"pteroassets"
_UNKNOWN = "\\N"
_BETWEEN = "\x1f"

_TIME = pa.timestamp("us", tz="UTC")
#: Type and description of each column of a file, in order; the names are those of ``raw_pterodactyl.restored_samples``.
COLUMNS: Final[Mapping[str, tuple[pa.DataType, str]]] = {
    "server_uuid": (pa.string(), "UUID of the server, its identity everywhere."),
    "pass_at": (_TIME, "When the sampling pass began."),
    "sampled_at": (_TIME, "When this server answered, or was passed over."),
    "interval_seconds": (pa.int32(), "Seconds for which a sample of this pass stands at the most."),
    "node_name": (pa.string(), "Name of the node; NULL where it is unknown."),
    "outcome": (pa.string(), "What came of asking: ok, offline, or why there is nothing to measure."),
    "state": (pa.string(), "State as the panel said it."),
    "cpu_percent": (pa.float64(), "Processor use in percent of one core; NULL unless measured."),
    "memory_bytes": (pa.int64(), "Memory in use, in bytes; NULL unless measured."),
    "disk_bytes": (pa.int64(), "Disk in use, in bytes, as the node last walked it."),
    "network_rx_bytes": (pa.int64(), "Bytes received since the container started."),
    "network_tx_bytes": (pa.int64(), "Bytes sent since the container started."),
    "uptime_milliseconds": (pa.int64(), "Milliseconds since the container started."),
    "is_suspect": (pa.bool_(), "Running with an uptime but no memory: a fault, not a measurement."),
    "reason": (pa.string(), "Why there is nothing, in words."),
    "_load_id": (pa.string(), "Load that brought the sample, as in ops.loads."),
    "_loaded_at": (_TIME, "When the sample was landed."),
}
_SCHEMA = pa.schema([pa.field(name, kind) for name, (kind, _) in COLUMNS.items()])
# as they are copied and compared: times in microseconds since 1970, the processor's use in thousandths of a percent
_WHOLE = {"cpu_percent": "cpu_thousandths"}
_EXACT = [_WHOLE.get(name, name) for name in COLUMNS]
_EXACT_TYPES = {
    _WHOLE.get(name, name): pa.int64() if kind == _TIME or name in _WHOLE else kind
    for name, (kind, _) in COLUMNS.items()
}
_MICROSECONDS = "(extract(epoch from {}) * 1000000)::bigint"
_PARTITION_ROWS = f"""
    with
    passes as materialized (
        select pass_number, interval_seconds, _load_id::text as _load_id,
            {_MICROSECONDS.format("raw_pterodactyl.pass_time(pass_number)")} as pass_at,
            {_MICROSECONDS.format("sampled_from")} as sampled_from,
            {_MICROSECONDS.format("_loaded_at")} as _loaded_at
        from raw_pterodactyl.sample_passes
        where raw_pterodactyl.pass_time(pass_number) >= {{first}} and raw_pterodactyl.pass_time(pass_number) < {{until}}
    )
    select
        answers.server_uuid::text as server_uuid,
        passes.pass_at,
        passes.sampled_from + measures.sampled_microseconds as sampled_at,
        passes.interval_seconds,
        answers.node_name,
        answers.outcome,
        answers.state,
        measures.cpu_thousandths,
        measures.memory_bytes,
        measures.disk_bytes,
        measures.network_rx_bytes,
        measures.network_tx_bytes,
        measures.uptime_milliseconds,
        answers.is_suspect,
        answers.reason,
        passes._load_id,
        passes._loaded_at
    from {{table}} as measures
    left join passes on measures.pass_number = passes.pass_number
    left join raw_pterodactyl.sample_answers as answers on measures.answer_id = answers.answer_id
"""
_RESTORED_ROWS = "select {} from {{table}} as rows".format(
    ", ".join(
        "round(cpu_percent::numeric * 1000)::integer as cpu_thousandths"
        if name == "cpu_percent"
        else f"{_MICROSECONDS.format(name)} as {name}"
        if kind == _TIME
        else f"{name}::text as {name}"
        if kind == pa.string()
        else name
        for name, (kind, _) in COLUMNS.items()
    )
)
# the sum of the first 60 bits of the digest of each row, so that the order of rows does not matter
_CHECKSUM = """
    select count(*), coalesce(sum(('x' || left(encode(sha256(convert_to(concat_ws(
        E'\\x1f', {values}
    ), 'UTF8')), 'hex'), 15))::bit(60)::bigint), 0)::text
    from ({rows}) as rows
""".replace("{values}", ", ".join(f"coalesce({name}::text, '{_UNKNOWN}')" for name in _EXACT))


class SampleArchiveError(Exception):
    """The archive cannot be written or read; the message says what to do, and nothing was dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredMonth:
    """A month that was asked for.

    Attributes:
        month: Its first day, in UTC.
        samples: How many are in the table of restored samples.
        is_new: Whether they were not there before.
    """

    month: date
    samples: int
    is_new: bool


class SampleArchive:
    """The files of a folder or of a prefix in an object store.

    Args:
        location: A folder, or a URL that fsspec knows.

    Raises:
        LogStoreError: The kind of store is unknown, or the package that opens it is not installed.
    """

    def __init__(self, location: str) -> None:
        self._location = location
        self._name, self._files, self._root = open_place(location, setting=SETTING)

    def keep(self, connection: Connection, month: date) -> ArchivedMonth:
        """Write the partition of *month* as a file, unless a file with just these rows is there; return what it has.

        Args:
            connection: In autocommit mode; what is read is of one snapshot.
            month: Its first day.

        Raises:
            SampleArchiveError: The store is full, cannot be reached, or gave back something else than it was given.
        """
        with _one_at_a_time(connection), connection.transaction():
            connection.execute("set transaction isolation level repeatable read")
            # in the order of the table, which is nearly that of time
            connection.execute("set local max_parallel_workers_per_gather = 0")
            rows = sql.SQL(_PARTITION_ROWS).format(
                table=sql.Identifier("raw_pterodactyl", partition_of(month)),
                first=sql.Literal(starts_at(month)),
                until=sql.Literal(starts_at(month_after(month))),
            )
            found = _checked(connection, rows)
            passes = passes_of(connection, month)
            with self._told(f"samples of {month:%Y-%m} cannot be archived in {self._name}", "they stay in Postgres"):
                name = next(
                    name
                    for name in _names(month)
                    if not self._files.exists(self._path(name)) or self._checked(name) == found
                )
                if not self._files.exists(self._path(name)):
                    self._write(name, _groups(connection, rows), month=month, found=found)
        return ArchivedMonth(month=month, file=name, samples=found[0], checksum=found[1], passes=passes)

    def remove(self, name: str) -> None:
        """Remove the file *name*, whose rows are all still in Postgres."""
        with self._told(f"{name} cannot be removed from {self._name}", "remove it by hand"):
            self._files.rm_file(self._path(name))

    def restore(self, connection: Connection, first: date, last: date) -> Iterator[RestoredMonth]:
        """Put the months from *first* to *last* into ``raw_pterodactyl.restored_samples``, a transaction each.

        A month that is there already stays as it is.

        Raises:
            SampleArchiveError: The archive has no samples of these months, or they cannot be read.
        """
        with self._told(f"{self._name} cannot be read", "nothing was restored"):
            present = self._months()
        kept: dict[str, date] = dict(connection.execute("select file, month from ops.archived_samples").fetchall())
        stored = {month for month, _ in months_stored(connection)}
        by_month: dict[date, list[str]] = {}
        for name, month in sorted({**{n: m for n, m in present.items() if m not in kept.values()}, **kept}.items()):
            # a file that nobody noted, of a month that is still in Postgres, is what a killed run left
            if first <= month <= last and (name in kept or month not in stored):
                by_month.setdefault(month, []).append(name)
        if not by_month:
            raise SampleArchiveError(
                f"{self._name} has no samples of {first:%Y-%m} to {last:%Y-%m}: ops.archived_samples lists what was "
                "archived, and what was not dropped yet is in raw_pterodactyl.utilization_samples"
            )
        for month, names in sorted(by_month.items()):
            with _one_at_a_time(connection):
                restored = self._restore(connection, month, names)
            yield restored

    def _restore(self, connection: Connection, month: date, names: list[str]) -> RestoredMonth:
        table = sql.Identifier("raw_pterodactyl", restored_name(month))
        if connection.execute("select to_regclass(%s)", (table.as_string(connection),)).fetchone() != (None,):
            ((samples,),) = connection.execute(sql.SQL("select count(*) from {}").format(table)).fetchall()
            return RestoredMonth(month=month, samples=samples, is_new=False)
        statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
            table, sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
        )
        with connection.transaction():
            connection.execute(
                sql.SQL("create table {} (like {} including all)").format(table, sql.Identifier(*RESTORED.split(".")))
            )
            samples, checksum = 0, 0
            for name in names:
                with (
                    self._told(f"{name} cannot be read from {self._name}", "its month was not restored"),
                    self._opened(name) as file,
                ):
                    said = _said(file)
                    with connection.cursor() as cursor, cursor.copy(statement) as copy:
                        for number in range(file.num_row_groups):
                            copy.write(_as_csv(file.read_row_group(number)))
                samples, checksum = samples + said[0], checksum + int(said[1])
            found = _checked(connection, sql.SQL(_RESTORED_ROWS).format(table=table))
            if found != (samples, str(checksum)):
                raise SampleArchiveError(
                    f"{' and '.join(names)} in {self._name} said {samples} samples with the checksum {checksum}, "
                    f"and has {found[0]} with {found[1]}: changed or damaged, so that its month was not restored"
                )
            connection.execute(
                sql.SQL("alter table {} attach partition {} for values from ({}) to ({})").format(
                    sql.Identifier(*RESTORED.split(".")),
                    table,
                    sql.Literal(starts_at(month).isoformat()),
                    sql.Literal(starts_at(month_after(month)).isoformat()),
                )
            )
        connection.execute(sql.SQL("vacuum (analyze) {}").format(table))
        return RestoredMonth(month=month, samples=samples, is_new=True)

    def _write(self, name: str, groups: Iterator[pa.Table], *, month: date, found: tuple[int, str]) -> None:
        said = {
            "table": "raw_pterodactyl.utilization_samples",
            "month": f"{month:%Y-%m}",
            "samples": found[0],
            "checksum": found[1],
            "columns": {column: description for column, (_, description) in COLUMNS.items()},
        }
        aside = f".{name}.part"
        if self._is_folder:
            Path(self._root).mkdir(parents=True, exist_ok=True)
        else:
            self._files.makedirs(self._root, exist_ok=True)
        try:
            with self._files.open(self._path(aside), "wb") as file:
                with pq.ParquetWriter(
                    file, _SCHEMA.with_metadata({_KEY: json.dumps(said).encode()}), compression="zstd"
                ) as writer:
                    for group in groups:
                        writer.write_table(group, row_group_size=GROUP_ROWS)
                if self._is_folder:
                    file.flush()
                    os.fsync(file.fileno())
            self._compare(aside, found)
            self._rename(aside, name)
        except BaseException:
            with suppress(Exception):  # the fault itself is told; what stays aside the next try writes over
                self._files.rm_file(self._path(aside))
            raise

    def _rename(self, aside: str, name: str) -> None:
        if not self._is_folder:
            self._files.mv(self._path(aside), self._path(name))
            return
        Path(self._path(aside)).rename(self._path(name))
        # the name itself is to be on the disk before the rows are gone
        folder = os.open(self._root, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _compare(self, name: str, found: tuple[int, str]) -> None:
        read = self._checked(name)
        if read != found:
            raise OSError(f"it was given {found[0]} samples, and gave back {read[0]} or others")

    def _checked(self, name: str) -> tuple[int, str]:
        """Read the file *name* and return how many rows it has, and their checksum."""
        samples = checksum = 0
        with self._opened(name) as file:
            if file.schema_arrow.names != list(COLUMNS):
                return 0, "other columns"
            for number in range(file.num_row_groups):
                rows = file.read_row_group(number)
                samples += rows.num_rows
                checksum += _checksum(rows)
        return samples, str(checksum)

    @contextmanager
    def _opened(self, name: str) -> Iterator[pq.ParquetFile]:
        with self._files.open(self._path(name), "rb") as content, pq.ParquetFile(content) as file:
            yield file

    def _months(self) -> dict[str, date]:
        if not self._files.exists(self._root):
            return {}
        names = (str(path).rpartition("/")[2] for path in self._files.ls(self._root, detail=False))
        found = ((name, _FILE.fullmatch(name)) for name in names)
        return {name: date.fromisoformat(f"{match['month']}-01") for name, match in found if match}

    @property
    def _is_folder(self) -> bool:
        return isinstance(self._files, LocalFileSystem)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _told(self, what: str, so: str) -> Iterator[None]:
        """Say of what a store raises *what* does not work, and what that means; its kinds of errors are many."""
        try:
            yield
        except (psycopg.Error, SampleArchiveError):
            raise
        except Exception as error:
            # a URL may hold a password
            why = (str(error) or type(error).__name__).replace(self._location, self._name)
            raise SampleArchiveError(
                f"{what} ({why}): {so}. Make room or mend the store that {SETTING} names, or name another one"
            ) from error


def _names(month: date) -> Iterator[str]:
    """Yield the names that a file of *month* may have; a second one holds what came after the first was archived."""
    for number in count(1):
        yield f"utilization_samples_{month:%Y-%m}{'' if number == 1 else f'_{number}'}.parquet"


def _checked(connection: Connection, rows: sql.Composable) -> tuple[int, str]:
    """Let Postgres count *rows*, and make their checksum."""
    ((samples, checksum),) = connection.execute(sql.SQL(_CHECKSUM).format(rows=rows)).fetchall()
    return samples, checksum


def _groups(connection: Connection, rows: sql.Composable) -> Iterator[pa.Table]:
    """Yield *rows* in groups, each sorted by server and time, so that equal values stand together."""
    convert = pa.csv.ConvertOptions(
        column_types=_EXACT_TYPES,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )
    with connection.cursor() as cursor, cursor.copy(sql.SQL("copy ({}) to stdout (format csv)").format(rows)) as copy:
        lines = iter(copy)
        while group := b"".join(islice(lines, GROUP_ROWS)):
            exact = pa.csv.read_csv(
                pa.BufferReader(group),
                read_options=pa.csv.ReadOptions(column_names=_EXACT, block_size=len(group) + 1),
                parse_options=pa.csv.ParseOptions(newlines_in_values=True),
                convert_options=convert,
            )
            yield _natural(exact).sort_by([("server_uuid", "ascending"), ("pass_at", "ascending")])


def _natural(exact: pa.Table) -> pa.Table:
    columns = [
        pc.divide(pc.cast(values, pa.float64()), 1000.0) if name in _WHOLE else pc.cast(values, kind)
        for (name, (kind, _)), values in zip(COLUMNS.items(), exact.columns, strict=True)
    ]
    return pa.table(columns, schema=_SCHEMA)


def _checksum(rows: pa.Table) -> int:
    """Return the checksum of *rows*, as `_CHECKSUM` has Postgres make it."""
    exact = [
        pc.cast(pc.round(pc.multiply(values, 1000.0)), pa.int64())
        if name in _WHOLE
        else pc.cast(values, pa.int64())
        if kind == _TIME
        else values
        for (name, (kind, _)), values in zip(COLUMNS.items(), rows.columns, strict=True)
    ]
    texts = pc.binary_join_element_wise(
        *(pc.cast(values, pa.large_string()) for values in exact),
        pa.scalar(_BETWEEN, pa.large_string()),
        null_handling="replace",
        null_replacement=_UNKNOWN,
    )
    return sum(
        int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 4
        for chunk in texts.chunks
        for text in pc.cast(chunk, pa.large_binary()).to_pylist()
    )


def _as_csv(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pa.csv.write_csv(rows, sink, pa.csv.WriteOptions(include_header=False))
    return bytes(sink.getvalue())


def _said(file: pq.ParquetFile) -> tuple[int, str]:
    said: dict[str, Any] = json.loads(file.schema_arrow.metadata[_KEY])
    return said["samples"], said["checksum"]


@contextmanager
def _one_at_a_time(connection: Connection) -> Iterator[None]:
    connection.execute("select pg_advisory_lock(%s)", (_ARCHIVE_LOCK,))
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute("select pg_advisory_unlock(%s)", (_ARCHIVE_LOCK,))
