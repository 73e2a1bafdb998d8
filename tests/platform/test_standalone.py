"""Services of the platform that other programs than ours start: what they become, and whether they say how they are."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner
from psycopg import sql

from pteroassets.cli import main
from pteroassets.landing.context import MissingSettingError
from pteroassets.platform import standalone
from pteroassets.platform.health import PORTS, StandaloneName, ill, silent_daemon
from pteroassets.platform.loopback import HOST, free_port
from pteroassets.platform.standalone import Addresses
from pteroassets.settings import CHECKOUT, Settings
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.databases import copied

BESIDE = Path(sys.executable).parent


class BecameError(Exception):
    """The process would be another one now."""


def become(monkeypatch: pytest.MonkeyPatch, home: Path, *words: str) -> tuple[list[str], dict[str, str]]:
    """What `pteroassets service …` would become, with which environment."""
    became: list[tuple[list[str], dict[str, str]]] = []

    def execve(program: str, command: list[str], environment: dict[str, str]) -> None:
        assert program == command[0]
        became.append((command, environment))
        raise BecameError

    (home / "password").write_text("of a file\n")
    monkeypatch.setattr(os, "execve", execve)
    monkeypatch.chdir("/")
    environment = {
        "PTEROASSETS_HOME": str(home),
        "POSTGRES_HOST": "db.test",
        "POSTGRES_PASSWORD": None,
        "POSTGRES_PASSWORD_FILE": str(home / "password"),
        "PTEROASSETS_PII": "drop",
    }
    result = CliRunner().invoke(main, ["service", *words], env=environment)
    assert isinstance(result.exception, BecameError), result.output
    return became[0]


def test_every_service_is_a_choice_of_the_command() -> None:
    (argument,) = [one for one in main.commands["service"].params if one.name == "name"]
    assert tuple(argument.type.choices) == get_args(StandaloneName)  # type: ignore[attr-defined]


def test_a_webserver_finds_the_code_server_and_gets_the_secret_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command, environment = become(
        monkeypatch, tmp_path, "webserver", "--listen", "0.0.0.0", "--code-server", "code-server:4000"
    )
    assert command[:5] == [str(BESIDE / "dagster-webserver"), "--host", "0.0.0.0", "--port", "3000"]
    assert "--read-only" not in command
    assert environment["PTEROASSETS_CODE_SERVER_HOST"] == "code-server"
    assert environment["PTEROASSETS_CODE_SERVER_PORT"] == "4000"
    assert environment["DAGSTER_HOME"] == str(CHECKOUT)
    # Dagster and dbt know no files
    assert environment["POSTGRES_PASSWORD"] == "of a file"
    assert environment["POSTGRES_PASSWORD_FILE"] == ""
    assert "of a file" not in " ".join(command)


def test_the_webserver_of_guests_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    command, _ = become(monkeypatch, tmp_path, "guests", "--port", "3333")
    assert command[-3:] == ["--read-only", "--path-prefix", "/guests"]
    assert command[1:5] == ["--host", HOST, "--port", "3333"]


def test_the_code_server_listens_where_it_is_told_and_shares_its_socket_by_the_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command, environment = become(monkeypatch, tmp_path, "code-server", "--listen", "0.0.0.0")
    assert command[1:3] == ["-m", "pteroassets.platform.dagster.code_server"]
    assert command[command.index("--host") + 1] == "0.0.0.0"
    assert command[command.index("--port") + 1] == "4000"
    place = str(tmp_path / "artifacts" / "run.socket")
    assert command[command.index("--socket") + 1] == place
    _, daemon = become(monkeypatch, tmp_path, "daemon")
    assert environment["PTEROASSETS_RUN_SOCKET"] == daemon["PTEROASSETS_RUN_SOCKET"] == place
    assert environment["OPENBLAS_NUM_THREADS"] == "1"


def test_the_collector_listens_where_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PTEROASSETS_EVENT_PORT", "8699")
    command, _ = become(monkeypatch, tmp_path, "collector", "--listen", "0.0.0.0")
    assert command == [str(BESIDE / "pteroassets"), "collector", "--listen", "0.0.0.0", "--port", "8699"]
    command, _ = become(monkeypatch, tmp_path, "collector", "--port", "8700")
    assert command[-1] == "8700"
    port = free_port()
    monkeypatch.setenv("PTEROASSETS_EVENT_PORT", str(port))
    result = CliRunner().invoke(main, ["service", "collector", "--healthy"])
    assert (result.exit_code, f"port {port} at /health" in result.output) == (1, True)


def test_what_dbt_says_is_written_where_one_may_write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _, environment = become(monkeypatch, tmp_path, "daemon")
    assert environment["DBT_LOG_PATH"].startswith(str(tmp_path))
    assert environment["DBT_TARGET_PATH"].startswith(str(tmp_path))


def test_a_service_needs_a_postgres_that_does_not_end_with_another(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, pteroassets_home=tmp_path, postgres_host=None)  # type: ignore[call-arg]
    with pytest.raises(MissingSettingError, match="POSTGRES_HOST"):
        standalone.run_service("daemon", settings, Addresses(), None)  # type: ignore[arg-type]


def test_an_address_without_a_port_is_refused() -> None:
    result = CliRunner().invoke(main, ["service", "daemon", "--code-server", "code-server"])
    assert result.exit_code == 2
    assert "is not HOST:PORT" in result.output


@pytest.mark.parametrize("name", sorted(PORTS))
def test_a_service_that_does_not_run_is_told(name: StandaloneName) -> None:
    port = free_port()
    assert f"port {port}" in str(ill(name, port))
    result = CliRunner().invoke(main, ["service", name, "--port", str(port), "--healthy"])
    assert (result.exit_code, result.output.startswith("pteroassets: nothing ")) == (1, True)


def test_the_code_server_is_well_when_it_can_be_asked() -> None:
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        assert ill("code-server", server.getsockname()[1]) is None


def test_the_site_serves_before_anything_is_made(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "PTEROASSETS_HOME": str(tmp_path),
        "POSTGRES_HOST": "db.test",
        "PTEROASSETS_PII": "drop",
    }
    command = [BESIDE / "pteroassets", "service", "site", "--port", str(port)]
    with subprocess.Popen(command, env=environment, cwd=tmp_path) as process:
        try:
            standalone.wait_for(f"http://{HOST}:{port}/pages/", "the site")
            assert ill("site", port) is None
        finally:
            process.terminate()
    assert ill("site", port) is not None


def test_the_daemon_is_well_while_each_of_its_threads_gives_signs(migrated_template: ConnectionSettings) -> None:
    with copied(migrated_template) as database, connect(database, autocommit=True) as connection:
        # as Dagster makes it
        connection.execute("create table daemon_heartbeats (daemon_type text primary key, timestamp timestamp)")
        assert "SCHEDULER, SENSOR, QUEUED_RUN_COORDINATOR" in str(silent_daemon(database))
        connection.execute(
            "insert into daemon_heartbeats select unnest(%s::text[]), localtimestamp - interval '60 seconds'",
            (["SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR", "BACKFILL"],),
        )
        assert silent_daemon(database) is None
        connection.execute(
            sql.SQL(
                "update daemon_heartbeats set timestamp = timestamp - interval '1 hour' where daemon_type = 'SENSOR'"
            )
        )
        assert silent_daemon(database) == "the daemon gave no sign of SENSOR for 180 seconds"
