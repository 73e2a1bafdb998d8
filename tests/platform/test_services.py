"""Dagster's processes under our supervisor, and the site of the dbt docs."""

from __future__ import annotations

import os
import signal
import socket
import time
import urllib.request
import uuid
from pathlib import Path

import pytest
from psycopg import sql

from pteroassets.platform.loopback import free_port, is_free, is_open, remembered_port
from pteroassets.platform.services import (
    DagsterPlace,
    begin_daemon,
    begin_webserver,
    dagster_code_server,
    docs_server,
)
from pteroassets.platform.supervisor import Supervisor, answers
from pteroassets.settings import CHECKOUT
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.harness import graphql

DEFINITIONS = """
import os, pathlib, time
import dagster as dg

@dg.asset(pool="slow")
def slow(context: dg.AssetExecutionContext) -> None:
    attempts = pathlib.Path(os.environ["ATTEMPTS"])
    with attempts.open("a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(60 if len(attempts.read_text().split()) == 1 else 0)

defs = dg.Definitions(
    assets=[slow], jobs=[dg.define_asset_job("slow_job", selection=[slow])], executor=dg.in_process_executor
)
"""
LAUNCH = """
mutation($params: ExecutionParams!) {
  launchRun(executionParams: $params) { __typename ... on PythonError { message } }
}
"""
RUNS = "{ runsOrError { ... on Runs { results { status } } } }"


@pytest.mark.alone
@pytest.mark.postgres
def test_the_work_of_a_killed_run_worker_begins_again_within_half_a_minute(
    tmp_path: Path, postgres: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = f"dagster_{uuid.uuid4().hex[:12]}"
    with connect(postgres, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
    (tmp_path / "slow_definitions.py").write_text(DEFINITIONS)
    attempts = tmp_path / "attempts"
    attempts.touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("ATTEMPTS", str(attempts))
    place = DagsterPlace(
        checkout=CHECKOUT, warehouse=postgres, database=database, artifacts=tmp_path / "a", code_server_port=free_port()
    )
    port = free_port()
    with Supervisor(tmp_path / "logs") as supervisor:

        def wait_for_attempts(number: int, *, seconds: float) -> list[str]:
            deadline = time.monotonic() + seconds
            while len(begun := attempts.read_text().split()) < number:
                supervisor.check()
                assert time.monotonic() < deadline, supervisor.log_of("dagster-code-server").read_text()[-3000:]
                time.sleep(0.1)
            return begun

        supervisor.start(dagster_code_server(place, module="slow_definitions"))
        begin_daemon(place)
        begin_webserver(supervisor, place, port=port)
        job = {"repositoryLocationName": "pteroassets", "repositoryName": "__repository__", "jobName": "slow_job"}
        answer = graphql(port, LAUNCH, params={"selector": job, "runConfigData": {}, "mode": "default"})
        assert answer["launchRun"]["__typename"] == "LaunchRunSuccess", answer
        (worker,) = wait_for_attempts(1, seconds=60)
        os.kill(int(worker), signal.SIGKILL)
        # the pool has one place, so this also shows that the killed run gave it back
        wait_for_attempts(2, seconds=30)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            found = [run["status"] for run in graphql(port, RUNS)["runsOrError"]["results"]]
            if found == ["SUCCESS", "FAILURE"]:
                break
            time.sleep(0.5)
        assert found == ["SUCCESS", "FAILURE"]
    with connect(postgres, autocommit=True) as admin:
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(database)))


def test_the_password_is_not_shown_with_the_services(tmp_path: Path) -> None:
    warehouse = ConnectionSettings(host="127.0.0.1", port=5432, username="postgres", password="hunter2")
    place = DagsterPlace(
        checkout=CHECKOUT, warehouse=warehouse, database="dagster", artifacts=tmp_path, code_server_port=4000
    )
    service = dagster_code_server(place)
    assert place.environment()["POSTGRES_PASSWORD"] == "hunter2"
    assert "hunter2" not in repr([place, service])
    assert not any("hunter2" in str(part) for part in service.command)


def test_the_docs_site_is_served_and_nothing_else_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<title>dbt Docs</title>")
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "dbt.log").write_text("what it said")
    (tmp_path / "compiled").mkdir()
    (tmp_path / "compiled" / "index.html").write_text("select 1")
    port = free_port()
    with Supervisor(tmp_path / "logs") as supervisor:
        supervisor.start(docs_server(tmp_path, port=port))
        site = f"http://127.0.0.1:{port}"
        with urllib.request.urlopen(site) as page:
            assert page.read() == b"<title>dbt Docs</title>"
            assert page.headers["content-type"].startswith("text/html")
        assert answers(f"{site}/manifest.json")()
        for absent in ("dbt.log", "catalog.json", "compiled/index.html", "../secret", "%2e%2e/secret"):
            assert not answers(f"{site}/{absent}")(), absent


def test_a_remembered_port_is_used_again_while_it_is_free(tmp_path: Path) -> None:
    memory = tmp_path / "port"
    first = remembered_port(memory)
    assert is_free(first)
    assert not is_open(first)
    assert remembered_port(memory) == first
    with socket.socket() as other:
        other.bind(("127.0.0.1", first))
        other.listen()
        assert is_open(first)
        assert remembered_port(memory) != first
