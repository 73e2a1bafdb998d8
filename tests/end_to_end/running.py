"""Dagster's processes on a simulated panel, as an operator runs them."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dagster_graphql import DagsterGraphQLClient
from pydantic import SecretStr

from pteroassets.clock import Clock
from pteroassets.platform.environment import environment, located
from pteroassets.platform.loopback import free_port
from pteroassets.platform.services import DagsterPlace, begin_daemon, begin_webserver, dagster_code_server
from pteroassets.platform.supervisor import Service, Supervisor
from pteroassets.settings import CHECKOUT, Settings
from pteroassets.simulator.panel.faults import Fault
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World
from pteroassets.warehouse.connection import ConnectionSettings, connect
from pteroassets.warehouse.migrate import ensure_database
from tests.harness import PII_KEY, graphql

_ENDED = ("SUCCESS", "FAILURE", "CANCELED")
_UNDER_WAY = ("QUEUED", "NOT_STARTED", "MANAGED", "STARTING", "STARTED", "CANCELING")
_RUNS = """
query($filter: RunsFilter) { runsOrError(filter: $filter) { ... on Runs { results { runId jobName status } } } }
"""
_STEPS = """
query($run: ID!) { runOrError(runId: $run) { ... on Run { stepStats { stepKey startTime } } } }
"""
_EVENTS = """
query($run: ID!, $after: String) {
  logsForRun(runId: $run, afterCursor: $after) {
    ... on EventConnection {
      cursor hasMore
      events {
        ... on MessageEvent { timestamp eventType stepKey message }
        ... on EngineEvent { metadataEntries { label ... on TextMetadataEntry { text } } }
      }
    }
  }
}
"""
_ASSETS = """
query($keys: [AssetKeyInput!]) {
  assetNodes(assetKeys: $keys) {
    assetKey { path }
    freshnessStatusInfo { freshnessStatus }
    assetMaterializations(limit: 1) { metadataEntries { label } }
    assetChecksOrError {
      ... on AssetChecks { checks { name executionForLatestMaterialization { status } } }
    }
  }
}
"""
_SCHEDULES = """
{
  schedulesOrError(
    repositorySelector: {repositoryName: "__repository__", repositoryLocationName: "pteroassets"}
  ) { ... on Schedules { results { name scheduleState { id } } } }
}
"""
_START_SCHEDULE = """
mutation($name: String!) {
  startSchedule(
    scheduleSelector: {
      repositoryName: "__repository__", repositoryLocationName: "pteroassets", scheduleName: $name
    }
  ) { ... on ScheduleStateResult { scheduleState { status } } }
}
"""
_STOP_SCHEDULE = """
mutation($id: String) {
  stopRunningSchedule(id: $id) { ... on ScheduleStateResult { scheduleState { status } } }
}
"""


@dataclass(kw_only=True)
class Running:
    """Dagster's processes on a simulated panel whose time is the machine's."""

    simulation: Simulation
    warehouse: ConnectionSettings
    dagster_database: str
    client: DagsterGraphQLClient
    supervisor: Supervisor
    port: int
    code_server_port: int
    folder: Path

    def launch(self, job: str, **options: Any) -> str:
        return str(self.client.submit_job_execution(job, repository_location_name="pteroassets", **options))

    def status(self, run_id: str) -> str:
        return str(self.client.get_run_status(run_id).value)

    def wait(self, run_id: str, *, seconds: float = 600) -> str:
        deadline = time.monotonic() + seconds
        while (status := self.status(run_id)) not in _ENDED:
            assert time.monotonic() < deadline, f"run {run_id} is {status} after {seconds} seconds"
            time.sleep(0.2)
        return status

    def runs(self, **wanted: Any) -> list[dict[str, str]]:
        """Return id, job and status of the runs that Dagster's filter *wanted* lets through, the newest first."""
        return list(graphql(self.port, _RUNS, filter=wanted)["runsOrError"]["results"])

    def refused_runs(self, number: int) -> list[str]:
        """Make runs that fail, since the panel refuses their key, and one that leaves the platform well again.

        They are of one asset, behind which nothing is built: a failure shows at all that a run meant to build.

        Returns:
            The ids of those that failed.
        """
        eggs = {"asset_selection": [["pterodactyl", "eggs"]]}
        self.simulation.faults.add(Fault(status=401, route="application"))
        try:
            failed = [self.launch("entities", **eggs) for _ in range(number)]
            assert [self.wait(run_id) for run_id in failed] == ["FAILURE"] * number
        finally:
            self.simulation.faults.clear()
        assert self.wait(self.launch("entities", **eggs)) == "SUCCESS"
        return failed

    def begun_steps(self, run_id: str) -> list[str]:
        """Return the steps that a run has begun, the last at the end."""
        steps = graphql(self.port, _STEPS, run=run_id)["runOrError"]["stepStats"]
        begun = [step for step in steps if step["startTime"] is not None]
        return [step["stepKey"] for step in sorted(begun, key=lambda step: float(step["startTime"]))]

    def events(self, run_id: str) -> Iterator[dict[str, Any]]:
        """Return the events of a run, the oldest first."""
        after = None
        while True:
            page = graphql(self.port, _EVENTS, run=run_id, after=after)["logsForRun"]
            yield from page["events"]
            if not page["hasMore"]:
                return
            after = page["cursor"]

    def worker_of(self, run_id: str) -> int | None:
        """Return the process id of the worker that executes a run, None before it has said so."""
        for event in self.events(run_id):
            told = {entry["label"]: entry.get("text") for entry in event.get("metadataEntries", ())}
            if "step_keys" in told:
                return int(told["pid"])
        return None

    def assets(self, *paths: list[str]) -> dict[tuple[str, ...], dict[str, Any]]:
        """Return what Dagster knows of some assets, or of all when none is named, by their keys."""
        keys = [{"path": path} for path in paths] or None
        return {tuple(node["assetKey"]["path"]): node for node in graphql(self.port, _ASSETS, keys=keys)["assetNodes"]}

    def newest_metadata(self, *path: str) -> set[str]:
        """Return the names of what the newest materialization of an asset bears."""
        (materialization,) = self.assets([*path])[path]["assetMaterializations"]
        return {entry["label"] for entry in materialization["metadataEntries"]}

    def wait_until_idle(self, *, seconds: float = 600) -> None:
        """Return when no run is queued or under way."""
        deadline = time.monotonic() + seconds
        while busy := self.runs(statuses=_UNDER_WAY):
            assert time.monotonic() < deadline, f"not idle after {seconds} seconds: {busy}"
            time.sleep(0.5)

    def wait_for_freshness(self, *path: str, seconds: float = 300) -> None:
        """Return when the daemon, which comes round each minute, has found the asset fresh."""
        deadline = time.monotonic() + seconds
        while self.assets([*path])[path]["freshnessStatusInfo"]["freshnessStatus"] != "HEALTHY":
            assert time.monotonic() < deadline, f"{path} was not found fresh within {seconds} seconds"
            time.sleep(0.5)

    def stop_schedules(self) -> None:
        """Turn every schedule off, as an operator does in the UI."""
        schedules = graphql(self.port, _SCHEDULES)["schedulesOrError"]["results"]
        assert schedules
        for schedule in schedules:
            answer = graphql(self.port, _STOP_SCHEDULE, id=schedule["scheduleState"]["id"])
            assert answer["stopRunningSchedule"]["scheduleState"]["status"] == "STOPPED", answer

    def start_schedule(self, name: str) -> None:
        """Turn one schedule on."""
        answer = graphql(self.port, _START_SCHEDULE, name=name)
        assert answer["startSchedule"]["scheduleState"]["status"] == "RUNNING", answer

    def ask(self, text: str) -> list[tuple[Any, ...]]:
        with connect(self.warehouse, autocommit=True) as connection:
            return connection.execute(text).fetchall()

    def storage(self, text: str) -> list[tuple[Any, ...]]:
        """Ask the tables of Dagster themselves, for what its API hides or has forgotten."""
        with connect(self.warehouse.with_database(self.dagster_database), autocommit=True) as connection:
            return connection.execute(text).fetchall()

    def checks(self) -> dict[str, bool]:
        """Whether each asset check passed that was made of what is newest, by its asset's key and its name."""
        statuses = {
            f"{'/'.join(path)} {check['name']}": check["executionForLatestMaterialization"]["status"]
            for path, node in self.assets().items()
            for check in node["assetChecksOrError"].get("checks", ())
            if check["executionForLatestMaterialization"] is not None
        }
        return {name: status == "SUCCEEDED" for name, status in statuses.items() if status in ("SUCCEEDED", "FAILED")}

    def make_left_checks(self, schema: str, table: str) -> None:
        """Make the checks of what is newest in *table* that the last pass left to the jobs of each hour and day."""
        self.wait_until_idle()
        known = self.assets([schema, table])[schema, table]["assetChecksOrError"]["checks"]
        if any(check["executionForLatestMaterialization"] is None for check in known):
            for job in ("hourly_checks", "daily_views_and_checks"):
                assert self.wait(self.launch(job)) == "SUCCESS"


@contextmanager
def running_platform(
    template: ConnectionSettings,
    folder: Path,
    world: World,
    clock: Clock,
    *,
    fixed_at: datetime | None = None,
    module: str = "pteroassets.definitions",
    database: str | None = None,
) -> Iterator[Running]:
    """Start a simulated panel and Dagster's processes, with every schedule off.

    What schedules would build takes the processor from the tests beside, and comes or not by the time of day.

    Args:
        template: Of the warehouse.
        folder: For files and what the processes print.
        world: Of the panel.
        clock: Of the panel.
        fixed_at: Where the time of the passes stands still.
        module: The code location.
        database: Name of the warehouse; one of its own when not given.
    """
    with ExitStack() as stack:
        simulation = stack.enter_context(Simulation(world, clock))
        warehouse = template.with_database(database or f"running_{uuid.uuid4().hex[:12]}")
        with connect(template.with_database("postgres"), autocommit=True) as admin:
            admin.execute(f'create database "{warehouse.database}" template "{template.database}"')
        dagster = f"dagster_of_{warehouse.database}"
        ensure_database(warehouse, dagster)
        settings = located(
            Settings(_env_file=None),
            warehouse=warehouse,
            home=folder,
            pterodactyl_url=simulation.panel_url,
            pterodactyl_app_key=SecretStr(simulation.application_key),
            pterodactyl_cli_key=SecretStr(simulation.client_key),
            pteroassets_pii_key=SecretStr(PII_KEY.decode()),
            pteroassets_log_timezones=simulation.log_timezones,
        )
        place = DagsterPlace(
            checkout=CHECKOUT,
            warehouse=warehouse,
            database=dagster,
            artifacts=folder / "artifacts",
            code_server_port=free_port(),
        )
        given = {**environment(settings, folder), **place.environment()}
        if fixed_at is not None:
            given["PTEROASSETS_FIXED_TIME"] = fixed_at.isoformat()

        def with_settings(service: Service) -> Service:
            return dataclasses.replace(service, environment={**service.environment, **given})

        port = free_port()
        supervisor = stack.enter_context(Supervisor(folder / "logs"))
        supervisor.start(with_settings(dagster_code_server(place, module=module)))
        begin_webserver(supervisor, place, port=port)
        running = Running(
            simulation=simulation,
            warehouse=warehouse,
            dagster_database=dagster,
            client=DagsterGraphQLClient("127.0.0.1", port_number=port),
            supervisor=supervisor,
            port=port,
            code_server_port=place.code_server_port,
            folder=folder,
        )
        running.stop_schedules()  # before the daemon is there, which would let them tick
        begin_daemon(place)
        yield running
