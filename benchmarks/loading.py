"""Rows a second into Postgres, as ratios against COPY from a file measured in the same run.

Run with ``make bench``. Each method loads the same rows (one int4, one timestamptz, six float8) into an empty table of
the embedded Postgres; the best of three rounds counts. The slow methods load fewer rows, which favours them.
"""

from __future__ import annotations

import argparse
import csv
import io
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pandas as pd
from psycopg import sql
from sqlalchemy import create_engine

from pteroassets.platform.postgres.embedded import EmbeddedPostgres
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.load import copy_rows, stage_rows

COLUMNS = {"server_id": "int4", "sampled_at": "timestamptz", **{f"value_{number}": "float8" for number in range(6)}}
_START = datetime(2026, 1, 1, tzinfo=UTC)
_ROUNDS = 3

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


def best_seconds(connection: Connection, load: Callable[[], object]) -> float:
    seconds = []
    for _ in range(_ROUNDS):
        connection.execute("truncate target")
        started = time.perf_counter()
        with connection.transaction():
            load()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def measure(settings: ConnectionSettings, count: int) -> Iterator[tuple[str, int, float]]:
    rows = make_rows(count)
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    frame = pd.DataFrame(rows[: count // 10], columns=list(COLUMNS))
    engine = create_engine(settings.sqlalchemy_url())
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    with connect(settings, autocommit=True) as connection:
        connection.execute(f"create table target ({columns})")
        from_file = partial(copy_from_file, connection, buffer.getvalue())
        yield "COPY csv from a file (baseline)", count, best_seconds(connection, from_file)
        yield "copy_rows (binary COPY)", count, best_seconds(connection, partial(binary_copy, connection, rows))
        to_sql = partial(frame.to_sql, "target", engine, if_exists="append", index=False, chunksize=10_000)
        yield "pandas.DataFrame.to_sql", len(frame), best_seconds(connection, to_sql)
        connection.execute("alter table target add primary key (server_id, sampled_at)")
        upsert = partial(staged_upsert, connection, rows)
        yield "stage_rows and upsert, with a primary key", count, best_seconds(connection, upsert)
    engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    arguments = parser.parse_args()
    with EmbeddedPostgres.temporary() as settings:
        baseline: float | None = None
        print(f"{'method':45} {'rows/s':>12} {'ratio':>7}")
        for name, count, seconds in measure(settings, arguments.rows):
            rate = count / seconds
            baseline = baseline or rate
            print(f"{name:45} {rate:12,.0f} {rate / baseline:7.2f}")


if __name__ == "__main__":
    main()
