"""A platform without Dagster for tests: the passes, on a simulated panel, into a real Postgres, and dbt on top."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from pydantic import SecretStr

from pteroassets.clock import ManualClock
from pteroassets.defs.dbt_project import run_dbt
from pteroassets.landing.files.store import LogStore
from pteroassets.landing.minecraft.collection import collect_logs
from pteroassets.landing.minecraft.parsing import parse_logs
from pteroassets.landing.minecraft.sessions import derive_sessions
from pteroassets.landing.pterodactyl.estate import land_estate
from pteroassets.landing.pterodactyl.timezones import LogTimezones
from pteroassets.landing.pterodactyl.utilization import land_utilization
from pteroassets.privacy import Redactor
from pteroassets.simulator.serve import Simulation
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.warehouse.budget import PostgresBudget
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.load import LoadReport

PII_KEY = b"a key of the tests, long enough"


@dataclass(kw_only=True)
class Platform:
    """The passes of one simulated panel into one warehouse."""

    simulation: Simulation
    clock: ManualClock
    settings: ConnectionSettings
    folder: Path
    interval: timedelta = timedelta(minutes=30)
    redactor: Redactor = field(default_factory=lambda: Redactor("hash", PII_KEY))

    @property
    def store(self) -> LogStore:
        return LogStore(self.folder / "log_store")

    @property
    def zones(self) -> LogTimezones:
        return LogTimezones(by_server=self.simulation.log_timezones)

    @contextmanager
    def _open(self) -> Iterator[tuple[PanelClient, Connection]]:
        budget = PostgresBudget(self.settings, panel=urlsplit(self.simulation.panel_url).netloc, clock=self.clock)
        with (
            connect(self.settings, autocommit=True) as connection,
            PanelClient(
                self.simulation.panel_url,
                application_key=SecretStr(self.simulation.application_key),
                client_key=SecretStr(self.simulation.client_key),
                budget=budget,
                clock=self.clock,
            ) as panel,
        ):
            yield panel, connection
        budget.close()

    def entities(self, **options: Any) -> dict[str, LoadReport]:
        with self._open() as (panel, connection):
            return dict(
                land_estate(panel, connection, redactor=self.redactor, clock=self.clock, zones=self.zones, **options)
            )

    def utilization(self) -> LoadReport:
        with self._open() as (panel, connection):
            return land_utilization(
                panel, connection, clock=self.clock, interval_seconds=int(self.interval.total_seconds())
            )

    def collect(self, **options: Any) -> LoadReport:
        with self._open() as (panel, connection):
            return collect_logs(panel, connection, self.store, clock=self.clock, zones=self.zones, **options)

    def derive(self) -> list[LoadReport]:
        with connect(self.settings, autocommit=True) as connection:
            parsed = parse_logs(
                connection, self.store, clock=self.clock, zones=self.zones, redactor=self.redactor, keep_text=False
            )
            return [parsed, *derive_sessions(connection, clock=self.clock)]

    def logs(self, **options: Any) -> LoadReport:
        report = self.collect(**options)
        self.derive()
        return report

    def everything(self) -> None:
        self.entities()
        self.utilization()
        self.logs()

    def history(
        self,
        until: datetime,
        *,
        entities: timedelta = timedelta(hours=12),
        utilization: timedelta = timedelta(hours=6),
        logs: timedelta = timedelta(days=1),
    ) -> None:
        """Make the passes from the world's beginning to *until*, each kind at its own step."""
        start = self.simulation.world.start
        step = min(entities, utilization, logs)
        at = start
        while at <= until:
            self.clock.move_to(at)
            if (at - start) % entities == timedelta(0):
                self.entities()
            if (at - start) % utilization == timedelta(0):
                self.utilization()
            if (at - start) % logs == timedelta(0):
                self.collect()
            at += step
        self.derive()

    def build(self, *arguments: str) -> None:
        """Run ``dbt build`` in a target folder of this platform's own."""
        run_dbt(["build", *arguments], self.environment(), target=self.folder / "target")

    def environment(self) -> dict[str, str]:
        return {**self.settings.environment(), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}


def table_rows(connection: Connection, table: str, *, without: Collection[str] = ()) -> list[tuple[Any, ...]]:
    """Return the rows of *table* in a stable order, columns that begin with ``_`` left out."""
    schema, _, name = table.partition(".")
    if table == "raw_pterodactyl.nodes":
        # a simulated node's port is a free one of the machine, so it differs between two simulations of one world
        without = {*without, "record", "digest"}
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


RAW_TABLES = [
    *(
        f"raw_pterodactyl.{entity}"
        for entity in (
            "locations", "nodes", "allocations", "nests", "eggs", "servers", "users", "subusers", "server_databases",
            "utilization_samples",
        )
    ),
    *("raw_minecraft.log_files", "raw_minecraft.events"),
    *("derived_minecraft.player_sessions", "derived_minecraft.server_runs"),
    "ops.server_timezones",
]  # fmt: skip


def graphql(port: int, query: str, **variables: Any) -> Any:
    """Return what Dagster's webserver on *port* answers to *query*."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = Request(f"http://127.0.0.1:{port}/graphql", data=body, headers={"Content-Type": "application/json"})
    opener = build_opener(ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        return json.load(answer)["data"]
