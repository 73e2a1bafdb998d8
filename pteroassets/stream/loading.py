"""The loader: what the lake got since the last time into `raw_events`, each row once, so that the models are the same.

Which offsets are loaded is written in the transaction of their rows, and rows are read by their offsets: it does not
matter which snapshots and files there are, nor whether they were made anew meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Final

import msgspec
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy.exc
from pyiceberg.table import Table

from pteroassets.collector.rows import COPY_DEAD_LETTERS, COPY_EVENTS, END, HEADER, dead_letter_row, event_row
from pteroassets.sources.events.envelope import Event, Reason, Refusal, read_event
from pteroassets.stream.lake import Lake, Offsets, TableName, offsets_of
from pteroassets.warehouse.connection import Connection, connect

_OFFSETS_AT_ONCE: Final = 100_000
"""Of each partition, in one transaction."""
_ROWS_AT_ONCE: Final = 20_000
_PASSING: Final = (psycopg.OperationalError, sqlalchemy.exc.OperationalError)
_COLUMNS: Final[dict[TableName, tuple[str, ...]]] = {
    "events": ("game", "received_at", "record"),
    "dead_letters": ("game", "received_at", "reason", "detail", "body"),
}
_log: Final = logging.getLogger(__name__)


class Loader:
    """Loads what the lake has into Postgres."""

    def __init__(self, lake: Lake, *, at_once: int = _OFFSETS_AT_ONCE) -> None:
        self._lake = lake
        self._at_once = at_once
        self._ended = threading.Event()

    def end(self) -> None:
        """Return from `run` once what is being loaded is committed."""
        self._ended.set()

    def run(self, *, seconds: float) -> int:
        """Load every so many *seconds* until `end` is called; return how many rows were loaded."""
        loaded = 0
        while True:
            try:
                loaded += self.load()
            except _PASSING as error:
                _log.warning("nothing was loaded, and it is tried again: %s", str(error).strip())
            if self._ended.wait(seconds):
                return loaded

    def load(self) -> int:
        """Load all that is not loaded yet; return how many rows that were."""
        loaded = 0
        catalogue = self._lake.catalogue()
        try:
            with connect(self._lake.warehouse, autocommit=True) as connection:
                for name in _COLUMNS:
                    table = self._lake.table(name, catalogue)
                    while not self._ended.is_set():
                        rows = self._load(connection, name, table)
                        if rows is None:
                            break
                        loaded += rows
        finally:
            catalogue.engine.dispose()
        return loaded

    def _load(self, connection: Connection, name: TableName, table: Table) -> int | None:
        """Load the next rows of one table; return how many, or None if all of its snapshot are loaded."""
        snapshot, ends = table.metadata.current_snapshot(), offsets_of(table.metadata)
        if snapshot is None:
            return None
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(hashtext('pteroassets'), hashtext('lake loader'))")
            parts = list(_parts(ends, _loaded(connection, name), self._at_once))
            if not parts:
                return None
            scan = table.scan(_filter(parts), selected_fields=_COLUMNS[name], snapshot_id=snapshot.snapshot_id)
            loaded = 0
            for batch in scan.to_arrow_batch_reader():
                for begin in range(0, batch.num_rows, _ROWS_AT_ONCE):
                    rows = batch.slice(begin, _ROWS_AT_ONCE)
                    _ensure_days(connection, rows)
                    (_land_events if name == "events" else _land_letters)(connection, rows)
                    loaded += rows.num_rows
            _note(connection, name, parts, snapshot.snapshot_id)
        return loaded


Part = tuple[str, int, int, int]
"""Topic, partition, first offset and the one after the last."""


def _parts(ends: Offsets, loaded: Offsets, at_once: int) -> Iterator[Part]:
    for topic, partitions in ends.items():
        for partition, end in partitions.items():
            begin = loaded.get(topic, {}).get(partition, 0)
            if begin < end:
                yield topic, partition, begin, min(end, begin + at_once)


def _filter(parts: Sequence[Part]) -> str:
    # a topic has no quotes in its name
    return " or ".join(
        f"(topic = '{topic}' and topic_partition = {partition} and topic_offset >= {begin} and topic_offset < {end})"
        for topic, partition, begin, end in parts
    )


def _loaded(connection: Connection, name: TableName) -> Offsets:
    loaded: Offsets = {}
    for topic, partition, offset in connection.execute(
        "select topic, topic_partition, next_offset from ops.lake_offsets where lake_table = %s", (name,)
    ):
        loaded.setdefault(topic, {})[partition] = offset
    return loaded


def _note(connection: Connection, name: TableName, parts: Sequence[Part], snapshot_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into ops.lake_offsets (lake_table, topic, topic_partition, next_offset, snapshot_id)
            values (%s, %s, %s, %s, %s)
            on conflict (lake_table, topic, topic_partition) do update
            set next_offset = excluded.next_offset, snapshot_id = excluded.snapshot_id, _loaded_at = now()
            """,
            [(name, topic, partition, end, snapshot_id) for topic, partition, _, end in parts],
        )


def _ensure_days(connection: Connection, rows: pa.RecordBatch) -> None:
    days: list[date] = pc.unique(pc.cast(rows.column("received_at"), pa.date32())).to_pylist()
    for day in sorted(days):
        connection.execute("select raw_events.ensure_day(%s)", (day,))


def _land_events(connection: Connection, rows: pa.RecordBatch) -> None:
    events, letters = [], []
    for game, received_at, raw in _values(rows, "events"):
        read = read_event(raw.encode())
        if isinstance(read, Event):
            events.append((game, received_at, read))
        else:  # by a contract that was changed since
            letters.append(dead_letter_row(read, game=game, received_at=received_at))
    letters += _copy_or_refuse(connection, events)
    _copy(connection, COPY_DEAD_LETTERS, letters)


def _copy_or_refuse(connection: Connection, events: Sequence[tuple[str, datetime, Event]]) -> list[bytes]:
    """Store *events*; return as dead letters those that Postgres refuses, which are looked for by halves."""
    rows = [event_row(event, game=game, received_at=received_at) for game, received_at, event in events]
    try:
        with connection.transaction():
            _copy(connection, COPY_EVENTS, rows)
    except psycopg.DataError as error:
        if len(events) > 1:
            middle = len(events) // 2
            return _copy_or_refuse(connection, events[:middle]) + _copy_or_refuse(connection, events[middle:])
        ((game, received_at, event),) = events
        detail = (error.diag.message_primary or "no reason given").replace("\0", "")
        refusal = Refusal(index=0, reason="refused_by_postgres", detail=detail, raw=event.raw)
        return [dead_letter_row(refusal, game=game, received_at=received_at)]
    return []


def _land_letters(connection: Connection, rows: pa.RecordBatch) -> None:
    letters = []
    for game, received_at, reason, detail, body in _values(rows, "dead_letters"):
        refusal = Refusal(index=0, reason=msgspec.convert(reason, Reason), detail=detail, raw=body)
        letters.append(dead_letter_row(refusal, game=game, received_at=received_at))
    _copy(connection, COPY_DEAD_LETTERS, letters)


def _values(rows: pa.RecordBatch, name: TableName) -> Iterator[tuple]:  # type: ignore[type-arg] # as the columns are
    return zip(*(rows.column(column).to_pylist() for column in _COLUMNS[name]), strict=True)


def _copy(connection: Connection, statement: str, rows: Sequence[bytes]) -> None:
    if rows:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(b"".join((HEADER, *rows, END)))
