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
from pteroassets.platform.services import DagsterPlace, dagster_code_server, dagster_daemon, dagster_webserver
from pteroassets.platform.supervisor import Service, Supervisor
from pteroassets.settings import CHECKOUT, Settings
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World
from pteroassets.warehouse.connection import ConnectionSettings, connect
from pteroassets.warehouse.migrate import ensure_database
from tests.harness import PII_KEY, graphql

_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
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
    folder: Path

    def launch(self, job: str, **options: Any) -> str:
        return str(self.client.submit_job_execution(job, repository_location_name="pteroassets", **options))

    def status(self, run_id: str) -> str:
        return str(self.client.get_run_status(run_id).value)

    def wait(self, run_id: str, *, seconds: float = 240) -> str:
        deadline = time.monotonic() + seconds
        while (status := self.status(run_id)) not in _ENDED:
            assert time.monotonic() < deadline, f"run {run_id} is {status} after {seconds} seconds"
            time.sleep(0.2)
        return status

    def wait_until_idle(self, *, seconds: float = 240) -> None:
        """Return when no run is queued or under way."""
        deadline = time.monotonic() + seconds
        while busy := self.dagster(
            "select pipeline_name, status from runs "
            f"where status not in ({', '.join(repr(status) for status in sorted(_ENDED))})"
        ):
            assert time.monotonic() < deadline, f"not idle after {seconds} seconds: {busy}"
            time.sleep(0.5)

    def wait_for_freshness(self, key: str, *, seconds: float = 120) -> None:
        """Return when the daemon, which comes round each half minute, has found the asset *key* fresh."""
        deadline = time.monotonic() + seconds
        while not self.dagster(
            "select from event_logs where dagster_event_type = 'FRESHNESS_STATE_CHANGE' "
            f"and asset_key = '{key}' and event like '%FreshnessState.PASS%' limit 1"
        ):
            assert time.monotonic() < deadline, f"{key} was not found fresh within {seconds} seconds"
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

    def dagster(self, text: str) -> list[tuple[Any, ...]]:
        with connect(self.warehouse.with_database(self.dagster_database), autocommit=True) as connection:
            return connection.execute(text).fetchall()

    def checks(self) -> dict[str, bool]:
        """Whether each asset check passed when it last ran, by its asset's key and its name."""
        rows = self.dagster(
            "select distinct on (asset_key, check_name) asset_key, check_name, execution_status "
            "from asset_check_executions where execution_status in ('SUCCEEDED', 'FAILED') "
            "order by asset_key, check_name, id desc"
        )
        return {f"{key} {name}": status == "SUCCEEDED" for key, name, status in rows}


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
            Settings(_env_file=None),  # type: ignore[call-arg]
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
        supervisor.start(with_settings(dagster_webserver(place, port=port)))
        running = Running(
            simulation=simulation,
            warehouse=warehouse,
            dagster_database=dagster,
            client=DagsterGraphQLClient("127.0.0.1", port_number=port),
            supervisor=supervisor,
            port=port,
            folder=folder,
        )
        running.stop_schedules()  # before the daemon is there, which would let them tick
        supervisor.start(with_settings(dagster_daemon(place)))
        yield running
