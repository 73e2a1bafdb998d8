"""What is outside the code location: the panel, the warehouse, the log store and the time.

Each resource holds settings, all of them typed and described, and hands out a plain object that knows no Dagster.
Secrets come in as `dagster.EnvVar`, so the UI shows the variable's name and never its value.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import cast
from urllib.parse import urlsplit

import dagster as dg
from pydantic import Field, SecretStr

from pteroassets.clock import Clock, ManualClock, SystemClock
from pteroassets.landing.files.budget import LogBudget
from pteroassets.landing.files.store import LogStore
from pteroassets.landing.minecraft.collection import collect_logs
from pteroassets.landing.minecraft.places import LogPlaces
from pteroassets.landing.pterodactyl.timezones import LogTimezones
from pteroassets.privacy import PiiMode, Redactor
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.warehouse.budget import PostgresBudget
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.load import LoadReport


class Time(dg.ConfigurableResource):
    """The clock of everything that runs in the code location."""

    fixed_at: str = Field(
        default="", description="An ISO 8601 instant at which time stands still, for tests; empty: now."
    )

    def clock(self) -> Clock:
        """Return the clock."""
        return ManualClock(datetime.fromisoformat(self.fixed_at)) if self.fixed_at else SystemClock()


class Warehouse(dg.ConfigurableResource):
    """The Postgres database that holds raw tables and models."""

    host: str = Field(description="Host name or address.")
    port: int = Field(description="TCP port.")
    database: str = Field(description="Name of the warehouse's database.")
    username: str = Field(description="Account that owns the schemas.")
    password: str = Field(description="Its password.")

    def settings(self) -> ConnectionSettings:
        """Return the address and the account."""
        return ConnectionSettings(
            host=self.host, port=self.port, database=self.database, username=self.username, password=self.password
        )

    def connect(self) -> Connection:
        """Open a connection in autocommit mode; loads open their own transactions."""
        return connect(self.settings(), autocommit=True)


class Panel(dg.ConfigurableResource):
    """The Pterodactyl panel and what may be asked of it."""

    url: str = Field(description="Address of the panel, with its scheme.")
    application_key: str = Field(description="Application key (ptla_…, of Pelican papp_…) with read permissions.")
    client_key: str = Field(description="Client key (ptlc_…, of Pelican pacc_…) of a root admin.")
    request_share: float = Field(default=0.8, description="Share of the announced rate limit that may be used.")
    allow_shrink: bool = Field(
        default=False, description="Accept a reading that lacks more than half of what was there before."
    )
    sampling_seconds: int = Field(description="Time to the next sampling pass: how long a sample holds.")

    @contextmanager
    def open(self, warehouse: ConnectionSettings, clock: Clock) -> Iterator[PanelClient]:
        """Hand out a client that draws on the request budget shared by everything that runs."""
        budget = PostgresBudget(
            warehouse, panel=urlsplit(self.url).netloc.rpartition("@")[2], clock=clock, share=self.request_share
        )
        try:
            with PanelClient(
                self.url,
                application_key=SecretStr(self.application_key),
                client_key=SecretStr(self.client_key),
                budget=budget,
                clock=clock,
            ) as client:
                yield client
        finally:
            budget.close()


class Privacy(dg.ConfigurableResource):
    """How personal data is landed."""

    mode: str = Field(default="hash", description="hash, drop or plain (PTEROASSETS_PII).")
    key: str = Field(default="", description="Key of the hashes (PTEROASSETS_PII_KEY).")

    def redactor(self) -> Redactor:
        """Return what removes secrets and treats personal data before anything is landed."""
        return Redactor(cast("PiiMode", self.mode), self.key.encode() or None)


class Logs(dg.ConfigurableResource):
    """Where servers keep their logs, where fetched ones are kept, in which zones they write, and what a pass costs."""

    store_location: str = Field(description="Folder of fetched log files, readable by its owner alone, or a URL.")
    default_timezone: str = Field(default="", description="IANA zone of logs of servers without one of their own.")
    timezones: str = Field(default="{}", description="JSON object from server uuid, egg or node to IANA zone.")
    paths: str = Field(default="{}", description="JSON object from server uuid or egg to where its logs are.")
    requests_per_pass: int = Field(default=LogBudget().requests, description="Requests that one pass may send.")
    bytes_per_pass: int = Field(default=LogBudget().bytes, description="Bytes after which a pass fetches no more.")
    node_access: bool = Field(default=False, description="Ask the nodes themselves for log files.")
    land_text: bool = Field(default=False, description="Land the text of chat and commands.")

    def store(self) -> LogStore:
        """Return the store of fetched files."""
        return LogStore(self.store_location)

    def zones(self) -> LogTimezones:
        """Return the zone of each server."""
        return LogTimezones(by_server=json.loads(self.timezones), default=self.default_timezone or None)

    def places(self) -> LogPlaces:
        """Return what is said of where servers keep their logs."""
        return LogPlaces(by_name=json.loads(self.paths))

    def budget(self) -> LogBudget:
        """Return what one pass may cost."""
        return LogBudget(requests=self.requests_per_pass, bytes=self.bytes_per_pass)

    def collect(
        self, panel: PanelClient, connection: Connection, clock: Clock, *, reload_dates: Collection[date] = ()
    ) -> LoadReport:
        """Make one pass over the logs."""
        return collect_logs(
            panel,
            connection,
            self.store(),
            clock=clock,
            zones=self.zones(),
            places=self.places(),
            budget=self.budget(),
            node_access=self.node_access,
            reload_dates=reload_dates,
        )
