"""Rows into Postgres, against COPY from a file and pandas.

Each way loads the same rows (one int4, one timestamptz, six float8) into an empty table of the embedded Postgres, in
turns; rows are counted by the CPU seconds of this process and the server. pandas loads a tenth of them, which favours
it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pandas as pd
from psycopg import sql
from sqlalchemy import create_engine

from benchmarks.frame.measurement import Measurement, Size
from benchmarks.frame.meters import Cost, CpuMeter, postmaster_pid
from benchmarks.frame.turns import in_turns, median
from pteroassets.platform.postgres.embedded import EmbeddedPostgres
from pteroassets.warehouse.connection import Connection, connect
from pteroassets.warehouse.load import copy_rows, stage_rows

COLUMNS = {"server_id": "int4", "sampled_at": "timestamptz", **{f"value_{number}": "float8" for number in range(6)}}
ROWS = {Size.SHORT: 100_000, Size.FULL: 500_000}
_START = datetime(2026, 1, 1, tzinfo=UTC)
_ROUNDS = 3
_COPY = "COPY csv from a file"

Row = tuple[object, ...]


def make_rows(count: int) -> list[Row]:
    return [
        (number % 500, _START + timedelta(seconds=number), *(number * factor / 7 for factor in range(6)))
        for number in range(count)
    ]


def copy_from_file(connection: Connection, text: str) -> None:
    with connection.cursor() as cursor, cursor.copy("copy target from stdin (format csv)") as copy:
        view = io.StringIO(text)
        while block := view.read(1 << 20):
            copy.write(block)


def binary_copy(connection: Connection, rows: list[Row]) -> None:
    copy_rows(connection, sql.Identifier("target"), COLUMNS, rows)


def staged_upsert(connection: Connection, rows: list[Row]) -> None:
    stage_rows(connection, "arrived", "target", COLUMNS, rows)
    connection.execute(
        "insert into target select * from arrived on conflict (server_id, sampled_at) do update "
        "set value_0 = excluded.value_0"
    )


def measure(size: Size) -> Iterator[Measurement]:
    count = ROWS[size]
    rows = make_rows(count)
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    frame = pd.DataFrame(rows[: count // 10], columns=list(COLUMNS))
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    with EmbeddedPostgres.temporary() as settings, connect(settings, autocommit=True) as connection:
        meter = CpuMeter([postmaster_pid(settings)])
        engine = create_engine(settings.sqlalchemy_url())
        connection.execute(f"create table target ({columns})")

        def race(**ways: Callable[[], object]) -> dict[str, list[Cost]]:
            in_one = {name: partial(in_transaction, connection, way) for name, way in ways.items()}
            return in_turns(in_one, rounds=_ROUNDS, meter=meter, before=partial(connection.execute, "truncate target"))

        costs = race(
            copy=partial(copy_from_file, connection, buffer.getvalue()),
            binary=partial(binary_copy, connection, rows),
            pandas=partial(frame.to_sql, "target", engine, if_exists="append", index=False, chunksize=10_000),
        )
        copied = count / median(costs["copy"])
        ours = count / median(costs["binary"])
        unit, note = "rows/CPU-s", f"{count:,} rows"
        yield Measurement(
            claim="copy_rows (binary COPY)", unit=unit, ours=ours, baseline=_COPY, baseline_value=copied, note=note
        )
        yield Measurement(
            claim="copy_rows (binary COPY)",
            unit=unit,
            ours=ours,
            baseline="pandas to_sql",
            baseline_value=len(frame) / median(costs["pandas"]),
            note=f"{len(frame):,} rows by pandas",
        )
        connection.execute("truncate target; alter table target add primary key (server_id, sampled_at)")
        costs = race(upsert=partial(staged_upsert, connection, rows))
        yield Measurement(
            claim="stage_rows and upsert, with a primary key",
            unit=unit,
            ours=count / median(costs["upsert"]),
            baseline=f"{_COPY}, without a key",
            baseline_value=copied,
            note=note,
        )
        engine.dispose()


def in_transaction(connection: Connection, load: Callable[[], object]) -> None:
    with connection.transaction():
        load()
