"""Sampling passes into Postgres, against psql's copy of the same rows and an older build.

Passes are landed as the product does it, one transaction each. psql copies the same rows, from a file for each pass,
into an empty table with the columns that samples are read with, and an index like ours. Beside it stands what it takes
to copy the numbers alone that our narrow rows are made of, which somebody else would have to find first. CPU is that of
the client and of Postgres.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from psycopg import sql

from benchmarks.frame.checkout import BASELINE_NAME, Checkout, UnavailableError, baseline, ours
from benchmarks.frame.measurement import Measurement, Size
from benchmarks.frame.meters import CpuMeter, postmaster_pid
from benchmarks.frame.turns import in_turns, median
from pteroassets.platform.postgres.embedded import EmbeddedPostgres
from pteroassets.warehouse.connection import ConnectionSettings, connect

# rows of a pass, and how many passes make a round long enough to be measured
PASSES = {Size.SHORT: {1_000: 100, 10_000: 10}, Size.FULL: {1_000: 200, 10_000: 20}}
_ROUNDS = 3
_SHARE_OF_COPY, _BYTES = 0.7, 90


@dataclass(frozen=True, slots=True)
class _Equal:
    """A table to copy samples into, and the rows of one pass for it."""

    table: str
    rows: str


_WIDE = _Equal(
    """
    create table equal_table (like raw_pterodactyl.utilization_samples);
    alter table equal_table drop column _pass_at; -- the time of the pass once more, for conditions
    create index on equal_table using brin (pass_at) with (pages_per_range = 16, autosummarize = on);
    """,
    """
    select
        server_uuid, pass_at, sampled_at, interval_seconds, node_name, outcome, state, cpu_percent, memory_bytes,
        disk_bytes, network_rx_bytes, network_tx_bytes, uptime_milliseconds, is_suspect, reason, _load_id, _loaded_at
    from raw_pterodactyl.utilization_samples where pass_at = {at}
    """,
)
_NARROW = _Equal(
    "create table equal_table (like raw_pterodactyl.sample_measures including all)",
    "select * from raw_pterodactyl.sample_measures where raw_pterodactyl.pass_time(pass_number) = {at}",
)

# Runs in a process of either build; what it prints is the CPU of the landing alone, without start and migrations.
_LAND = """
import gc, json, sys, uuid
from datetime import UTC, datetime, timedelta
import psutil
from pteroassets.warehouse.connection import ConnectionSettings, connect
from pteroassets.warehouse.migrate import ensure_database, upgrade
try:
    from pteroassets.landing.pterodactyl.utilization import SAMPLE_COLUMNS, land_samples
    from pteroassets.warehouse.load import KnownAnswers
    kept = {"answers": KnownAnswers()}  # as a run with many passes, or parts of one, keeps them
except ModuleNotFoundError:
    from pteroassets.warehouse.utilization import SAMPLE_COLUMNS, land_samples
    kept = {}

address, servers, passes, turn = json.loads(sys.argv[1]), *map(int, sys.argv[2:])
settings = ConnectionSettings(**address)
ensure_database(settings, settings.database)
upgrade(settings)
begin = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(minutes=5) * passes * turn

def row(number, at):
    up = int(at.timestamp()) % 86400 + number
    values = {
        "server_uuid": uuid.uuid5(uuid.NAMESPACE_OID, str(number)), "pass_at": at,
        "sampled_at": at + timedelta(seconds=2, milliseconds=number % 900), "interval_seconds": 300,
        "node_name": f"node-{number % 10}", "outcome": "ok", "state": "running",
        "cpu_percent": (number * 37 + at.minute * 11) % 9000 / 100, "memory_bytes": 1_500_000_000 + up * 4096,
        "disk_bytes": 5_000_000_000 + number * 4096, "network_rx_bytes": up * 2300, "network_tx_bytes": up * 9100,
        "uptime_milliseconds": up * 1000, "is_suspect": False, "reason": None,
    }
    return tuple(values[name] for name in SAMPLE_COLUMNS)

times = [begin + timedelta(minutes=5) * number for number in range(passes)]
rows = {at: [row(number, at) for number in range(servers)] for at in times}
with connect(settings, autocommit=True) as connection:
    (backend,), = connection.execute("select pg_backend_pid()")
    processes = psutil.Process(), psutil.Process(backend)
    used = lambda: sum(each.user + each.system for each in (process.cpu_times() for process in processes))
    gc.collect()  # what is left of making the rows
    before = used()
    landed = sum(land_samples(connection, rows[at], observed_at=at, **kept).rows_added for at in times)
    print(json.dumps({"cpu": used() - before, "rows": landed}))
"""


def measure(size: Size) -> Iterator[Measurement]:
    with EmbeddedPostgres.temporary() as server, tempfile.TemporaryDirectory() as folder:
        try:
            with baseline() as old:
                yield from _all(size, server, Path(folder), {"ours": ours(), "baseline": old})
        except UnavailableError as error:
            yield from _all(size, server, Path(folder), {"ours": ours()}, lacks=str(error))


def _all(
    size: Size, server: ConnectionSettings, folder: Path, sides: dict[str, Checkout], *, lacks: str = ""
) -> Iterator[Measurement]:
    for servers, passes in PASSES[size].items():
        databases = {side: server.with_database(f"{side}_{servers}") for side in sides}
        cpu: dict[str, list[float]] = {side: [] for side in sides}
        for turn in range(_ROUNDS):
            for side, checkout in sides.items():
                found = _land(checkout, databases[side], servers, passes, turn)
                cpu[side].append(found["cpu"])
        rows, kept = servers * passes, servers * passes * _ROUNDS
        note = f"{passes} passes of {servers:,} rows"
        claim = f"samples landed, {servers:,} a pass"
        landed = {side: rows / sorted(seconds)[_ROUNDS // 2] for side, seconds in cpu.items()}
        shared: dict[str, Any] = {"claim": claim, "unit": "rows/CPU-s", "ours": landed["ours"]}
        yield Measurement(**shared, baseline=BASELINE_NAME, baseline_value=landed.get("baseline"), note=lacks or note)
        against: dict[str, Any] = {"baseline": "psql \\copy", "target": _SHARE_OF_COPY, "direction": "at least"}
        if shutil.which("psql") is None:
            why = "psql is not installed (Debian: apt-get install postgresql-client)"
            yield Measurement(**shared, **against, note=why)
        else:
            wide, narrow = (_copy(databases["ours"], one, servers, folder, kept // servers) for one in (_WIDE, _NARROW))
            yield Measurement(**shared, **against, baseline_value=kept / wide, note=note)
            yield Measurement(**shared, baseline="psql \\copy, numbers alone", baseline_value=kept / narrow, note=note)
        sizes = {side: _bytes_of_samples(settings) / kept for side, settings in databases.items()}
        yield Measurement(
            claim=f"a stored sample with its indexes, {servers:,} a pass",
            unit="bytes",
            ours=sizes["ours"],
            baseline=BASELINE_NAME,
            baseline_value=sizes.get("baseline"),
            target=_BYTES,
            judged="ours",
            note=lacks or f"{kept:,} samples",
        )


def _land(checkout: Checkout, database: ConnectionSettings, servers: int, passes: int, turn: int) -> dict[str, Any]:
    fields = ("host", "port", "username", "password", "database")
    address = json.dumps({field: getattr(database, field) for field in fields})
    found: dict[str, Any] = checkout.json(_LAND, address, str(servers), str(passes), str(turn))
    if found["rows"] != servers * passes:
        raise RuntimeError(f"{found['rows']} rows were landed instead of {servers * passes}")
    return found


def _copy(settings: ConnectionSettings, equal: _Equal, servers: int, folder: Path, passes: int) -> float:
    """Return the median of the CPU seconds in which psql copies all samples, a file for each of so many *passes*."""
    environment = {
        **os.environ,
        "PGHOST": settings.host,
        "PGPORT": str(settings.port),
        "PGUSER": settings.username,
        "PGPASSWORD": settings.password,
        "PGDATABASE": settings.database,
    }
    with connect(settings, autocommit=True) as connection:
        connection.execute("drop table if exists equal_table")
        connection.execute(equal.table)
        files = [folder / f"{servers}-{number}" for number in range(passes)]
        times = connection.execute("select pass_at from ops.sampling_passes order by 1").fetchall()
        for path, (at,) in zip(files, times, strict=True):
            with path.open("wb") as file, connection.cursor() as cursor:
                query = sql.SQL(equal.rows).format(at=sql.Literal(at))
                with cursor.copy(sql.SQL("copy ({}) to stdout").format(query)) as copy:
                    file.writelines(copy)
        script = "".join(f"\\copy equal_table from '{path}'\n" for path in files)
        (folder / "script").write_text(script)
        command = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file", str(folder / "script")]
        costs = in_turns(
            {"copy": partial(subprocess.run, command, env=environment, check=True)},
            rounds=_ROUNDS,
            meter=CpuMeter([postmaster_pid(settings)]),
            before=partial(connection.execute, "truncate equal_table"),
        )
        if connection.execute("select count(*) from equal_table").fetchall() != [(servers * passes,)]:
            raise RuntimeError("psql did not copy every row")
    return median(costs["copy"])


def _bytes_of_samples(settings: ConnectionSettings) -> int:
    with connect(settings, autocommit=True) as connection:
        connection.execute("vacuum (analyze)")
        ((total,),) = connection.execute(
            "select sum(pg_total_relation_size(oid)) from pg_class "
            "where relnamespace = 'raw_pterodactyl'::regnamespace and relkind = 'r' and relname ~ 'sample'"
        )
    return int(total)
