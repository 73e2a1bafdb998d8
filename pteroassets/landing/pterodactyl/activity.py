"""Land the activity log of servers, some servers in a transaction, so that a killed pass keeps what it had read.

Path of the data::

    raw_pterodactyl.list_reads (how much is known) --read_activity--> raw_pterodactyl.activity, .list_reads

Entries only come, so each is landed once, known by the panel's id. A first reading takes a few pages of each server and
the passes after it go on from there, until nothing older is left.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from psycopg.types.json import Jsonb

from pteroassets.landing.context import Landing
from pteroassets.landing.passes import GOES_ON
from pteroassets.landing.pterodactyl.list_reads import READS, land_list_reads, note_gone, problems_of, refuse_nothing
from pteroassets.sources.outcomes import LIST_FAULTS
from pteroassets.sources.pterodactyl.activity import Known, ServerActivity, own_name, read_activity
from pteroassets.sources.pterodactyl.client import ServerListing
from pteroassets.sources.pterodactyl.server_lists import ListRead, ServerAsker
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, lock_table_for_load, record_load, stage_rows

ACTIVITY = "raw_pterodactyl.activity"
_COLUMNS = {
    "server_uuid": "uuid",
    "activity_id": "text",
    "occurred_at": "timestamptz",
    "event": "text",
    "record": "jsonb",
}
#: Servers in one transaction.
_SERVERS_A_PART: Final = 50
#: Pages below what is known that one pass asks for: of one server, and of all.
_OLDER_PAGES: Final = 5
_OLDER_PAGES_OF_ALL: Final = 2_000


def read_all_activity(
    landing: Landing, connection: Connection, asker: ServerAsker, listing: ServerListing
) -> Iterator[tuple[LoadReport, LoadReport]]:
    """Read what is not known yet of the activity of every server of *listing*.

    Yields:
        The load of the entries and that of the outcomes, for each part of the servers; the last ones end the pass.

    Raises:
        NothingReadError: Of none of the servers that can be asked could the log be read.
        PanelError: The account of the key could not be read, or the panel no longer accepts it.
    """
    panel, clock, redactor = asker.panel, landing.clock, landing.redactor
    observed_at = clock.now()
    own = own_name(panel)
    known = _known(connection)
    older_left = _OLDER_PAGES_OF_ALL
    reads: list[ListRead] = []
    parts = range(0, max(len(listing.servers), 1), _SERVERS_A_PART)
    for first in parts:
        requests_before = panel.requests_made
        part: list[ServerActivity] = []
        for server in listing.servers[first : first + _SERVERS_A_PART]:
            before, asked_before = known.get(uuid.UUID(server.uuid), Known()), panel.requests_made
            older = 0 if before.is_whole else min(_OLDER_PAGES, older_left)
            part.append(read_activity(asker, server, before, own=own, older_pages=older, redactor=redactor))
            older_left -= min(older, panel.requests_made - asked_before)
        reads += [one.read for one in part]
        is_last = first == parts[-1]
        report = LoadReport(
            table=ACTIVITY,
            observed_at=observed_at,
            is_complete=is_last and listing.problem is None and not any(one.outcome in LIST_FAULTS for one in reads),
            rows_read=sum(one.read.rows or 0 for one in part),
            rows_added=0,
            requests=panel.requests_made - requests_before,
            seconds=(clock.now() - observed_at).total_seconds() if is_last else 0.0,
            rate_limit_remaining=panel.rate_limit_remaining,
            problems=problems_of(reads, listing.problem) if is_last else [{"scope": "", "reason": GOES_ON}],
        )
        with connection.transaction():
            report = _land(connection, part, report, source=panel.name)
            outcomes = land_list_reads(
                connection, "activity", [one.read for one in part], report, known=[one.known for one in part]
            )
            if is_last and listing.problem is None:
                note_gone(connection, "activity", [server.uuid for server in listing.servers])
        if is_last:
            refuse_nothing(panel.name, "activity", reads)
        yield report, outcomes


def summed(reports: Sequence[LoadReport]) -> LoadReport:
    """Return the loads of a pass as one, for people; the ledger has each of them.

    Raises:
        IndexError: There were none.
    """
    return dataclasses.replace(
        reports[-1],
        rows_read=sum(report.rows_read for report in reports),
        rows_added=sum(report.rows_added for report in reports),
        rows_changed=sum(report.rows_changed for report in reports),
        requests=sum(report.requests for report in reports),
    )


def _land(connection: Connection, part: Sequence[ServerActivity], report: LoadReport, *, source: str) -> LoadReport:
    """Land the entries of *part* that are not there yet, in one transaction."""
    rows = [
        (entry.server_uuid, entry.activity_id, entry.occurred_at, entry.event, Jsonb(entry.record))
        for one in part
        for entry in one.entries
    ]
    with connection.transaction():
        lock_table_for_load(connection, ACTIVITY)
        stage_rows(connection, "arrived_activity", ACTIVITY, _COLUMNS, rows)
        names = ", ".join(_COLUMNS)
        added = connection.execute(
            f"insert into {ACTIVITY} ({names}, _source, _load_id) select {names}, %s, %s from arrived_activity "
            "on conflict do nothing",
            (source, report.load_id),
        ).rowcount
        connection.execute("drop table arrived_activity")
        report = dataclasses.replace(report, rows_added=added)
        record_load(connection, report)
    return report


def _known(connection: Connection) -> Mapping[uuid.UUID, Known]:
    """Return how much of each server's activity was read before."""
    rows: list[tuple[uuid.UUID, datetime | None, datetime | None, int | None, bool]] = connection.execute(
        "select server_uuid, known_since, known_until, entries_passed, read_at is not null "
        f"from {READS} where list_name = 'activity'"
    ).fetchall()
    return {
        server: Known(since=since, until=until, passed=passed or 0, is_whole=is_whole)
        for server, since, until, passed, is_whole in rows
    }
