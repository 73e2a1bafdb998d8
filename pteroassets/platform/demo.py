"""The demo: a simulated panel, two weeks of history, every model, the UI and the docs, in one command.

The history is made by the functions that the schedules call, with the clock set back: a pass over entities, samples or
logs does not know that its instant lies in the past. What it made is then reported to Dagster.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from pydantic import SecretStr
from rich.console import Console

from pteroassets.clock import ManualClock, SystemClock
from pteroassets.landing.files.store import LogStore
from pteroassets.landing.minecraft.collection import collect_logs
from pteroassets.landing.minecraft.parsing import parse_logs
from pteroassets.landing.minecraft.sessions import derive_sessions
from pteroassets.landing.pterodactyl.estate import land_estate
from pteroassets.landing.pterodactyl.timezones import LogTimezones
from pteroassets.landing.pterodactyl.utilization import land_utilization
from pteroassets.platform.environment import (
    DEMO_DATABASE,
    DEMO_WORLD,
    PanelAccess,
    RuntimeFault,
    demo_home_of,
    environment,
    generated_key,
    make_folder,
    prepare_databases,
)
from pteroassets.platform.home_lock import sole_platform
from pteroassets.platform.loopback import require_free
from pteroassets.platform.postgres.embedded import EmbeddedPostgres, data_dir_below
from pteroassets.platform.postgres.logins import reader_login
from pteroassets.platform.progress import Advance, under_way
from pteroassets.platform.serve import Serving, serve
from pteroassets.platform.supervisor import Service, Supervisor, unwinding
from pteroassets.privacy import Redactor
from pteroassets.settings import Settings
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.warehouse.budget import PostgresBudget
from pteroassets.warehouse.connection import ConnectionSettings, connect

HISTORY = timedelta(days=14)
SAMPLING_STEP = timedelta(minutes=30)
ENTITIES_STEP = timedelta(hours=12)
LOGS_STEP = timedelta(days=1)
DEFAULT_SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Which simulated world a data folder holds: it is a pure function of these two and the time."""

    seed: int
    anchor: datetime

    @classmethod
    def of(cls, home: Path, seed: int) -> World:
        """Return the world stored in *home*, or store a new one that begins `HISTORY` before now."""
        path = home / DEMO_WORLD
        if path.exists():
            stored = json.loads(path.read_text())
            return cls(seed=stored["seed"], anchor=datetime.fromisoformat(stored["anchor"]))
        world = cls(seed=seed, anchor=datetime.now(tz=UTC).replace(second=0, microsecond=0))
        aside = path.with_suffix(".new")
        aside.write_text(json.dumps({"seed": world.seed, "anchor": world.anchor.isoformat()}))
        aside.replace(path)
        return world


class SimulatorProcess:
    """The simulated panel and its nodes, in a process of their own, and the handle on their clock."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.panel = PanelAccess(
            url=state["panel_url"], application_key=state["application_key"], client_key=state["client_key"]
        )
        self.log_timezones: dict[str, str] = state["log_timezones"]
        self._control = state["control_url"]
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {state['control_token']}"

    def set_clock(self, now: datetime | None) -> None:
        """Move the world to *now*; None lets it follow this machine's clock."""
        answer = self._session.post(
            f"{self._control}/clock", json={"now": "wall" if now is None else now.isoformat()}, timeout=60
        )
        answer.raise_for_status()


def simulator_command(world: World, state_file: Path) -> list[str]:
    """Return the command line that serves *world*."""
    return [
        sys.executable,
        "-m",
        "pteroassets.simulator",
        "--seed",
        str(world.seed),
        "--anchor",
        world.anchor.isoformat(),
        "--size",
        "demo",
        "--history-days",
        str(HISTORY.days),
        "--state-file",
        str(state_file),
    ]


class WorldClock(ManualClock):
    """A clock that takes the simulated world along wherever it is moved."""

    def __init__(self, simulator: SimulatorProcess, now: datetime) -> None:
        super().__init__(now)
        self._simulator = simulator
        simulator.set_clock(self.now())

    def move_to(self, instant: datetime) -> None:
        """Set this clock and the world's to *instant*."""
        super().move_to(instant)
        self._simulator.set_clock(self.now())

    def sleep(self, seconds: float) -> None:
        """Move on by *seconds*, the world too."""
        super().sleep(seconds)
        self._simulator.set_clock(self.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """The making of the history."""

    simulator: SimulatorProcess
    warehouse: ConnectionSettings
    store: LogStore
    redactor: Redactor
    world: World
    history: timedelta = HISTORY
    sampling_step: timedelta = SAMPLING_STEP

    def run(self, advance: Advance) -> dict[str, int]:
        """Make every pass that is not in the ledger yet, oldest first; return the number of passes by kind.

        A killed back-fill goes on where it stopped: a pass is one transaction (logs: one a server), and passes whose
        instant the ledger holds are left out.
        """
        zones = LogTimezones(by_server=self.simulator.log_timezones)
        start = self.world.anchor - self.history
        steps = int(self.history / self.sampling_step) + 1
        clock = WorldClock(self.simulator, start)
        budget = PostgresBudget(self.warehouse, panel=urlsplit(self.simulator.panel.url).netloc, clock=clock)
        made = {"entities": 0, "utilization": 0, "logs": 0}
        with (
            connect(self.warehouse, autocommit=True) as connection,
            PanelClient(
                self.simulator.panel.url,
                application_key=SecretStr(self.simulator.panel.application_key),
                client_key=SecretStr(self.simulator.panel.client_key),
                budget=budget,
                clock=clock,
            ) as panel,
        ):
            newest = {
                table: connection.execute(
                    "select max(observed_at) from ops.loads where table_name = %s", (table,)
                ).fetchone()
                for table in (
                    "raw_pterodactyl.server_databases",
                    "raw_pterodactyl.utilization_samples",
                    "raw_minecraft.log_files",
                )
            }

            def due(table: str, step: timedelta, at: datetime) -> bool:
                row = newest[table]
                behind = row is None or row[0] is None or row[0] < at
                return behind and (at - start) % step == timedelta(0)

            for number in range(steps):
                at = start + number * self.sampling_step
                wanted = {
                    "entities": due("raw_pterodactyl.server_databases", ENTITIES_STEP, at),
                    "utilization": due("raw_pterodactyl.utilization_samples", self.sampling_step, at),
                    "logs": due("raw_minecraft.log_files", LOGS_STEP, at),
                }
                if any(wanted.values()):
                    clock.move_to(at)
                if wanted["entities"]:
                    for _ in land_estate(panel, connection, redactor=self.redactor, clock=clock, zones=zones):
                        pass
                if wanted["utilization"]:
                    land_utilization(
                        panel, connection, clock=clock, interval_seconds=int(self.sampling_step.total_seconds())
                    )
                if wanted["logs"]:
                    collect_logs(panel, connection, self.store, clock=clock, zones=zones)
                for kind, is_wanted in wanted.items():
                    made[kind] += is_wanted
                advance(number + 1, steps)
            parse_logs(connection, self.store, clock=clock, zones=zones, redactor=self.redactor, keep_text=False)
            for _ in derive_sessions(connection, clock=clock):
                pass
        budget.close()
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What the command line says of the demo."""

    once: bool
    seed: int | None
    home: Path | None
    dagster_port: int | None
    docs_port: int | None


def run_demo(options: DemoOptions, settings: Settings, console: Console) -> None:
    """Run the demo until Ctrl-C, or until all is built where ``once`` is set.

    Raises:
        RuntimeFault: Something outside the code is in the way; the message names it.
    """
    home = make_folder(options.home or demo_home_of(settings))
    with unwinding(), sole_platform(home, SystemClock()):
        _run(home, options, settings, console)


def _run(home: Path, options: DemoOptions, settings: Settings, console: Console) -> None:
    dagster_port = options.dagster_port or settings.pteroassets_dagster_port
    docs_port = options.docs_port or settings.pteroassets_docs_port
    require_free(
        {
            "--dagster-port" if options.dagster_port else "PTEROASSETS_DAGSTER_PORT": dagster_port,
            "--docs-port" if options.docs_port else "PTEROASSETS_DOCS_PORT": docs_port,
        }
    )
    world = World.of(home, DEFAULT_SEED if options.seed is None else options.seed)
    if options.seed is not None and options.seed != world.seed:
        raise RuntimeFault(
            f"{home} holds the world of seed {world.seed}; name another folder with --home for seed {options.seed}"
        )
    with (
        EmbeddedPostgres(data_dir_below(home), bindir=settings.pteroassets_postgres_bindir, durable=False) as postgres,
        Supervisor(home / "logs") as supervisor,
    ):
        console.print("starting the simulated panel and its nodes")
        simulator = _start_simulator(supervisor, world, home)
        warehouse = postgres.with_database(DEMO_DATABASE)
        prepare_databases(warehouse, settings.pteroassets_dagster_database)
        variables = environment(
            settings.model_copy(
                update={"pteroassets_log_timezones": simulator.log_timezones, "pteroassets_log_timezone": None}
            ),
            panel=simulator.panel,
            warehouse=warehouse,
            home=home,
            pii_key=generated_key(home, "pii.key"),
        )
        made = _backfill(simulator, warehouse, world, home, variables, console)
        simulator.set_clock(None)
        serve(
            Serving(
                supervisor=supervisor,
                variables=variables,
                warehouse=warehouse,
                dagster_database=settings.pteroassets_dagster_database,
                home=home,
                dagster_port=dagster_port,
                docs_port=docs_port,
                extra_urls={"simulated panel": simulator.panel.url},
                history=made,
                reader=reader_login(warehouse, home),
            ),
            console,
            once=options.once,
        )


def _start_simulator(supervisor: Supervisor, world: World, home: Path) -> SimulatorProcess:
    state_file = home / "simulator.json"
    state_file.unlink(missing_ok=True)
    supervisor.start(
        Service(name="simulated-panel", command=simulator_command(world, state_file), ready=state_file.exists)
    )
    return SimulatorProcess(json.loads(state_file.read_text()))


def _has_history(warehouse: ConnectionSettings) -> bool:
    """Tell whether the ledger holds anything: the database may have been lost while its home was kept."""
    with connect(warehouse, autocommit=True) as connection:
        row = connection.execute("select exists (select from ops.loads)").fetchone()
    return bool(row and row[0])


def _backfill(
    simulator: SimulatorProcess,
    warehouse: ConnectionSettings,
    world: World,
    home: Path,
    variables: Mapping[str, str],
    console: Console,
) -> dict[str, int] | None:
    """Make the history unless it is there; return how many passes of each kind that took."""
    done = home / "history.made"
    if done.exists() and _has_history(warehouse):
        return None
    backfill = Backfill(
        simulator=simulator,
        warehouse=warehouse,
        store=LogStore(variables["PTEROASSETS_LOG_STORE"]),
        redactor=Redactor("hash", variables["PTEROASSETS_PII_KEY"].encode()),
        world=world,
    )
    with under_way(console, "making 14 days of history") as advance:
        made = backfill.run(advance)
    done.touch()
    return made
