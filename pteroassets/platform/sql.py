"""``pteroassets sql``: psql on the warehouse, read-only, with the embedded Postgres' programs."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import make_conninfo

from pteroassets.platform.environment import (
    DEMO_DATABASE,
    DEMO_WORLD,
    RuntimeFault,
    demo_home_of,
    external_postgres,
    home_of,
)
from pteroassets.platform.postgres.binaries import EmbeddedPostgresError, find_bindir
from pteroassets.platform.postgres.embedded import EmbeddedPostgres, data_dir_below
from pteroassets.platform.postgres.logins import reader_login
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import ConnectionSettings


def find_psql(bindir: Path | None = None) -> str:
    """Return the path of psql: that of *bindir*, else of the embedded Postgres, else of the ``PATH``.

    Raises:
        RuntimeFault: There is none.
    """
    if bindir is None or not (bindir / "psql").is_file():
        with contextlib.suppress(EmbeddedPostgresError):
            bindir = find_bindir()
    if bindir is not None and (bindir / "psql").is_file():
        return str(bindir / "psql")
    found = shutil.which("psql")
    if found is None:
        raise RuntimeFault("no psql was found: install the Postgres client, or put its folder on the PATH")
    return found


def psql_to_show() -> str:
    """Return how a person calls psql: its name if the ``PATH`` has it, else our path."""
    return "psql" if shutil.which("psql") else find_psql()


def run_sql(settings: Settings, arguments: Sequence[str], *, home: Path | None) -> int:
    """Run psql with *arguments* on the warehouse and return its exit status.

    The warehouse is the one in *home*; else the operator's own Postgres, if set; else the embedded one, started
    for psql if it does not run. On the operator's own Postgres the account is that of the settings, in read-only
    transactions.

    Raises:
        RuntimeFault: There is no warehouse yet, or no psql.
    """
    own = external_postgres(settings) if home is None else None
    psql = find_psql(settings.pteroassets_postgres_bindir)
    if own is not None:
        options = "-c default_transaction_read_only=on -c search_path=marts,public"
        conninfo = make_conninfo(host=own.host, port=own.port, dbname=own.database, user=own.username, options=options)
        return _run(psql, conninfo, arguments, {"PGPASSWORD": own.password} if own.password else {})
    home = home if home is not None else home_with_data(settings)
    data_dir = data_dir_below(home)
    if EmbeddedPostgres(data_dir).status == "absent":
        raise RuntimeFault(f"there is no data in {home} yet: run make demo, or make up for your own panel")
    database = DEMO_DATABASE if (home / DEMO_WORLD).exists() else settings.postgres_database
    with EmbeddedPostgres(data_dir, bindir=settings.pteroassets_postgres_bindir) as server:
        login = reader_login(server.with_database(database), home)
        return _run(psql, login.conninfo(), arguments, {})


@contextmanager
def warehouse_in(settings: Settings, home: Path | None) -> Iterator[ConnectionSettings]:
    """Give the warehouse as `run_sql` finds it, with the embedded Postgres running meanwhile.

    Raises:
        RuntimeFault: There is none yet.
    """
    own = external_postgres(settings) if home is None else None
    if own is not None:
        yield own
        return
    home = home if home is not None else home_with_data(settings)
    data_dir = data_dir_below(home)
    if EmbeddedPostgres(data_dir).status == "absent":
        raise RuntimeFault(f"there is no data in {home} yet: run make demo, or make up for your own panel")
    database = DEMO_DATABASE if (home / DEMO_WORLD).exists() else settings.postgres_database
    with EmbeddedPostgres(data_dir, bindir=settings.pteroassets_postgres_bindir) as server:
        yield server.with_database(database)


def home_with_data(settings: Settings) -> Path:
    """Return the data folder whose Postgres runs, else one that has data; that of ``up`` before the demo's."""
    homes = [home_of(settings), demo_home_of(settings)]
    status = {home: EmbeddedPostgres(data_dir_below(home)).status for home in homes}
    for wanted in ("running", "stopped"):
        for home in homes:
            if status[home] == wanted:
                return home
    return homes[0]


def _run(psql: str, conninfo: str, arguments: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run psql as a person would: Ctrl-C stops its statement, and we wait until psql ends."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.run(
            [psql, "--dbname", conninfo, *_manners(arguments), *arguments],
            env={**os.environ, **variables},
            check=False,
            preexec_fn=_heed_interrupts,
        ).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _manners(arguments: Sequence[str]) -> list[str]:
    """Return psql options for the reader: a person sees NULL, and a program gets a failed statement's status."""
    if not arguments and sys.stdin.isatty():
        return ["--pset=null=NULL"]
    return ["--no-psqlrc", "--set=ON_ERROR_STOP=1"]
