"""What an operator does with the collected logs by hand: fetch all that is left, read history again.

Both may run beside the platform: passes and parsing wait for each other.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console

from pteroassets.clock import Clock, SystemClock
from pteroassets.landing.files.budget import LogBudget
from pteroassets.landing.files.store import LogStore
from pteroassets.landing.minecraft.collection import collect_logs
from pteroassets.landing.minecraft.log_files import READS
from pteroassets.landing.minecraft.parsing import parse_logs
from pteroassets.landing.minecraft.places import LogPlaces
from pteroassets.landing.minecraft.sessions import derive_sessions
from pteroassets.landing.pterodactyl.timezones import LogTimezones
from pteroassets.platform.environment import RuntimeFault, home_of, warehouse_of
from pteroassets.platform.progress import bytes_under_way
from pteroassets.privacy import Redactor
from pteroassets.settings import Settings
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.sources.wording import counted
from pteroassets.warehouse.budget import PostgresBudget
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.load import LoadReport
from pteroassets.warehouse.migrate import ensure_database, upgrade


@dataclass(frozen=True, slots=True, kw_only=True)
class LogUpkeep:
    """The collected logs of one platform.

    Attributes:
        warehouse: Address of the database.
        store: Holds the files' bytes.
        zones: Of the servers' logs.
        redactor: Treats personal data.
        keep_text: Whether the text of chat and commands is landed.
        clock: The time.
        console: Where the progress is shown, if it is a terminal.
    """

    warehouse: ConnectionSettings
    store: LogStore
    zones: LogTimezones
    redactor: Redactor
    keep_text: bool
    clock: Clock
    console: Console

    def backfill(
        self, panel: PanelClient, *, places: LogPlaces, budget: LogBudget, node_access: bool = False
    ) -> list[LoadReport]:
        """Make passes until none leaves anything to a later one, parsing after each; return what the passes did.

        Raises:
            RuntimeFault: Files are left that no pass fetches.
        """
        reports: list[LoadReport] = []
        started = self.clock.now()
        fetched, left = 0, (-1, -1)
        with (
            connect(self.warehouse, autocommit=True) as connection,
            bytes_under_way(self.console, "fetching logs") as show,
        ):
            while left != (0, 0):
                base, left_before = fetched, left
                report = collect_logs(
                    panel,
                    connection,
                    self.store,
                    clock=self.clock,
                    zones=self.zones,
                    places=places,
                    budget=budget,
                    node_access=node_access,
                    progress=_Beyond(show, base),
                )
                reports.append(report)
                self._parse(connection)
                for _ in derive_sessions(connection, clock=self.clock):
                    pass
                fetched = base + _fetched_bytes(connection, report.observed_at)
                left = _left(connection, since=started, newest=report.observed_at)
                if left == left_before and fetched == base:
                    waiting = f"{counted(left[0], 'log file')} and {counted(left[1], 'folder')}"
                    raise RuntimeFault(
                        f"{waiting} left, and a pass fetched none of them: raise "
                        "PTEROASSETS_LOG_REQUESTS_PER_PASS, or see the problems of the newest load in ops.loads"
                    )
        return reports

    def reparse(self, *, servers: Sequence[uuid.UUID] | None = None, since: date | None = None) -> list[LoadReport]:
        """Read history again from the store, without the panel, and derive sessions; return what the loads did.

        Args:
            servers: Of these alone; None for all.
            since: Files of this day and later ones alone; None for all.

        Raises:
            FileNotFoundError: The store lacks files; all others were read.
        """
        with connect(self.warehouse, autocommit=True) as connection:
            try:
                with bytes_under_way(self.console, "reading logs again") as show:
                    parsed = self._parse(connection, everything=True, servers=servers, since=since, progress=show)
            finally:
                # of what was parsed, whatever became of the rest
                derived = derive_sessions(connection, clock=self.clock)
            return [parsed, *derived]

    def _parse(self, connection: Connection, **options: Any) -> LoadReport:
        return parse_logs(
            connection,
            self.store,
            clock=self.clock,
            zones=self.zones,
            redactor=self.redactor,
            keep_text=self.keep_text,
            **options,
        )


@dataclass(frozen=True, slots=True)
class _Beyond:
    """Tells of one pass as part of several."""

    show: Callable[[int, int], None]
    base: int

    def __call__(self, done: int, total: int) -> None:
        self.show(self.base + done, self.base + total)


def _fetched_bytes(connection: Connection, observed_at: datetime) -> int:
    row = connection.execute(
        f"select coalesce(sum(size), 0) from {READS} where observed_at = %s and path <> '' and outcome = 'ok'",
        (observed_at,),
    ).fetchone()
    return int(row[0]) if row else 0


def _left(connection: Connection, *, since: datetime, newest: datetime) -> tuple[int, int]:
    """Return how many files of the newest listings since *since*, and how many folders, wait for a later pass."""
    row = connection.execute(
        f"""
        with listed as (
            select server_uuid, max(observed_at) as observed_at from {READS}
            where path = '' and outcome = 'ok' and observed_at >= %(since)s group by server_uuid
        )
        select
            count(*) filter (where reads.path <> '' and reads.observed_at = listed.observed_at),
            count(*) filter (
                where reads.path = '' and reads.observed_at = %(newest)s and listed.server_uuid is null
            )
        from {READS} as reads
        left join listed on listed.server_uuid = reads.server_uuid
        where reads.outcome = 'budget_spent'
        """,
        {"since": since, "newest": newest},
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


@contextmanager
def upkeep_of(settings: Settings, console: Console) -> Iterator[LogUpkeep]:
    """Give the logs of the platform that *settings* describe, with its Postgres running for as long as it is needed.

    Raises:
        RuntimeFault: A setting is missing.
    """
    key = settings.pii_key_bytes()
    if settings.pteroassets_pii == "hash" and key is None:
        raise RuntimeFault(
            "PTEROASSETS_PII is hash, which needs a secret in PTEROASSETS_PII_KEY: set the one that the platform uses"
        )
    with warehouse_of(settings) as warehouse:
        ensure_database(warehouse, warehouse.database)
        upgrade(warehouse)
        yield LogUpkeep(
            warehouse=warehouse,
            store=LogStore(settings.pteroassets_log_store or home_of(settings) / "log_store"),
            zones=LogTimezones(by_server=settings.pteroassets_log_timezones, default=settings.pteroassets_log_timezone),
            redactor=Redactor(settings.pteroassets_pii, key),
            keep_text=settings.pteroassets_land_text,
            clock=SystemClock(),
            console=console,
        )


def run_backfill(settings: Settings, console: Console) -> None:
    """Fetch every log that is left, oldest first, and derive sessions.

    Raises:
        RuntimeFault: A setting is missing, or files are left that no pass fetches.
        PanelError: The list of servers could not be read.
    """
    if settings.pterodactyl_url is None or settings.pterodactyl_cli_key is None:
        raise RuntimeFault("the panel's address or client key is not set: set PTERODACTYL_URL and PTERODACTYL_CLI_KEY")
    with upkeep_of(settings, console) as upkeep:
        budget = PostgresBudget(
            upkeep.warehouse,
            panel=urlsplit(settings.pterodactyl_url).netloc.rpartition("@")[2],
            clock=upkeep.clock,
            share=settings.pteroassets_request_share,
        )
        try:
            with PanelClient(
                settings.pterodactyl_url,
                application_key=settings.pterodactyl_app_key,
                client_key=settings.pterodactyl_cli_key,
                budget=budget,
                clock=upkeep.clock,
            ) as panel:
                reports = upkeep.backfill(
                    panel,
                    places=LogPlaces(by_name=settings.pteroassets_log_paths),
                    budget=LogBudget(
                        requests=settings.pteroassets_log_requests_per_pass,
                        bytes=settings.pteroassets_log_bytes_per_pass,
                    ),
                    node_access=settings.pteroassets_node_access,
                )
        finally:
            budget.close()
    added = sum(report.rows_added for report in reports)
    passes = counted(len(reports), "pass", "passes")
    requests = counted(sum(report.requests for report in reports), "request")
    console.print(f"{counted(added, 'new log file')} in {passes} and {requests}")
    for problem in reports[-1].problems:
        console.print(f"{problem['scope']}: {problem['reason']}", markup=False)


def run_reparse(settings: Settings, console: Console, *, server: uuid.UUID | None, since: date | None) -> None:
    """Read history again from the log store and derive sessions, without asking the panel.

    Raises:
        RuntimeFault: A setting is missing, or the store lacks files.
    """
    with upkeep_of(settings, console) as upkeep:
        try:
            reports = upkeep.reparse(servers=None if server is None else [server], since=since)
        except FileNotFoundError as error:
            raise RuntimeFault(str(error)) from error
    for report in reports:
        console.print(f"{report.table}: {counted(report.rows_read, 'row')}, {report.seconds:.1f} s")
