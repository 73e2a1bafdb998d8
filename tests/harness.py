"""A platform without Dagster for tests: the passes, on a simulated panel, into a real Postgres, and dbt on top."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from pydantic import SecretStr

from pteroassets.clock import ManualClock
from pteroassets.landing.context import Landing
from pteroassets.landing.files.collection import collect_files
from pteroassets.landing.files.store import LogStore
from pteroassets.landing.minecraft.collection import LOGS, LogPlaces, where_logs_are
from pteroassets.landing.minecraft.passes import parse_and_derive
from pteroassets.landing.pterodactyl.estate import read_entities
from pteroassets.landing.servers import LogTimezones
from pteroassets.landing.sources import PASSES
from pteroassets.platform.demo import make_history
from pteroassets.platform.environment import located
from pteroassets.privacy import PiiMode
from pteroassets.settings import Settings
from pteroassets.simulator.serve import Simulation
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.warehouse.connection import Connection, ConnectionSettings
from pteroassets.warehouse.load import LoadReport
from tests.parsed import kept, run_dbt

PII_KEY = b"a key of the tests, long enough"


@dataclass(kw_only=True)
class Platform:
    """The passes of one simulated panel into one warehouse."""

    simulation: Simulation
    clock: ManualClock
    settings: ConnectionSettings
    folder: Path
    interval: timedelta = timedelta(minutes=30)
    pii: PiiMode = "hash"

    def landing_at(self, at: datetime) -> Landing:
        settings = located(
            Settings(_env_file=None),
            warehouse=self.settings,
            home=self.folder,
            pterodactyl_url=self.simulation.panel_url,
            pterodactyl_app_key=SecretStr(self.simulation.application_key),
            pterodactyl_cli_key=SecretStr(self.simulation.client_key),
            pteroassets_pii=self.pii,
            pteroassets_pii_key=SecretStr(PII_KEY.decode()),
            pteroassets_log_timezones=self.simulation.world.log_timezones(at),
        )
        return Landing(settings=settings, clock=self.clock)

    @property
    def landing(self) -> Landing:
        return self.landing_at(self.clock.now())

    @property
    def store(self) -> LogStore:
        return self.landing.store

    @property
    def zones(self) -> LogTimezones:
        return self.landing.zones

    @contextmanager
    def _open(self) -> Iterator[tuple[PanelClient, Connection]]:
        landing = self.landing
        with landing.connect() as connection, landing.panel() as panel:
            yield panel, connection

    def make(self, name: str) -> list[LoadReport]:
        """Make the pass called *name*."""
        one, landing = PASSES[name], self.landing
        with landing.connect() as connection:
            read = [*one.read(landing, connection, self.interval)]
            return read if one.derive is None else [*read, *one.derive(landing, connection)]

    def entities(self, **options: Any) -> dict[str, LoadReport]:
        with self.landing.connect() as connection:
            return dict(read_entities(self.landing, connection, **options))

    def utilization(self) -> LoadReport:
        (report,) = self.make("utilization")
        return report

    def collect(self, *, places: LogPlaces | None = None, **options: Any) -> LoadReport:
        with self._open() as (panel, connection):
            places = places or LogPlaces()
            where = where_logs_are(connection, zones=self.zones, places=places, opt_outs=self.landing.opt_outs)
            return collect_files(panel, connection, self.store, LOGS, where, clock=self.clock, **options)

    def derive(self) -> list[LoadReport]:
        with self.landing.connect() as connection:
            return [*parse_and_derive(self.landing, connection)]

    def logs(self, **options: Any) -> LoadReport:
        report = self.collect(**options)
        self.derive()
        return report

    def everything(self) -> None:
        for name, one in PASSES.items():
            if one.is_on(self.landing.settings):
                self.make(name)

    def history(
        self,
        until: datetime,
        *,
        entities: timedelta = timedelta(hours=12),
        utilization: timedelta = timedelta(hours=6),
        logs: timedelta = timedelta(days=1),
        upkeep: timedelta = timedelta(days=4, hours=12),
    ) -> None:
        """Make the passes from the world's beginning to *until*, each kind at its own step."""
        make_history(
            self.landing_at(until),
            lambda _done, _of: None,
            start=self.simulation.world.start,
            until=until,
            steps={"entities": entities, "utilization": utilization, "logs": logs, "upkeep": upkeep},
            interval=self.interval,
        )

    def build(self, *arguments: str) -> None:
        """Run ``dbt build`` in the target folder of all platforms whose database has this one's name.

        Unit tests are left out: they read rows of their own, so the build that tests/dbt makes runs them for all.
        """
        command = ["build", "--exclude-resource-type", "unit_test", *arguments]
        run_dbt(command, self.environment())

    @property
    def target(self) -> Path:
        """What dbt wrote, also for platforms before this one."""
        return kept() / self.settings.database

    def environment(self) -> dict[str, str]:
        return {**self.settings.environment(), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}


SURROGATES = frozenset({"file_id", "player_id", "kind_id", "event_load_id"})
"""Columns with numbers that Postgres gives as rows come; the views before their tables show what they mean."""


def table_rows(connection: Connection, table: str, *, without: Collection[str] = ()) -> list[tuple[Any, ...]]:
    """Return the rows of *table* in a stable order, without surrogates and columns that begin with ``_``."""
    schema, _, name = table.partition(".")
    if table == "raw_pterodactyl.nodes":
        # a simulated node's port is a free one of the machine, so it differs between two simulations of one world
        without = {*without, "record", "digest"}
    without = SURROGATES.union(without)
    columns = [
        row[0]
        for row in connection.execute(
            "select column_name from information_schema.columns where table_schema = %s and table_name = %s "
            "order by ordinal_position",
            (schema, name),
        )
        if not row[0].startswith("_") and row[0] not in without
    ]
    assert columns, f"{table} is not there"
    listed = ", ".join(f'"{column}"::text' for column in columns)
    return connection.execute(f"select {listed} from {table} order by {listed}").fetchall()


_OF_ATTEMPTS = ("raw_minecraft.log_reads", "raw_pterodactyl.list_reads")
RAW_TABLES = [table for one in PASSES.values() for table in one.tables if table not in _OF_ATTEMPTS]


def graphql(port: int, query: str, **variables: Any) -> Any:
    """Return what Dagster's webserver on *port* answers to *query*."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = Request(f"http://127.0.0.1:{port}/graphql", data=body, headers={"Content-Type": "application/json"})
    opener = build_opener(ProxyHandler({}))
    with opener.open(request, timeout=300) as answer:
        return json.load(answer)["data"]
