"""Put rows into Postgres: binary COPY, upserts through a temporary table, narrow samples, and the ledger of loads."""

from __future__ import annotations

import struct
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from typing import Any, Final, cast

import numpy as np
from psycopg import sql
from psycopg.types.json import Jsonb

from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.samples import SAMPLES, STEP, ManyLoadsError

# halfway of the numbers of passes, which are counted in steps of ten seconds (migration 10)
_EPOCH = datetime(2024, 1, 1, tzinfo=UTC) + 2**25 * STEP
_LOADS_A_PASS = 64  # a long pass is landed in parts
# how far a time is from where it is counted, in microseconds, has four bytes
_LONGEST = 2**31 - 1
_MICROSECOND = timedelta(microseconds=1)
_MEASURES = {
    "memory_bytes": ">i8",
    "disk_bytes": ">i8",
    "network_rx_bytes": ">i8",
    "network_tx_bytes": ">i8",
    "uptime_milliseconds": ">i8",
    "cpu_thousandths": ">i4",
    "pass_number": ">i4",
    "answer_id": ">i4",
    "sampled_microseconds": ">i4",
}
_COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"
_COPY = f"copy raw_pterodactyl.sample_measures ({', '.join(_MEASURES)}) from stdin (format binary)"
_CHUNK_ROWS = 1000  # so many rows and what is made of them stay in the processor's cache
_kind_of = itemgetter(4, 5, 6, 13, 14)
_KIND: Final = "node_name, outcome, state, is_suspect, reason"

Row = Sequence[Any]
Kind = tuple[Any, ...]
Numbers = np.ndarray[Any, np.dtype[np.int64]]
Column = tuple[Numbers, np.ndarray[Any, np.dtype[np.bool_]] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What one load of one table did; a row of ``ops.loads``, beside what is only *shown* of it in the UI."""

    table: str
    observed_at: datetime
    is_complete: bool = True
    rows_read: int
    rows_expected: int | None = None
    rows_added: int
    rows_changed: int = 0
    rows_gone: int = 0
    rows_total: int | None = None
    requests: int = 0
    seconds: float = 0.0
    rate_limit_remaining: int | None = None
    problems: Sequence[Mapping[str, str]] = ()
    shown: Mapping[str, str | int] = field(default_factory=dict)
    load_id: uuid.UUID = field(default_factory=uuid.uuid4)


def table_identifier(table: str) -> sql.Identifier:
    """Return ``schema.name`` as an identifier of two parts."""
    return sql.Identifier(*table.split("."))


def copy_rows(
    connection: Connection, table: sql.Composable, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> int:
    """COPY *rows* in binary form into *table* and return their number.

    Args:
        connection: Its open transaction decides when the rows become visible.
        table: Where they go.
        columns: Name and Postgres type of each member of a row, in order.
        rows: Plain Python values; a numpy scalar is refused by psycopg.
    """
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        table, sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    count = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def stage_rows(
    connection: Connection, name: str, like: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> int:
    """COPY *rows* into a new temporary table *name*, with the named columns of *like*, gone at commit."""
    connection.execute(
        sql.SQL("create temporary table {} on commit drop as select {} from {} with no data").format(
            sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns)), table_identifier(like)
        )
    )
    count = copy_rows(connection, sql.Identifier(name), columns, rows)
    # not of documents, which nothing is joined by and which take as long as all other columns to sort
    compared = [column for column, kind in columns.items() if kind != "jsonb"]
    connection.execute(
        sql.SQL("analyze {} ({})").format(sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, compared)))
    )
    return count


def lock_table_for_load(connection: Connection, table: str) -> None:
    """Lock *table* against other loads until the end of the transaction."""
    connection.execute("select pg_advisory_xact_lock(hashtext('pteroassets'), hashtext(%s))", (table,))


def record_load(connection: Connection, report: LoadReport) -> None:
    """Write *report* into the ledger, in the transaction of the load itself.

    Loads of one table come one after another, so that they are numbered in the order in which they are committed.
    Incremental models rely on it (decision 13).
    """
    # the number is drawn for a row that there is once the lock is held
    connection.execute(
        """
        insert into ops.loads (
            load_id, table_name, observed_at, is_complete, rows_read, rows_expected, rows_added, rows_changed,
            rows_gone, rows_total, requests, seconds, rate_limit_remaining, problems
        )
        select %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s
        from (select pg_advisory_xact_lock(hashtext('pteroassets'), hashtext(%s))) as locked
        """,
        (
            report.load_id,
            report.table,
            report.observed_at,
            report.is_complete,
            report.rows_read,
            report.rows_expected,
            report.rows_added,
            report.rows_changed,
            report.rows_gone,
            report.rows_total,
            report.requests,
            report.seconds,
            report.rate_limit_remaining,
            Jsonb([dict(problem) for problem in report.problems]),
            report.table,
        ),
    )


def partition_of(month: date) -> str:
    """Return the name of the partition of *month*."""
    return f"sample_measures_{month:%Y_%m}"


def months_stored(connection: Connection) -> list[tuple[date, datetime]]:
    """Return the months that have a partition, oldest first: the first day of each, and when it ends."""
    names = connection.execute(
        "select relname from pg_class inner join pg_inherits on inhrelid = pg_class.oid "
        "where inhparent = 'raw_pterodactyl.sample_measures'::regclass order by relname"
    ).fetchall()
    months = [date(int(name[-7:-3]), int(name[-2:]), 1) for (name,) in names]
    return [(month, starts_at(month_after(month))) for month in months]


def ensure_months(connection: Connection, times: Iterable[datetime]) -> None:
    """Make the partitions of the months of *times*, and of the month after each."""
    firsts = {_month(at) for at in times}
    months = sorted(firsts | {month_after(month) for month in firsts})
    missing = connection.execute(
        "select name from unnest(%s::text[]) as names (name) where to_regclass('raw_pterodactyl.' || name) is null",
        ([partition_of(month) for month in months],),
    ).fetchall()
    for month in months:
        if (partition_of(month),) in missing:
            # attached, not made as a partition: that would wait for everybody who reads samples
            connection.execute(
                sql.SQL(
                    "create table {name} (like raw_pterodactyl.sample_measures including all); "
                    "alter table raw_pterodactyl.sample_measures attach partition {name} "
                    "for values from ({first}) to ({last})"
                ).format(
                    name=sql.Identifier("raw_pterodactyl", partition_of(month)),
                    first=sql.Literal(starts_at(month).isoformat()),
                    last=sql.Literal(starts_at(month_after(month)).isoformat()),
                )
            )


def _month(at: datetime) -> date:
    return at.astimezone(UTC).date().replace(day=1)


def starts_at(month: date) -> datetime:
    """Return when the month begins whose first day is *month*."""
    return datetime.combine(month, time(), UTC)


def month_after(month: date) -> date:
    """Return the first day of the month after *month*."""
    return (month + timedelta(days=31)).replace(day=1)


def put_samples(
    connection: Connection,
    rows: Sequence[Row],
    *,
    load_id: uuid.UUID,
    replaced: Collection[str],
    answers: KnownAnswers,
) -> tuple[int, int]:
    """Add *rows* (in the order of `SAMPLE_COLUMNS`) and return how many were added and how many took another's place.

    Of a server in a pass the first row counts. One that is there already stays, unless its outcome is one of *replaced*
    and the new one's is not. Other loads of samples wait until the transaction ends.

    Raises:
        ManyLoadsError: There are 64 loads of this pass already.
        ValueError: A pass does not begin at a multiple of `STEP`, or a figure is larger than can be stored.
    """
    numbers = _PassNumbers(connection, {row[1]: row for row in rows}, load_id)
    changed = 0
    if numbers.again or len({row[0].int for row in rows}) < len(rows):
        wanted: dict[tuple[Any, Any], Row] = {}
        for row in rows:
            wanted.setdefault((row[0], row[1]), row)
        changed = _make_room(connection, wanted, numbers.again, replaced)
        rows = [*wanted.values()]
    keys = answers.of(connection, rows)
    chunks = [slice(begin, begin + _CHUNK_ROWS) for begin in range(0, len(rows), _CHUNK_ROWS)]
    blocks = [block for chunk in chunks for block in _binary(_narrow(rows[chunk], keys[chunk], numbers))]
    if blocks:
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.write(b"".join((_COPY_HEADER, *blocks, _COPY_END)))
    return len(rows) - changed, changed


class _PassNumbers(dict[tuple[datetime, int, int], int]):
    """The numbers of the passes of one load, by `_pass_key`: of a new pass at once, the next when they are asked for.

    Attributes:
        again: The passes that were loaded before.
    """

    def __init__(self, connection: Connection, passes: Mapping[datetime, Row], load_id: uuid.UUID) -> None:
        super().__init__()
        self._connection = connection
        self._load_id = load_id
        self._slots = {at: _slot(at) for at in passes}
        self._taken: dict[int, int] = {}
        keys = {self._slots[at] * _LOADS_A_PASS: _pass_key(row) for at, row in passes.items()}
        months = sorted({month for at in passes for month in (_month(at), month_after(_month(at)))})
        # one statement: first the lock, then what is there, also if it came while this waited
        found = connection.execute(
            """
            insert into raw_pterodactyl.sample_passes (pass_number, interval_seconds, sampled_from, _load_id)
            select new.pass_number, new.interval_seconds, new.sampled_from, %s
            from (select pg_advisory_xact_lock(hashtext('pteroassets'), hashtext(%s))) as locked,
                unnest(%s::int4[], %s::int4[], %s::timestamptz[]) as new (pass_number, interval_seconds, sampled_from)
            on conflict do nothing
            returning pass_number, (
                select bool_and(to_regclass('raw_pterodactyl.' || month) is not null)
                from unnest(%s::text[]) as months (month)
            )
            """,
            (
                load_id,
                SAMPLES,
                [*keys],
                [interval for _, interval, _ in keys.values()],
                [_counted_from(key) for key in keys.values()],
                [*map(partition_of, months)],
            ),
        ).fetchall()
        for number, _ in found:
            self._taken[number // _LOADS_A_PASS] = number
            self[keys[number]] = number
        self.again = [at for at, slot in self._slots.items() if slot not in self._taken]
        if self.again:
            self._taken |= {
                number // _LOADS_A_PASS: number
                for (number,) in connection.execute(
                    "select max(passes.pass_number) from unnest(%s::int4[]) as slots (slot) "
                    "inner join raw_pterodactyl.sample_passes as passes "
                    "on passes.pass_number between slot * 64 and slot * 64 + 63 group by slot",
                    ([self._slots[at] for at in self.again],),
                )
            }
        if self.again or not all(has_months for _, has_months in found):
            ensure_months(connection, passes)

    def __missing__(self, key: tuple[datetime, int, int]) -> int:
        at, interval, _ = key
        slot = self._slots[at]
        self[key] = self._taken[slot] = number = self._taken[slot] + 1
        if number // _LOADS_A_PASS != slot:
            raise ManyLoadsError(f"the pass of {at.isoformat()} was loaded {_LOADS_A_PASS} times already")
        self._connection.execute(
            "insert into raw_pterodactyl.sample_passes (pass_number, interval_seconds, sampled_from, _load_id) "
            "values (%s, %s, %s, %s)",
            (number, interval, _counted_from(key), self._load_id),
        )
        return number


def _pass_key(row: Row) -> tuple[datetime, int, int]:
    """Return the pass of *row*, its interval, and from how many times `_LONGEST` after the pass its time is counted."""
    return row[1], row[3], (row[2] - row[1]) // (_LONGEST * _MICROSECOND)


def _counted_from(key: tuple[datetime, int, int]) -> datetime:
    at, _, window = key
    return at + window * _LONGEST * _MICROSECOND


def _make_room(
    connection: Connection, wanted: dict[tuple[Any, Any], Row], again: list[datetime], replaced: Collection[str]
) -> int:
    """Take out of *wanted* what is there already and stays; delete what does not, and return how many that are."""
    gone: dict[datetime, list[Any]] = defaultdict(list)
    for at in again:
        for server, outcome in connection.execute(
            "select server_uuid, outcome from raw_pterodactyl.utilization_samples where pass_at = %s", (at,)
        ).fetchall():
            new = wanted.get((server, at))
            if new is not None and outcome in replaced and new[5] not in replaced:
                gone[at].append(server)
            elif new is not None:
                del wanted[server, at]
    return sum(
        connection.execute(
            "delete from raw_pterodactyl.sample_measures as measures using raw_pterodactyl.sample_answers as answers "
            "where raw_pterodactyl.pass_time(measures.pass_number) = %s and answers.answer_id = measures.answer_id "
            "and answers.server_uuid = any(%s)",
            (at, servers),
        ).rowcount
        for at, servers in gone.items()
    )


class KnownAnswers:
    """The keys of what servers said besides figures, kept from one load to the next: no answer is ever deleted."""

    def __init__(self) -> None:
        self._keys: dict[Kind, dict[bytes, int]] = defaultdict(dict)
        self._may_be_undone = False

    def of(self, connection: Connection, rows: Sequence[Row]) -> list[int]:
        """Return for each of *rows* the key of what it says, made where no server's answer was the same.

        The caller holds the lock of the table.
        """
        if self._may_be_undone:  # with the transaction that made them
            self._keys.clear()
            self._may_be_undone = False
        found = self._found(rows)
        if None in found:
            self._read(connection, set(map(_kind_of, rows)))
            found = self._found(rows)
        if None in found:
            new = dict.fromkeys((row[0], *_kind_of(row)) for row, key in zip(rows, found, strict=True) if key is None)
            connection.execute(
                f"insert into raw_pterodactyl.sample_answers (server_uuid, {_KIND}) "
                "select * from unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::bool[], %s::text[])",
                [[*column] for column in zip(*new, strict=True)],
            )
            self._may_be_undone = True
            self._read(connection, {answer[1:] for answer in new})
            found = self._found(rows)
        return cast("list[int]", found)

    def _found(self, rows: Sequence[Row]) -> list[int | None]:
        keys, kinds = self._keys, map(_kind_of, rows)
        return [keys[kind].get(row[0].int.to_bytes(16, "big")) for row, kind in zip(rows, kinds, strict=True)]

    def _read(self, connection: Connection, kinds: Collection[Kind]) -> None:
        # every server's, in two long values a kind: to name the servers takes longer, and a row for each does too
        for *kind, servers, answers in connection.execute(
            f"select {_KIND}, string_agg(uuid_send(server_uuid), ''), string_agg(int4send(answer_id), '') "
            "from raw_pterodactyl.sample_answers where outcome = any(%s) and (reason is null or reason = any(%s)) "
            f"group by {_KIND}",
            ([*{kind[1] for kind in kinds}], [*{kind[4] for kind in kinds}]),
            binary=True,
        ):
            if tuple(kind) in kinds:
                count = len(answers) // 4
                self._keys[tuple(kind)] = dict(
                    zip(struct.unpack("16s" * count, servers), struct.unpack(f">{count}i", answers), strict=True)
                )


def _narrow(rows: Sequence[Row], answers: Sequence[int], numbers: _PassNumbers) -> dict[str, Column]:
    """Return *rows*, and the keys of their *answers*, as columns of the stored rows, and which values are unknown.

    Column by column: numpy and C go through them some times faster than a loop goes through the rows.
    """
    _, begins, sampled, intervals, _, _, _, cpu, *figures, _, _ = zip(*rows, strict=True)
    seconds = [(one - begin).total_seconds() for one, begin in zip(sampled, begins, strict=True)]
    windows, microseconds = np.divmod(np.rint(np.array(seconds) * 1e6).astype(np.int64), _LONGEST)
    keys = zip(begins, intervals, windows.tolist(), strict=True)
    return {
        **dict(zip(_MEASURES, map(_whole, figures), strict=False)),
        "cpu_thousandths": _thousandths(cpu),
        "pass_number": (np.array([numbers[key] for key in keys]), None),
        "answer_id": (np.array(answers), None),
        "sampled_microseconds": (microseconds, None),
    }


def _whole(values: Sequence[int | None]) -> Column:
    try:
        return np.array(values, dtype=np.int64), None
    except TypeError:  # some are unknown
        unknown = np.array([value is None for value in values])
        return np.array([value or 0 for value in values], dtype=np.int64), unknown


def _thousandths(percent: Sequence[float | None]) -> Column:
    known = np.array(percent, dtype=np.float64)  # unknown becomes NaN
    unknown = np.array([value is None for value in percent]) if None in percent else None
    thousandths = np.rint((known if unknown is None else np.where(unknown, 0, known)) * 1000)
    if not (np.abs(thousandths) <= _LONGEST).all():
        raise ValueError(f"no processor use is {np.abs(thousandths).max() / 1000} percent of a core")
    return thousandths.astype(np.int64), unknown


def _binary(columns: Mapping[str, Column]) -> Iterator[bytes]:
    """Yield rows of *columns* as COPY reads them: a block for all that lack the same figures."""
    patterns = np.zeros(len(columns["answer_id"][0]), dtype=np.int64)
    for position, name in enumerate(_MEASURES):
        unknown = columns[name][1]
        if unknown is not None:
            patterns |= unknown.astype(np.int64) << position
    for pattern in np.unique(patterns).tolist():
        chosen = patterns == pattern
        is_known = {name: not pattern >> position & 1 for position, name in enumerate(_MEASURES)}
        layout: list[tuple[str, str]] = [("fields", ">i2")]
        for name, kind in _MEASURES.items():
            layout += [(f"{name}_length", ">i4"), *([(name, kind)] if is_known[name] else [])]
        block = np.empty(np.count_nonzero(chosen), dtype=layout)
        block["fields"] = len(_MEASURES)
        for name, kind in _MEASURES.items():
            block[f"{name}_length"] = int(kind[-1]) if is_known[name] else -1
            if is_known[name]:
                block[name] = columns[name][0][chosen]
        yield block.tobytes()


def _slot(at: datetime) -> int:
    slot, rest = divmod(at - _EPOCH, STEP)
    if rest:
        raise ValueError(f"a pass begins at a multiple of {STEP.seconds} seconds, not at {at.isoformat()}")
    return slot
