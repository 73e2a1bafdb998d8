"""The platform as an operator runs it: Dagster's processes, its runs, its checks, and what they leave."""

from __future__ import annotations

import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from pteroassets.platform.failures import FailedRuns
from pteroassets.platform.health import GUESTS_PREFIX, ill
from pteroassets.platform.loopback import free_port
from pteroassets.platform.supervisor import Service, Supervisor
from pteroassets.settings import CHECKOUT
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.warehouse.connection import connect
from tests.end_to_end.running import Running
from tests.harness import PII_KEY, graphql

LAUNCH_ENTITIES = """
mutation {
  launchRun(
    executionParams: {
      selector: {repositoryName: "__repository__", repositoryLocationName: "pteroassets", jobName: "entities"}
      runConfigData: {}, mode: "default"
    }
  ) { __typename }
}
"""

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(900)]


def test_one_job_lands_everything_and_builds_every_model(built: Running) -> None:
    for table in ("raw_pterodactyl.servers", "derived_minecraft.player_sessions", "marts.fct_server_daily"):
        assert built.ask(f"select count(*) from {table}")[0][0] > 0, table


def test_tests_of_dbt_and_our_own_checks_are_checks_of_the_assets(built: Running) -> None:
    found = built.checks()
    assert found["pterodactyl/eggs read_completely"]
    assert found["pterodactyl/utilization_samples unknown_is_not_zero"]
    assert sum("fct_server_daily" in name for name in found) > 3
    assert [name for name, passed in found.items() if not passed] == []


def test_materializations_bear_figures_columns_and_column_lineage(built: Running) -> None:
    raw = built.newest_metadata("pterodactyl", "servers")
    for name in ("dagster/row_count", "dagster/column_schema", "requests", "rate_limit_remaining", "seconds", "gone"):
        assert name in raw
    mart = built.newest_metadata("marts", "fct_server_daily")
    for name in ("dagster/row_count", "dagster/column_schema", "dagster/column_lineage"):
        assert name in mart


def test_a_build_parses_nothing_anew_and_leaves_no_files(built: Running) -> None:
    printed = "".join(path.read_text() for path in built.folder.glob("artifacts/*/compute_logs/*") if path.is_file())
    assert "Completed successfully" in printed
    assert "Unable to do partial parsing" not in printed
    # a schedule's build may be under way, and a checkout may hold what others left
    ended = [run["runId"][:7] for run in built.runs(statuses=["SUCCESS"])]
    assert ended
    for run in ended:
        left = [
            *built.folder.glob(f"dbt_target/*/dbt_models-{run}-*"),
            *(CHECKOUT / "dbt_project").glob(f"target/dbt_models-{run}-*"),
        ]
        assert left == [], run


def test_failed_runs_are_each_reported_once(built: Running, refused_runs: list[str]) -> None:
    terminal = FailedRuns(built.port, since=datetime.fromtimestamp(0, tz=UTC))
    told = [line for line in terminal.news() if any(run_id in line for run_id in refused_runs)]
    assert len(told) == 2
    assert all(re.match(r"\d\d:\d\d UTC  \w+ failed: \w+: .+  http://127", line) for line in told), told
    assert list(terminal.news()) == []
    log = built.supervisor.log_of("dagster-code-server")

    def reports() -> list[int]:
        text = log.read_text()
        return [text.count(f"run {run_id} of job entities failed") for run_id in refused_runs]

    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and not all(reports()):
        time.sleep(0.5)
    assert reports() == [1, 1]


_EVENTS_OF_RUN = """
query($id: ID!) {
  runOrError(runId: $id) {
    ... on Run {
      eventConnection(limit: 5000) {
        events {
          ... on MaterializationEvent { assetKey { path } }
          ... on AssetCheckEvaluationEvent { evaluation { checkName } }
        }
      }
    }
  }
}
"""


def test_guests_see_every_run_and_start_none(built: Running, tmp_path: Path) -> None:
    port = free_port()
    variables = {
        **built.warehouse.environment(),
        "PTEROASSETS_DAGSTER_DATABASE": built.dagster_database,
        "PTEROASSETS_HOME": str(tmp_path),
        "PTEROASSETS_PII": "drop",
    }
    command = [Path(sys.executable).with_name("pteroassets"), "service", "guests", "--port", str(port)]
    command += ["--code-server", f"127.0.0.1:{built.code_server_port}"]
    with Supervisor(tmp_path / "logs") as supervisor:
        supervisor.start(
            Service(name="guests", command=command, environment=variables, ready=lambda: ill("guests", port) is None)
        )
        before = built.runs()
        with requests.Session() as session:
            session.trust_env = False

            def asked(query: str) -> Any:
                answer = session.post(
                    f"http://127.0.0.1:{port}{GUESTS_PREFIX}/graphql", json={"query": query}, timeout=120
                )
                return answer.json()["data"]

            seen = asked("{ runsOrError { ... on Runs { results { runId } } } }")["runsOrError"]["results"]
            assert [run["runId"] for run in seen] == [run["runId"] for run in before]
            assert asked(LAUNCH_ENTITIES)["launchRun"]["__typename"] == "UnauthorizedError"
    assert built.runs() == before


def test_an_operator_can_reload_one_day_of_logs(built: Running) -> None:
    day = built.ask("select max(log_date) from raw_minecraft.log_files where not is_live")[0][0]
    before = built.ask("select count(*) from raw_minecraft.events")
    run_id = built.launch("reload_log_day", tags={"dagster/partition": day.isoformat()})
    assert built.wait(run_id) == "SUCCESS"
    events = graphql(built.port, _EVENTS_OF_RUN, id=run_id)["runOrError"]["eventConnection"]["events"]
    built_by_it = {"/".join(event["assetKey"]["path"]) for event in events if "assetKey" in event}
    assert {"minecraft/log_files", "minecraft/player_sessions", "marts/fct_player_sessions"} <= built_by_it
    checked = [event["evaluation"]["checkName"] for event in events if "evaluation" in event]
    assert {"every_log_was_read", "sessions_of_days_equal_those_that_began"} <= set(checked)
    reloaded = built.ask(f"select count(*) from raw_minecraft.log_files where log_date = '{day}'")[0][0]
    assert reloaded > 0
    assert built.ask("select count(*) from raw_minecraft.events")[0][0] >= before[0][0]


@pytest.mark.usefixtures("refused_runs")
def test_no_secret_stands_in_dagsters_tables_its_logs_or_what_the_processes_printed(built: Running) -> None:
    # refusals make exceptions of HTTP errors, whose texts would show addresses and keys
    secrets = {
        **{name: text for name, text in CANARIES.items() if name not in ("email", "chat", "command")},
        "application key": built.simulation.application_key,
        "client key": built.simulation.client_key,
        "password of Postgres": built.warehouse.password,
        "key of the hashes": PII_KEY.decode(),
    }
    files = [path for path in built.folder.rglob("*") if path.is_file() and "log_store" not in path.parts]
    assert any(path.name == "dagster-code-server.log" for path in files)
    found = [
        (str(path), name) for path in files for name, secret in secrets.items() if secret.encode() in path.read_bytes()
    ]
    with connect(built.warehouse.with_database(built.dagster_database), autocommit=True) as connection:
        tables = [
            row[0]
            for row in connection.execute(
                "select table_name from information_schema.tables where table_schema = 'public'"
            )
        ]
        assert "event_logs" in tables
        for table in tables:
            for name, secret in secrets.items():
                count = connection.execute(
                    f'select count(*) from "{table}" as row where strpos(row::text, %s) > 0', (secret,)
                ).fetchone()
                if count and count[0]:
                    found.append((table, name))
    assert found == []
