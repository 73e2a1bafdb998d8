"""The pass over Minecraft logs as one value: collect, parse, derive; and the back-fill and the reparse made of it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pteroassets.landing.context import Landing
from pteroassets.landing.files.collection import collect_files
from pteroassets.landing.minecraft.collection import LOGS, READS, LogPlaces, where_logs_are
from pteroassets.landing.minecraft.parsing import parse_logs
from pteroassets.landing.minecraft.sessions import derive_sessions
from pteroassets.landing.passes import Advance, Pass, Rhythm
from pteroassets.landing.servers import EVERYBODY, ServerGroup
from pteroassets.sources.wording import counted
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport


class WaitingLogsError(Exception):
    """Logs are left that no pass fetches; the message says how many and what to do."""


def collect(
    landing: Landing,
    connection: Connection,
    *,
    reload_dates: Collection[date] = (),
    group: ServerGroup = EVERYBODY,
    progress: Advance | None = None,
) -> LoadReport:
    """List every server's logs and fetch what changed; files of *reload_dates* in any case."""
    settings = landing.settings
    with landing.panel() as panel:
        return collect_files(
            panel,
            connection,
            landing.store,
            LOGS,
            where_logs_are(
                connection,
                zones=landing.zones,
                places=LogPlaces(by_name=settings.pteroassets_log_paths),
                opt_outs=landing.opt_outs,
            ),
            clock=landing.clock,
            budget=landing.budget,
            node_access=settings.pteroassets_node_access,
            reload_dates=reload_dates,
            group=group,
            progress=progress,
        )


def parse(
    landing: Landing,
    connection: Connection,
    *,
    everything: bool = False,
    servers: Collection[uuid.UUID] | None = None,
    since: date | None = None,
    group: ServerGroup = EVERYBODY,
    progress: Advance | None = None,
) -> LoadReport:
    """Parse what was collected and not parsed yet, or all of it, and land the events."""
    return parse_logs(
        connection,
        landing.store,
        clock=landing.clock,
        zones=landing.zones,
        redactor=landing.redactor,
        keep_text=landing.settings.pteroassets_land_text,
        opt_outs=landing.opt_outs,
        everything=everything,
        servers=servers,
        since=since,
        group=group,
        progress=progress,
    )


def derive(landing: Landing, connection: Connection, *, group: ServerGroup = EVERYBODY) -> list[LoadReport]:
    """Derive sessions and runs again for the servers whose events changed."""
    return derive_sessions(connection, clock=landing.clock, group=group)


def parse_and_derive(
    landing: Landing, connection: Connection, *, group: ServerGroup = EVERYBODY
) -> Iterator[LoadReport]:
    """Make events, sessions and runs from what was collected."""
    yield parse(landing, connection, group=group)
    yield from derive(landing, connection, group=group)


def backfill(landing: Landing, advance: Advance, group: ServerGroup = EVERYBODY) -> list[LoadReport]:
    """Run passes over *group*, parsing after each, until nothing is left to a later one; return the passes' reports.

    Raises:
        WaitingLogsError: Logs are left that no pass fetches.
        PanelError: The list of servers could not be read.
    """
    reports: list[LoadReport] = []
    started = landing.clock.now()
    fetched, left = 0, (-1, -1)
    with landing.panel(), landing.connect() as connection:
        while left != (0, 0):
            base, left_before = fetched, left
            report = collect(landing, connection, group=group, progress=_PassProgress(advance, base))
            reports.append(report)
            for _ in parse_and_derive(landing, connection, group=group):
                pass
            fetched = base + _fetched_bytes(connection, report.observed_at, group)
            left = _left(connection, since=started, newest=report.observed_at, group=group)
            if left == left_before and fetched == base:
                waiting = f"{counted(left[0], 'log file')} and {counted(left[1], 'folder')}"
                raise WaitingLogsError(
                    f"{waiting} left, and a pass fetched none of them: raise "
                    "PTEROASSETS_LOG_REQUESTS_PER_PASS, or see the problems of the newest load in ops.loads"
                )
    return reports


def reparse(
    landing: Landing, advance: Advance, *, servers: Sequence[uuid.UUID] | None = None, since: date | None = None
) -> list[LoadReport]:
    """Read history again from the store, without the panel, and derive sessions; return the reports of the loads.

    Args:
        landing: Clients, stores and zones.
        advance: Called with the bytes done.
        servers: Only these; None for all.
        since: Only files of this day and later; None for all.

    Raises:
        FileNotFoundError: The store lacks files; all others were read.
    """
    with landing.connect() as connection:
        try:
            parsed = parse(landing, connection, everything=True, servers=servers, since=since, progress=advance)
        finally:
            # also if the rest failed
            derived = derive(landing, connection)
        return [parsed, *derived]


@dataclass(frozen=True, slots=True)
class _PassProgress:
    """Reports the progress of one pass as part of several."""

    advance: Advance
    base: int

    def __call__(self, done: int, total: int) -> None:
        self.advance(self.base + done, self.base + total)


def _fetched_bytes(connection: Connection, observed_at: datetime, group: ServerGroup) -> int:
    row = connection.execute(
        f"""
        select coalesce(sum(size), 0) from {READS}
        where observed_at = %s and path <> '' and outcome = 'ok' and {group.condition("server_uuid")}
        """,
        (observed_at,),
    ).fetchone()
    return int(row[0]) if row else 0


def _left(connection: Connection, *, since: datetime, newest: datetime, group: ServerGroup) -> tuple[int, int]:
    """Return how many files, and how many folders, of the newest listings since *since* wait for a later pass."""
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
        where reads.outcome = 'budget_spent' and {group.condition("reads.server_uuid")}
        """,
        {"since": since, "newest": newest},
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


LOGS_PASS = Pass(
    name="logs",
    description="Collect logs, derive sessions and rebuild what they feed.",
    tables=(
        "raw_minecraft.log_files",
        "raw_minecraft.log_reads",
        "raw_minecraft.events",
        "derived_minecraft.player_sessions",
        "derived_minecraft.server_runs",
        "derived_minecraft.name_sightings",
    ),
    read=lambda landing, connection, _interval: [collect(landing, connection)],
    derive=parse_and_derive,
    # zones belong to the logs' clocks; entities rebuild what they date by them
    feeds="source:minecraft+ stg_ops__server_timezones int_host_timezone",
    rhythms={
        "fresh": Rhythm(
            cron="*/15 * * * *",
            every=timedelta(minutes=15),
            warn_after=timedelta(minutes=37),
            stale_after=timedelta(minutes=50),
        ),
        # a night of a clock change makes a day twenty-five hours
        "stiv": Rhythm(
            cron="0 7 * * *",
            every=timedelta(days=1),
            warn_after=timedelta(hours=25, minutes=30),
            stale_after=timedelta(hours=26),
        ),
    },
    needs=("pterodactyl_url", "pterodactyl_cli_key"),
    ends_with="raw_minecraft.log_files",
    history_step=timedelta(days=1),
    backfill=backfill,
)

PASSES = (LOGS_PASS,)
