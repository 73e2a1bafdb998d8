"""The daily pass over what the panel lists for one server at a time: backups, and schedules with their tasks.

Path of the data::

    client?type=admin-all --list_servers--> servers
    servers --server_lists--> Reading --land_entities--> raw_pterodactyl.backups, .schedules
                              ListRead --land_list_reads--> raw_pterodactyl.list_reads

One request for each server and list is much for a panel with many servers, so they go out evenly and leave most of the
limit to samples and logs; a list is landed with what came of asking for it, in one transaction.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from pteroassets.landing.context import Landing
from pteroassets.landing.passes import Pass, Rhythm
from pteroassets.landing.pterodactyl.estate import land_entities
from pteroassets.sources.outcomes import LIST_FAULTS
from pteroassets.sources.pterodactyl.client import ALL_KEYS, PanelClient, ServerListing, list_servers
from pteroassets.sources.pterodactyl.errors import NothingReadError
from pteroassets.sources.pterodactyl.server_lists import (
    ENTITIES_OF_SERVERS,
    EntityOfServers,
    ListRead,
    ServerAsker,
    ServerList,
    read_server_lists,
)
from pteroassets.sources.pterodactyl.utilization import Pace
from pteroassets.sources.wording import counted
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, lock_table_for_load, record_load, stage_rows

LISTS: tuple[EntityOfServers, ...] = ENTITIES_OF_SERVERS
READS = "raw_pterodactyl.list_reads"
_READ_COLUMNS = {
    "server_uuid": "uuid",
    "list_name": "text",
    "observed_at": "timestamptz",
    "outcome": "text",
    "reason": "text",
    "rows_read": "int4",
    "read_at": "timestamptz",
}
# of what may be used: so much goes out at once, and the rest at so much a minute, which sampling leaves unused
_AT_ONCE = 0.25
_A_MINUTE = 0.2


def read_upkeep(
    landing: Landing, connection: Connection, *, lists: Collection[str] = LISTS, allow_shrink: bool = False
) -> Iterator[LoadReport]:
    """Read *lists* of every server and land each in its own transaction, yielding a report for each load.

    The last report is that of ``list_reads``, over all of them.

    Raises:
        NothingReadError: Of none of the servers that can be asked could a list be read.
        PanelError: The list of servers could not be read, or the panel no longer accepts the key.
        ShrinkRefusedError: A list lacks more than half of what was there before.
    """
    reads: list[LoadReport] = []
    with landing.panel() as panel:
        listing = list_servers(panel)
        asker = ServerAsker(panel, _pace(landing, panel))
        for entity in LISTS:
            if entity not in lists:
                continue
            found = read_server_lists(asker, entity, listing, redactor=landing.redactor, clock=landing.clock)
            with connection.transaction():
                report = land_entities(
                    connection,
                    found.reading,
                    allow_shrink=allow_shrink or landing.settings.pteroassets_allow_shrink,
                    replaces=entity == "backups",
                    problems=_problems(found.reads, listing),
                )
                is_whole = listing.problem is None
                reads.append(land_list_reads(connection, entity, found.reads, report, is_whole=is_whole))
            _refuse_nothing(panel, entity, found.reads)
            yield report
    if reads:
        yield _summed(reads)


def land_list_reads(
    connection: Connection, entity: ServerList, reads: Sequence[ListRead], load: LoadReport, *, is_whole: bool
) -> LoadReport:
    """Land what came of asking for a list of each server, in one transaction; *load* is that of the list itself.

    If *is_whole*, those are all servers of the panel, and others that are known are gone.
    """
    report = LoadReport(
        table=READS, observed_at=load.observed_at, is_complete=load.is_complete, rows_read=len(reads), rows_added=0
    )
    with connection.transaction():
        lock_table_for_load(connection, READS)
        stage_rows(connection, f"arrived_{entity}_reads", READS, _READ_COLUMNS, _rows(entity, reads, load.observed_at))
        ((added, changed),) = connection.execute(
            f"""
            with written as (
                insert into {READS} as known ({", ".join(_READ_COLUMNS)}, _load_id)
                select {", ".join(_READ_COLUMNS)}, %(load_id)s from arrived_{entity}_reads
                on conflict (server_uuid, list_name) do update
                set observed_at = excluded.observed_at, outcome = excluded.outcome, reason = excluded.reason,
                    rows_read = excluded.rows_read, read_at = coalesce(excluded.read_at, known.read_at),
                    _load_id = excluded._load_id, _loaded_at = now()
                returning xmax = 0 as is_new
            )
            select count(*) filter (where is_new), count(*) filter (where not is_new) from written
            """,
            {"load_id": report.load_id},
        ).fetchall()
        gone = 0
        if is_whole:
            gone = connection.execute(
                f"""
                update {READS} as known
                set observed_at = %(observed_at)s, outcome = 'gone', reason = 'the panel no longer lists the server',
                    rows_read = null, _load_id = %(load_id)s, _loaded_at = now()
                where list_name = %(list_name)s and outcome <> 'gone' and not exists (
                    select from arrived_{entity}_reads as arrived where arrived.server_uuid = known.server_uuid
                )
                """,
                {"observed_at": load.observed_at, "load_id": report.load_id, "list_name": entity},
            ).rowcount
        report = dataclasses.replace(report, rows_added=added, rows_changed=changed, rows_gone=gone)
        record_load(connection, report)
    return report


def _rows(
    entity: ServerList, reads: Sequence[ListRead], observed_at: datetime
) -> Iterator[tuple[uuid.UUID, str, datetime, str, str | None, int | None, datetime | None]]:
    for read in reads:
        read_at = observed_at if read.outcome == "ok" else None
        yield read.server_uuid, entity, observed_at, read.outcome, read.reason, read.rows, read_at


def _pace(landing: Landing, panel: PanelClient) -> Pace:
    limit = panel.limits.get("client")
    if limit is None:  # then the budget lets requests go one at a time
        return Pace(landing.clock, requests=0, seconds=0.0, free=0)
    usable = limit * landing.settings.pteroassets_request_share
    return Pace(landing.clock, requests=1, seconds=60 / (usable * _A_MINUTE), free=int(usable * _AT_ONCE))


def _problems(reads: Sequence[ListRead], listing: ServerListing) -> list[dict[str, str]]:
    """Return what an operator should look at, one for each kind: states that forbid a question are no fault."""
    faults = [read for read in reads if read.outcome in LIST_FAULTS]
    first = {read.outcome: read for read in reversed(faults)}
    problems = [] if listing.problem is None else [{"scope": "", "reason": listing.problem}]
    return problems + [
        {
            "scope": f"server:{first[outcome].server_uuid}" if count == 1 else "",
            "reason": f"{counted(count, 'server')} {outcome}, the first: {first[outcome].reason}",
        }
        for outcome, count in sorted(Counter(read.outcome for read in faults).items())
    ]


def _refuse_nothing(panel: PanelClient, entity: str, reads: Sequence[ListRead]) -> None:
    asked = [read for read in reads if read.outcome in ("ok", *LIST_FAULTS)]
    if asked and not any(read.outcome == "ok" for read in asked):
        raise NothingReadError(
            f"the {entity} of none of {counted(len(asked), 'server')} could be read from the panel {panel.name}; "
            f"the first says: {asked[0].reason}"
        )


def _summed(reads: Sequence[LoadReport]) -> LoadReport:
    return dataclasses.replace(
        reads[-1],
        is_complete=all(report.is_complete for report in reads),
        rows_read=sum(report.rows_read for report in reads),
        rows_added=sum(report.rows_added for report in reads),
        rows_changed=sum(report.rows_changed for report in reads),
        rows_gone=sum(report.rows_gone for report in reads),
    )


_DAILY = {"warn_after": timedelta(hours=36), "stale_after": timedelta(hours=50)}
UPKEEP_PASS = Pass(
    name="upkeep",
    description="Read the backups and schedules of every server and rebuild what they feed.",
    tables=(*(f"raw_pterodactyl.{entity}" for entity in LISTS), READS),
    read=lambda landing, connection, _interval: read_upkeep(landing, connection),
    feeds=" ".join(f"source:pterodactyl.{table}+" for table in (*LISTS, "list_reads")),
    rhythms={
        "fresh": Rhythm(cron="10 5 * * *", every=timedelta(days=1), **_DAILY),
        "stiv": Rhythm(cron="10 5 * * *", every=timedelta(days=1), **_DAILY),
    },
    needs=ALL_KEYS,
    ends_with=READS,
    history_step=timedelta(days=2),
)
