"""``pteroassets sql``: psql on the warehouse for a person and for a program, whether the platform runs or not."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pteroassets.platform.environment import DEMO_DATABASE, DEMO_WORLD
from pteroassets.platform.postgres.embedded import EmbeddedPostgres, data_dir_below
from pteroassets.platform.postgres.logins import LOGIN
from pteroassets.warehouse.connection import ConnectionSettings, connect
from pteroassets.warehouse.migrate import ensure_database, upgrade

pytestmark = pytest.mark.postgres


def run_sql(
    *arguments: str, given: str = "", cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "pteroassets.cli", "sql", *arguments],
        input=given,
        env={**kept, **variables},
        cwd=cwd or "/",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """The data folder of a demo that was stopped, with one table to read."""
    # not below tmp_path, whose parents are closed to the user that root drops to
    with tempfile.TemporaryDirectory(prefix="pteroassets-test-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / DEMO_WORLD).write_text("{}")
        with EmbeddedPostgres(data_dir_below(folder), durable=False) as server:
            warehouse = server.with_database(DEMO_DATABASE)
            ensure_database(warehouse, DEMO_DATABASE)
            upgrade(warehouse)
            with connect(warehouse, autocommit=True) as connection:
                connection.execute("create table marts.dim_servers as select 'Hilltop' as server_name, null as node")
        yield folder


def test_a_statement_prints_a_table_and_leaves_the_server_as_it_was(home: Path) -> None:
    answer = run_sql("-c", "select server_name, current_user from dim_servers", PTEROASSETS_HOME=str(home))
    assert answer.returncode == 0, answer.stderr
    assert [line.split() for line in answer.stdout.splitlines()[::2]] == [
        ["server_name", "|", "current_user"],
        ["Hilltop", "|", LOGIN],
        [],
    ]
    assert EmbeddedPostgres(data_dir_below(home)).status == "stopped"


def test_what_is_piped_in_is_run_and_csv_is_for_programs(home: Path) -> None:
    answer = run_sql("--home", str(home), "--csv", given="select * from dim_servers;")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "server_name,node\nHilltop,\n", "")


def test_a_platform_that_runs_goes_on_running(home: Path) -> None:
    with EmbeddedPostgres(data_dir_below(home), durable=False):
        answer = run_sql("--home", str(home), "-Atc", "select 1")
        assert (answer.returncode, answer.stdout) == (0, "1\n")
        assert EmbeddedPostgres(data_dir_below(home)).status == "running"


@pytest.mark.parametrize(
    "given", ["delete from dim_servers; select 1;", "select * from raw_pterodactyl.users; select 1;"]
)
def test_a_statement_that_fails_ends_with_a_status(home: Path, given: str) -> None:
    answer = run_sql("--home", str(home), "-At", given=given)
    assert (answer.returncode, answer.stdout) == (3, "")
    assert "read-only transaction" in answer.stderr or "permission denied" in answer.stderr


def test_a_folder_without_data_is_named_with_what_fills_it(tmp_path: Path) -> None:
    answer = run_sql("-c", "select 1", PTEROASSETS_HOME=str(tmp_path))
    assert answer.returncode == 1
    assert (
        answer.stderr
        == f"pteroassets: there is no data in {tmp_path} yet: run make demo, or make up for your own panel\n"
    )


def test_an_operators_own_postgres_is_read_with_its_account_and_only_read(
    warehouse_settings: ConnectionSettings,
) -> None:
    variables = warehouse_settings.environment()
    answer = run_sql("-Atc", "select current_database(), current_user", **variables)
    assert answer.stdout == f"{warehouse_settings.database}|{warehouse_settings.username}\n", answer.stderr
    refused = run_sql("-c", "create table marts.mine (one int)", **variables)
    assert refused.returncode == 1
    assert "read-only transaction" in refused.stderr
