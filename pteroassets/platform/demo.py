"""The demo: a simulated panel, two weeks of history, every model, the UI and the docs, in one command.

The history is made by the functions that the schedules call, with the clock set back: a pass over entities, samples or
logs does not know that its time is in the past. What it made is then reported to Dagster.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import requests
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from rich.console import Console
from urllib3.util import Retry

from pteroassets.clock import ManualClock, SystemClock
from pteroassets.landing.context import Landing
from pteroassets.landing.passes import BROKE_OFF, GOES_ON
from pteroassets.landing.sources import PASSES
from pteroassets.platform.demo_collector import DemoCollector
from pteroassets.platform.demo_discord import DemoDiscord
from pteroassets.platform.demo_game import demo_game
from pteroassets.platform.demo_replays import replay_sites
from pteroassets.platform.environment import (
    DEMO_DATABASE,
    DEMO_WORLD,
    RuntimeFault,
    demo_home_of,
    generated_key,
    located,
    make_folder,
    prepare_databases,
)
from pteroassets.platform.home_lock import sole_platform
from pteroassets.platform.loopback import require_free
from pteroassets.platform.postgres.embedded import EmbeddedPostgres, data_dir_below
from pteroassets.platform.postgres.logins import reader_login
from pteroassets.platform.progress import Advance, under_way
from pteroassets.platform.serve import Serving, begin, serve
from pteroassets.platform.services import event_collector
from pteroassets.platform.supervisor import Service, Supervisor, unwinding
from pteroassets.settings import PresetName, Settings
from pteroassets.warehouse.connection import ConnectionSettings, connect
from pteroassets.warehouse.load import LoadReport

HISTORY = timedelta(days=14)
DEFAULT_SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Which simulated world a data folder holds: the world follows from these two values and the time."""

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
    """The simulated panel and its nodes, in their own process, and control of their clock."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.settings: dict[str, Any] = {
            "pterodactyl_url": state["panel_url"],
            "pterodactyl_app_key": SecretStr(state["application_key"]),
            "pterodactyl_cli_key": SecretStr(state["client_key"]),
            "pteroassets_log_timezones": state["log_timezones"],
            "pteroassets_log_timezone": None,
        }
        """What the platform is to know of this panel."""
        self._control = state["control_url"]
        self._session = requests.Session()
        # a connection that was idle for long may be closed by the other end just when it is used again
        again = Retry(total=3, allowed_methods=None, backoff_factor=0.1)
        self._session.mount("http://", HTTPAdapter(max_retries=again))
        self._session.headers["Authorization"] = f"Bearer {state['control_token']}"

    def set_clock(self, now: datetime | None) -> None:
        """Set the world's time to *now*; None lets it follow this machine's clock."""
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
    """A clock that also sets the simulated world's clock."""

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


def make_history(
    landing: Landing,
    advance: Advance,
    *,
    start: datetime,
    until: datetime,
    steps: Mapping[str, timedelta] = MappingProxyType({}),
    interval: timedelta | None = None,
    preset: PresetName | None = None,
) -> dict[str, int]:
    """Run every pass from *start* to *until* that is not in the ledger; return their number by name.

    A killed back-fill goes on where it stopped: a pass is one transaction (logs: one a server), and passes whose
    time is in the ledger are left out.

    Args:
        landing: Its clock must be one that can be set.
        advance: Called with the number of steps done.
        start: Time of the first pass of each kind.
        until: Time of the last ones.
        steps: Time between two passes, by name, if it is not the pass' own ``history_step``.
        interval: The longest time that a sample stands for, if it is not the time to the next pass.
        preset: Of the schedules that go on after *until*: the last samples hold until theirs. None if none do.
    """
    # history has its own steps, whatever the interval of samples is going to be
    settings = landing.settings.model_copy(update={"pteroassets_sample_interval": None})
    landing = replace(landing, settings=settings)
    passes = [one for one in PASSES.values() if one.is_on(landing.settings)]
    clock = landing.clock
    assert isinstance(clock, ManualClock)  # noqa: S101 - said above
    paced = [(one, steps.get(one.name, one.history_step)) for one in passes]
    step = min(pace for _, pace in paced)
    count = int((until - start) / step) + 1
    made = dict.fromkeys((one.name for one in passes), 0)
    with landing.panel(), landing.connect() as connection:
        # of a killed pass some loads may stand: it is made when the one that ends it does
        loads = connection.execute(
            """
            select table_name, max(observed_at) from ops.loads
            where not coalesce(problems -> 0 ->> 'reason' = any(%s), false)
            group by 1
            """,
            ([GOES_ON, BROKE_OFF],),
        )
        newest: dict[str, datetime] = dict(loads.fetchall())
        for number in range(count):
            at = start + number * step
            due = [
                (one, pace)
                for one, pace in paced
                if (at - start) % pace == timedelta(0) and newest.get(one.ends_with, start - step) < at
            ]
            if due:
                clock.move_to(at)
            for one, pace in due:
                held = interval or pace
                if preset is not None and at + pace > until:
                    held = min(held, one.rhythms[preset].every)
                _exhaust(one.read(landing, connection, held))
                made[one.name] += 1
            advance(number + 1, count)
        for one in passes:
            if one.derive is not None:
                _exhaust(one.derive(landing, connection))
    return made


def _exhaust(reports: Iterable[LoadReport]) -> None:
    for _ in reports:
        pass


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """The demo's options on the command line."""

    once: bool
    seed: int | None
    home: Path | None
    dagster_port: int | None
    docs_port: int | None


def run_demo(options: DemoOptions, settings: Settings, console: Console) -> None:
    """Run the demo until Ctrl-C, or until all is built if ``once`` is set.

    Raises:
        RuntimeFault: Something outside the code prevents it; the message names it.
    """
    home = make_folder(options.home or demo_home_of(settings))
    with unwinding(), sole_platform(home, SystemClock()):
        _run(home, options, settings, console)


def _run(home: Path, options: DemoOptions, settings: Settings, console: Console) -> None:
    ports = {
        "pteroassets_dagster_port": options.dagster_port or settings.pteroassets_dagster_port,
        "pteroassets_docs_port": options.docs_port or settings.pteroassets_docs_port,
    }
    require_free(
        {
            "--dagster-port" if options.dagster_port else "PTEROASSETS_DAGSTER_PORT": ports["pteroassets_dagster_port"],
            "--docs-port" if options.docs_port else "PTEROASSETS_DOCS_PORT": ports["pteroassets_docs_port"],
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
        replay_sites(home, seed=world.seed, until=world.anchor) as replays,
    ):
        console.print("starting the simulated panel and its nodes")
        simulator = _start_simulator(supervisor, world, home)
        # what is built once and then ends tells nobody
        discord = None if options.once else DemoDiscord.start(supervisor, home)
        collector = DemoCollector.of(settings, home)
        warehouse = postgres.with_database(DEMO_DATABASE)
        prepare_databases(warehouse, settings.pteroassets_dagster_database, console)
        settings = located(
            settings,
            warehouse=warehouse,
            home=home,
            pteroassets_pii_key=SecretStr(generated_key(home, "pii.key")),
            **simulator.settings,
            **(discord.settings_with(simulator.settings["pterodactyl_cli_key"]) if discord is not None else {}),
            **replays,
            **collector.settings_with(settings),
            **ports,
        )
        begun = begin(supervisor, settings, home)
        game = demo_game(collector, home, seed=world.seed, anchor=world.anchor)
        supervisor.wait_until_ready(event_collector(collector.port))
        supervisor.begin(game)
        # the sites of replays know no time but this machine's, and nobody has pushed events
        without = settings.model_copy(update=dict.fromkeys((*replays, "pteroassets_event_keys")))
        made = _history(simulator, without, world, home, console)
        simulator.set_clock(None)
        supervisor.wait_until_ready(game)  # what it pushed is built with the rest
        if discord is not None:
            discord.place_cards_once_the_bot_is_there()
        serve(
            Serving(
                begun=begun,
                extra_urls={
                    "simulated panel": str(settings.pterodactyl_url),
                    **({"Discord": discord.page} if discord is not None else {}),
                    **collector.hints(),
                },
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
    """Return whether the ledger has entries: the database may be lost while its home was kept."""
    with connect(warehouse, autocommit=True) as connection:
        row = connection.execute("select exists (select from ops.loads)").fetchone()
    return bool(row and row[0])


def _history(
    simulator: SimulatorProcess, settings: Settings, world: World, home: Path, console: Console
) -> dict[str, int] | None:
    """Make the history unless it exists; return how many passes of each kind that took."""
    done = home / "history.made"
    start = world.anchor - HISTORY
    # one request for each node in the place of one for each server; the rows are the same
    quick = settings.model_copy(update={"pteroassets_node_access": True})
    landing = Landing(settings=quick, clock=WorldClock(simulator, start))
    if done.exists() and _has_history(landing.warehouse):
        return None
    with under_way(console, "making 14 days of history") as advance:
        preset = settings.pteroassets_schedules
        made = make_history(landing, advance, start=start, until=world.anchor, preset=preset)
    done.touch()
    return made
