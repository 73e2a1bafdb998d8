"""The one place where settings become clients, stores, zones and budgets.

Dagster's assets, the command line, the demo's back-fill and the tests all work with a `Landing`, so that a setting has
one meaning wherever a pass runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pteroassets.clock import Clock, SystemClock
from pteroassets.landing.files.collection import LogBudget
from pteroassets.landing.files.store import LogStore, LogStoreError
from pteroassets.landing.opt_outs import OptOutList
from pteroassets.landing.servers import LogTimezones
from pteroassets.privacy import Redactor
from pteroassets.settings import Settings
from pteroassets.sources.pterodactyl.client import PATIENCE_SECONDS, PanelClient
from pteroassets.sources.pterodactyl.pacing import RequestBudget
from pteroassets.warehouse.budget import PostgresBudget
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect

if TYPE_CHECKING:
    from pteroassets.landing.sample_archive import SampleArchive


class MissingSettingError(Exception):
    """A setting that a pass needs is not set; the message names it and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Landing:
    """What a pass works with.

    Attributes:
        settings: The operator's settings, with the warehouse's address.
        clock: Gives the time of everything that is landed.
    """

    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    _opened: list[PanelClient] = field(default_factory=list, repr=False)

    def require(self, *names: str) -> None:
        """Make sure that the settings *names* are set.

        Raises:
            MissingSettingError: Some are not set.
        """
        missing = [name.upper() for name in names if getattr(self.settings, name) is None]
        if missing:
            raise MissingSettingError(f"set {' and '.join(missing)}; .env.example says what they are")

    @property
    def warehouse(self) -> ConnectionSettings:
        """Return where the warehouse is.

        Raises:
            MissingSettingError: The settings do not say it.
        """
        self.require("postgres_host")
        settings = self.settings
        return ConnectionSettings(
            host=str(settings.postgres_host),
            port=settings.postgres_port,
            username=settings.postgres_username,
            password=settings.postgres_password.get_secret_value(),
            database=settings.postgres_database,
        )

    def connect(self) -> Connection:
        """Open a connection in autocommit mode; loads open their own transactions."""
        return connect(self.warehouse, autocommit=True)

    @contextmanager
    def panel(self) -> Iterator[PanelClient]:
        """Give a client of the panel that uses the request budget shared by all processes.

        Nested calls share one client, so that many passes in a row open one connection.

        Raises:
            MissingSettingError: The panel's address is not set.
        """
        if self._opened:
            yield self._opened[-1]
            return
        url = str(self.settings.pterodactyl_url)
        budget = PostgresBudget(
            self.warehouse,
            panel=urlsplit(url).netloc.rpartition("@")[2],
            clock=self.clock,
            share=self.settings.pteroassets_request_share,
        )
        try:
            with self.client(budget) as client:
                self._opened.append(client)
                yield client
        finally:
            self._opened.clear()
            budget.close()

    def client(self, budget: RequestBudget, *, patience_seconds: float = PATIENCE_SECONDS) -> PanelClient:
        """Return a client of the panel that uses *budget* and waits *patience_seconds* for a panel that is down.

        Raises:
            MissingSettingError: The panel's address is not set.
        """
        self.require("pterodactyl_url")
        return PanelClient(
            str(self.settings.pterodactyl_url),
            application_key=self.settings.pterodactyl_app_key,
            client_key=self.settings.pterodactyl_cli_key,
            budget=budget,
            clock=self.clock,
            patience_seconds=patience_seconds,
            node_ca=self.settings.pteroassets_node_ca,
        )

    @property
    def redactor(self) -> Redactor:
        """Return what removes secrets and treats personal data before anything is landed."""
        return Redactor(self.settings.pteroassets_pii, self._pii_key)

    @property
    def opt_outs(self) -> OptOutList:
        """Return the list of players who are to be forgotten."""
        return OptOutList(self._pii_key)

    @property
    def _pii_key(self) -> bytes | None:
        key = self.settings.pteroassets_pii_key
        return None if key is None else key.get_secret_value().encode()

    @property
    def zones(self) -> LogTimezones:
        """Return the zone of each server."""
        return LogTimezones(
            by_server=self.settings.pteroassets_log_timezones, default=self.settings.pteroassets_log_timezone
        )

    @property
    def store(self) -> LogStore:
        """Return the store of fetched files."""
        self.require("pteroassets_log_store")
        return LogStore(str(self.settings.pteroassets_log_store))

    @property
    def sample_archive(self) -> SampleArchive | None:
        """Return where samples are kept when they are dropped; None where no setting says it.

        Raises:
            LogStoreError: It cannot be opened, or the package that writes its files is not installed.
        """
        location = self.settings.pteroassets_sample_archive
        if location is None:
            return None
        try:
            # takes a third of a second and some memory, which only maintenance and two commands need
            from pteroassets.landing.sample_archive import SampleArchive  # noqa: PLC0415
        except ImportError as error:
            raise LogStoreError(
                f"PTEROASSETS_SAMPLE_ARCHIVE needs pyarrow, which is not installed ({error}): install "
                "pteroassets[archive]"
            ) from error
        return SampleArchive(location)

    @property
    def budget(self) -> LogBudget:
        """Return what one pass over files may use."""
        return LogBudget(
            requests=self.settings.pteroassets_log_requests_per_pass, bytes=self.settings.pteroassets_log_bytes_per_pass
        )
