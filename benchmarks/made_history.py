"""Make up the history of a platform in a warehouse of its own, by SQL: a year of a hundred servers takes minutes.

Of a hundred servers three are proxies with twenty servers behind each. Samples come every five minutes and logs every
quarter of an hour; each server starts anew once a day. A week and a year end at the same moment and are equally dense,
so that what costs more with a year is what reads history. By hand, to keep one for many measurements::

    python -m benchmarks.made_history FOLDER --servers 100 --days 365
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.frame.meters import CpuMeter, postmaster_pid
from pteroassets.defs.dbt_project import run_dbt
from pteroassets.landing.pterodactyl.utilization import land_samples
from pteroassets.platform.postgres.embedded import EmbeddedPostgres
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.folding import fold_samples
from pteroassets.warehouse.load import LoadReport, record_load
from pteroassets.warehouse.migrate import ensure_database, upgrade
from pteroassets.warehouse.retention import prune_changes
from pteroassets.warehouse.samples import SAMPLE_COLUMNS

UNTIL = datetime(2026, 10, 31, 16, tzinfo=UTC)
_PERIOD_ORIGIN = datetime(2020, 1, 1, 4, tzinfo=UTC)  # servers start anew at 04:00
_PASS, _LOG_PASS = timedelta(minutes=5), timedelta(minutes=15)
_PERIODS_AT_ONCE = 7
_DATABASE = "made_history"
_NAMED = re.split(r"^-- name: (\w+)\n", Path(__file__).with_suffix(".sql").read_text(), flags=re.MULTILINE)[1:]
# a per cent sign that begins no parameter stands for itself
_STATEMENTS = {name: re.sub(r"%(?!\()", "%%", text) for name, text in zip(_NAMED[::2], _NAMED[1::2], strict=True)}


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of one dbt command: of dbt itself and of the Postgres that it asked."""

    dbt: float
    postgres: float

    @property
    def cpu(self) -> float:
        """Both together."""
        return self.dbt + self.postgres


@dataclass(frozen=True, slots=True)
class History:
    """A warehouse that holds *days* of *servers*, and what a benchmark does with it."""

    settings: ConnectionSettings
    servers: int
    days: int

    def land_samples(self, passes: int = 1) -> datetime:
        """Land the next *passes* of sampling, every server's row in each; return the last one's time."""
        with connect(self.settings) as connection:
            for _ in range(passes):
                pass_at = _newest(connection, "raw_pterodactyl.utilization_samples") + _PASS
                servers = connection.execute(
                    "select uuid from raw_pterodactyl.servers where valid_to is null order by id"
                )
                rows = [_sample(server_uuid, number, pass_at) for number, (server_uuid,) in enumerate(servers)]
                land_samples(connection, rows, observed_at=pass_at)
                connection.commit()
        return pass_at

    def land_logs(self) -> datetime:
        """Land the next pass of logs, in which a third of the servers have news; return its time."""
        with connect(self.settings) as connection:
            observed_at = _newest(connection, "raw_minecraft.log_files") + _LOG_PASS
            loads = {name: uuid.uuid4() for name in ("files", "events", "sessions", "runs", "sightings")}
            _execute(
                connection, "log_pass", observed_at=observed_at, **{f"{name}_load": key for name, key in loads.items()}
            )
            _execute(connection, "event_rows")
            for table, name in (
                ("raw_minecraft.log_files", "files"),
                ("raw_minecraft.events", "events"),
                ("derived_minecraft.player_sessions", "sessions"),
                ("derived_minecraft.server_runs", "runs"),
                ("derived_minecraft.name_sightings", "sightings"),
            ):
                report = LoadReport(
                    load_id=loads[name], table=table, observed_at=observed_at, rows_read=1, rows_added=1
                )
                record_load(connection, report)
        return observed_at

    def dbt(self, *arguments: str, target: Path | None = None, threads: int = 1) -> Cost:
        """Run dbt, for example ``dbt("build", "--select", "fct_server_daily")``, and return what it cost.

        Raises:
            DbtFailedError: A model or a test failed.
        """
        folder = target or Path(tempfile.mkdtemp(prefix="made_history_target_"))
        before = resource.getrusage(resource.RUSAGE_CHILDREN), self.postgres_seconds()
        try:
            run_dbt([*arguments, "--threads", str(threads)], self.settings.environment(), target=folder)
        finally:
            if target is None:
                shutil.rmtree(folder)
        after = resource.getrusage(resource.RUSAGE_CHILDREN), self.postgres_seconds()
        spent = [usage.ru_utime + usage.ru_stime for usage in (before[0], after[0])]
        return Cost(dbt=spent[1] - spent[0], postgres=after[1] - before[1])

    def keep_house(self) -> None:
        """Do what the daily maintenance and Postgres do by themselves: forget what is taken in, vacuum, analyze."""
        with connect(self.settings, autocommit=True) as connection:
            prune_changes(connection)
            connection.execute("vacuum (analyze)")

    def postgres_seconds(self) -> float:
        """Return the CPU seconds of the Postgres server and of all its processes, past ones too."""
        # this process, which the meter counts as well, does nothing but wait
        return CpuMeter(extra=[postmaster_pid(self.settings)]).seconds() - CpuMeter().seconds()


@contextmanager
def made_history(servers: int, days: int) -> Iterator[History]:
    """Run a Postgres of its own with such a history in it, which is gone afterwards."""
    with EmbeddedPostgres.temporary() as server:
        _stop_autovacuum(server)
        yield fill(server, servers=servers, days=days)


@contextmanager
def kept_history(folder: Path, servers: int = 100, days: int = 365) -> Iterator[History]:
    """Run the Postgres whose data lie in *folder*; it is filled the first time."""
    with EmbeddedPostgres(folder / "postgres", durable=False) as server:
        note = folder / "made.json"
        if note.exists():
            yield History(server.with_database(_DATABASE), **json.loads(note.read_text()))
            return
        _stop_autovacuum(server)
        history = fill(server, servers=servers, days=days)
        note.write_text(json.dumps({"servers": servers, "days": days}))
        yield history


def fill(server: ConnectionSettings, *, servers: int, days: int, database: str = _DATABASE) -> History:
    """Migrate *database* of *server*, and fill it with the *days* until `UNTIL`."""
    settings = server.with_database(database)
    ensure_database(settings, database)
    upgrade(settings)
    since = UNTIL - timedelta(days=days)
    sizes: dict[str, Any] = {"servers": servers, "proxies": max(servers // 33, 1), "days": days}
    times = {"since": since, "until": UNTIL, "period_origin": _PERIOD_ORIGIN}
    with connect(settings) as connection:
        connection.execute("set synchronous_commit = off; set work_mem = '256MB'; select setseed(0.5)")
        for name in ("servers", "entities", "runs", "files"):
            _execute(connection, name, **sizes, **times)
        for first in range(0, days + 1, _PERIODS_AT_ONCE):
            last = first + _PERIODS_AT_ONCE - 1
            begun = since + timedelta(days=first)
            _execute(
                connection,
                "samples",
                since=begun,
                until=min(begun + timedelta(days=_PERIODS_AT_ONCE), UNTIL),
                period_origin=_PERIOD_ORIGIN,
            )
            fold_samples(connection, sql.Identifier("made_samples"))
            connection.execute("drop table made_samples")
            for name in ("visits", "events", "event_rows"):
                _execute(connection, name, first=first, last=last, **times)
            connection.commit()
        _execute(connection, "ledger", **sizes, **times)
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum (analyze, freeze)")
    return History(settings, servers, days)


def _stop_autovacuum(server: ConnectionSettings) -> None:
    """Let the server do nothing of itself, since it would be counted."""
    with connect(server, autocommit=True) as connection:
        connection.execute("alter system set autovacuum = off")
        connection.execute("select pg_reload_conf()")


def _execute(connection: Connection, name: str, **parameters: Any) -> None:
    # a client's cursor, since a statement of the server's may be but one
    with psycopg.ClientCursor(connection) as cursor:
        cursor.execute(_STATEMENTS[name], parameters)


def _newest(connection: Connection, table: str) -> datetime:
    row = connection.execute("select max(observed_at) from ops.loads where table_name = %s", (table,)).fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return row[0]


def _sample(server_uuid: uuid.UUID, number: int, pass_at: datetime) -> tuple[Any, ...]:
    uptime = int((pass_at - _PERIOD_ORIGIN).total_seconds()) % 86400 + 1
    values = {
        "server_uuid": server_uuid,
        "pass_at": pass_at,
        "sampled_at": pass_at + timedelta(seconds=2),
        "interval_seconds": int(_PASS.total_seconds()),
        "node_name": f"node-{number % 10 + 1}",
        "outcome": "ok",
        "state": "running",
        "cpu_percent": 20.0 + number % 50,
        "memory_bytes": (1500 + number % 100) * 1048576,
        "disk_bytes": 5000 * 1048576,
        "network_rx_bytes": uptime * 2300 + number,
        "network_tx_bytes": uptime * 9100 + number,
        "uptime_milliseconds": uptime * 1000,
        "is_suspect": False,
        "reason": None,
    }
    return tuple(values[name] for name in SAMPLE_COLUMNS)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make a history in a folder, and say how large its tables are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--servers", type=int, default=100)
    parser.add_argument("--days", type=int, default=365)
    options = parser.parse_args(arguments)
    with (
        kept_history(options.folder, options.servers, options.days) as history,
        connect(history.settings) as connection,
    ):
        for table, rows, size in connection.execute(
            """
            select relid::regclass::text, n_live_tup, pg_size_pretty(pg_total_relation_size(relid))
            from pg_stat_user_tables where n_live_tup > 0 order by pg_total_relation_size(relid) desc limit 20
            """
        ):
            print(f"{table:45} {rows:12,} {size:>10}")


if __name__ == "__main__":
    main()
