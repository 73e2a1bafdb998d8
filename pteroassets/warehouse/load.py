"""Put rows into Postgres: binary COPY, upserts through a temporary table, narrow samples, and the ledger of loads."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import numpy as np
from psycopg import sql
from psycopg.types.json import Jsonb

from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.samples import STEP, ManyLoadsError

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

Row = Sequence[Any]


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
    connection.execute(sql.SQL("analyze {}").format(sql.Identifier(name)))
    return count


def lock_table_for_load(connection: Connection, table: str) -> None:
    """Lock *table* against other loads until the end of the transaction."""
    connection.execute("select pg_advisory_xact_lock(hashtext('pteroassets'), hashtext(%s))", (table,))


def record_load(connection: Connection, report: LoadReport) -> None:
    """Write *report* into the ledger, in the transaction of the load itself.

    Loads of one table come one after another, so that they are numbered in the order in which they are committed.
    Incremental models rely on it (decision 13).
    """
    lock_table_for_load(connection, report.table)
    connection.execute(
        """
        insert into ops.loads (
            load_id, table_name, observed_at, is_complete, rows_read, rows_expected, rows_added, rows_changed,
            rows_gone, rows_total, requests, seconds, rate_limit_remaining, problems
        ) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
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
    return [(month, datetime.combine(_next(month), time(), UTC)) for month in months]


def ensure_months(connection: Connection, times: Iterable[datetime]) -> None:
    """Make the partitions of the months of *times*, and of the month after each."""
    firsts = {_month(at) for at in times}
    months = sorted(firsts | {_next(month) for month in firsts})
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
                    first=sql.Literal(f"{month}T00:00:00+00:00"),
                    last=sql.Literal(f"{_next(month)}T00:00:00+00:00"),
                )
            )


def _month(at: datetime) -> date:
    return at.astimezone(UTC).date().replace(day=1)


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def put_samples(
    connection: Connection, rows: Iterable[Row], *, load_id: uuid.UUID, replaced: Collection[str]
) -> tuple[int, int]:
    """Add *rows* (in the order of `SAMPLE_COLUMNS`) and return how many were added and how many took another's place.

    Of a server in a pass the first row counts. One that is there already stays, unless its outcome is one of *replaced*
    and the new one's is not. The caller holds the lock of the table.

    Raises:
        ManyLoadsError: There are 64 loads of this pass already.
        ValueError: A pass does not begin at a multiple of `STEP`, or a figure is larger than can be stored.
    """
    wanted: dict[tuple[Any, Any], Row] = {}
    for row in rows:
        wanted.setdefault((row[0], row[1]), row)
    times = {at for _, at in wanted}
    ensure_months(connection, times)
    slots = {at: _slot(at) for at in times}
    taken = {
        number // _LOADS_A_PASS: number
        for (number,) in connection.execute(
            "select max(passes.pass_number) from unnest(%s::int4[]) as slots (slot) inner join "
            "raw_pterodactyl.sample_passes as passes on passes.pass_number between slot * 64 and slot * 64 + 63 "
            "group by slot",
            (list(slots.values()),),
        )
    }
    changed = 0
    if again := [at for at in times if slots[at] in taken]:
        changed = _make_room(connection, wanted, again, replaced)
    if not wanted:
        return 0, 0
    answers = _answers(connection, [*wanted.values()])
    numbers: dict[tuple[datetime, int, int], int] = {}
    stored: dict[tuple[bool, ...], list[Row]] = defaultdict(list)
    for row, answer in zip(wanted.values(), answers, strict=True):
        after = row[2] - row[1]
        window, microseconds = divmod((after.days * 86_400 + after.seconds) * 1_000_000 + after.microseconds, _LONGEST)
        key = row[1], row[3], window
        number = numbers.get(key)
        if number is None:
            slot = slots[row[1]]
            number = taken[slot] = taken.get(slot, slot * _LOADS_A_PASS - 1) + 1
            if number // _LOADS_A_PASS != slot:
                raise ManyLoadsError(f"the pass of {row[1].isoformat()} was loaded {_LOADS_A_PASS} times already")
            numbers[key] = number
        figures = (row[8], row[9], row[10], row[11], row[12], row[7])
        stored[tuple([figure is None for figure in figures])].append((*figures, number, answer, microseconds))
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into raw_pterodactyl.sample_passes (pass_number, interval_seconds, sampled_from, _load_id) "
            "values (%s, %s, %s, %s)",
            [
                (number, interval, at + window * _LONGEST * _MICROSECOND, load_id)
                for (at, interval, window), number in numbers.items()
            ],
        )
        with cursor.copy(_copy_statement()) as copy:
            copy.write(_COPY_HEADER)
            for unknown, alike in stored.items():
                copy.write(_binary(unknown, alike))
            copy.write(_COPY_END)
    return len(wanted) - changed, changed


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


def _answers(connection: Connection, rows: list[Row]) -> list[int]:
    """Return for each of *rows* the key of what it says besides figures, made where it was never said before."""
    kinds: dict[tuple[Any, ...], int] = {}
    of_rows = [kinds.setdefault((row[4], row[5], row[6], row[13], row[14]), len(kinds)) for row in rows]
    nodes, outcomes, states, suspects, reasons = (list(column) for column in zip(*kinds, strict=True))
    parameters = {
        # as text: psycopg makes a list of UUIDs binary one by one
        "servers": "{" + ",".join([row[0].hex for row in rows]) + "}",
        "of_rows": of_rows,
        "nodes": nodes,
        "outcomes": outcomes,
        "states": states,
        "suspects": suspects,
        "reasons": reasons,
    }
    found = _find_answers(connection, parameters)
    if None in found:
        connection.execute(
            _ASKED + " insert into raw_pterodactyl.sample_answers "
            "(server_uuid, node_name, outcome, state, is_suspect, reason) "
            "select distinct on (server_uuid, kind) server_uuid, node_name, outcome, state, is_suspect, reason "
            "from asked where answer_id is null",
            parameters,
        )
        found = _find_answers(connection, parameters)
    return found


_ASKED: Final = """
    with asked as (
        select rows.position, rows.server_uuid, rows.kind, kinds.*, answers.answer_id
        from unnest(%(servers)s::uuid[], %(of_rows)s::int4[]) with ordinality as rows (server_uuid, kind, position)
        inner join unnest(
            %(nodes)s::text[], %(outcomes)s::text[], %(states)s::text[], %(suspects)s::bool[], %(reasons)s::text[]
        ) with ordinality as kinds (node_name, outcome, state, is_suspect, reason, number)
            on kinds.number = rows.kind + 1
        left join raw_pterodactyl.sample_answers as answers
            on answers.server_uuid = rows.server_uuid and answers.outcome = kinds.outcome
            and answers.node_name is not distinct from kinds.node_name
            and answers.state is not distinct from kinds.state
            and answers.is_suspect = kinds.is_suspect
            and answers.reason is not distinct from kinds.reason
    )
"""


def _find_answers(connection: Connection, parameters: dict[str, Any]) -> list[Any]:
    ((found,),) = connection.execute(
        _ASKED + " select array_agg(answer_id order by position) from asked", parameters, binary=True
    ).fetchall()
    return list(found)


def _binary(unknown: tuple[bool, ...], rows: list[Row]) -> bytes:
    """Return *rows*, in the order of `_MEASURES` and each with the same figures *unknown*, as COPY reads them."""
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for position, (name, kind) in enumerate(_MEASURES.items()):
        layout.append((f"{name}_length", ">i4"))
        if position >= len(unknown) or not unknown[position]:
            layout.append((name, kind))
    block = np.empty(len(rows), dtype=layout)
    block["fields"] = len(_MEASURES)
    for (name, kind), values in zip(_MEASURES.items(), zip(*rows, strict=True), strict=True):
        if name not in (block.dtype.names or ()):
            block[f"{name}_length"] = -1
            continue
        block[f"{name}_length"] = int(kind[-1])
        if name == "cpu_thousandths":
            thousandths = np.rint(np.array(values, dtype=np.float64) * 1000)
            if not (np.abs(thousandths) <= _LONGEST).all():
                raise ValueError(f"no processor use is {np.abs(np.array(values)).max()} percent of a core")
            block[name] = thousandths
        else:
            block[name] = np.array(values, dtype=np.int64)
    return block.tobytes()


def _copy_statement() -> sql.Composed:
    return sql.SQL("copy raw_pterodactyl.sample_measures ({}) from stdin (format binary)").format(
        sql.SQL(", ").join(map(sql.Identifier, _MEASURES))
    )


def _slot(at: datetime) -> int:
    slot, rest = divmod(at - _EPOCH, STEP)
    if rest:
        raise ValueError(f"a pass begins at a multiple of {STEP.seconds} seconds, not at {at.isoformat()}")
    return slot
