"""Land what came of asking for a list of each server: a list that is unread is not an empty one."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pteroassets.sources.outcomes import LIST_FAULTS
from pteroassets.sources.pterodactyl.activity import Known
from pteroassets.sources.pterodactyl.errors import NothingReadError
from pteroassets.sources.pterodactyl.server_lists import ListRead, ServerList
from pteroassets.sources.wording import counted
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, lock_table_for_load, record_load, stage_rows

READS = "raw_pterodactyl.list_reads"
_COLUMNS = {
    "server_uuid": "uuid",
    "list_name": "text",
    "observed_at": "timestamptz",
    "outcome": "text",
    "reason": "text",
    "rows_read": "int4",
    "read_at": "timestamptz",
    "known_since": "timestamptz",
    "known_until": "timestamptz",
    "entries_passed": "int4",
}
_KEPT = ", ".join(
    f"{name} = excluded.{name}" for name in _COLUMNS if name not in ("server_uuid", "list_name", "read_at")
)


def land_list_reads(
    connection: Connection,
    list_name: ServerList,
    reads: Sequence[ListRead],
    load: LoadReport,
    *,
    known: Sequence[Known] | None = None,
) -> LoadReport:
    """Land *reads* of one list, in one transaction.

    Args:
        connection: To the warehouse.
        list_name: Which list.
        reads: What came of asking.
        load: The load of the list itself.
        known: How much of each server's activity is known, in the order of *reads*.
    """
    report = LoadReport(
        table=READS, observed_at=load.observed_at, is_complete=load.is_complete, rows_read=len(reads), rows_added=0
    )
    with connection.transaction():
        lock_table_for_load(connection, READS)
        stage_rows(connection, "arrived_reads", READS, _COLUMNS, _rows(list_name, reads, load.observed_at, known))
        ((added, changed),) = connection.execute(
            f"""
            with written as (
                insert into {READS} as known ({", ".join(_COLUMNS)}, _load_id)
                select {", ".join(_COLUMNS)}, %(load_id)s from arrived_reads
                on conflict (server_uuid, list_name) do update
                set {_KEPT}, read_at = coalesce(excluded.read_at, known.read_at), _load_id = excluded._load_id,
                    _loaded_at = now()
                returning xmax = 0 as is_new
            )
            select count(*) filter (where is_new), count(*) filter (where not is_new) from written
            """,
            {"load_id": report.load_id},
        ).fetchall()
        connection.execute("drop table arrived_reads")
        report = dataclasses.replace(report, rows_added=added, rows_changed=changed)
        record_load(connection, report)
    return report


def note_gone(connection: Connection, list_name: ServerList, listed: Sequence[str]) -> int:
    """Note that the panel lists no server but *listed*, by their UUIDs; return how many others there were."""
    return connection.execute(
        f"""
        update {READS}
        set outcome = 'gone', reason = 'the panel no longer lists the server', rows_read = null, _loaded_at = now()
        where list_name = %s and outcome <> 'gone' and not server_uuid = any(%s::uuid[])
        """,
        (list_name, list(listed)),
    ).rowcount


def problems_of(reads: Sequence[ListRead], listing_problem: str | None) -> list[dict[str, str]]:
    """Return what an operator should look at, one for each kind: states that forbid a question are no fault."""
    faults = [read for read in reads if read.outcome in LIST_FAULTS]
    first = {read.outcome: read for read in reversed(faults)}
    problems = [] if listing_problem is None else [{"scope": "", "reason": listing_problem}]
    return problems + [
        {
            "scope": f"server:{first[outcome].server_uuid}" if count == 1 else "",
            "reason": f"{counted(count, 'server')} {outcome}, the first: {first[outcome].reason}",
        }
        for outcome, count in sorted(Counter(read.outcome for read in faults).items())
    ]


def refuse_nothing(panel: str, list_name: ServerList, reads: Sequence[ListRead]) -> None:
    """Raise if servers could be asked and of none of them the list was read.

    Raises:
        NothingReadError: With what the first of them says.
    """
    asked = [read for read in reads if read.outcome in ("ok", "budget_spent", *LIST_FAULTS)]
    if asked and all(read.outcome in LIST_FAULTS for read in asked):
        raise NothingReadError(
            f"the {list_name} of none of {counted(len(asked), 'server')} could be read from the panel {panel}; "
            f"the first says: {asked[0].reason}"
        )


def _rows(
    list_name: ServerList, reads: Sequence[ListRead], observed_at: datetime, known: Sequence[Known] | None
) -> Iterator[tuple[Any, ...]]:
    for read, now in zip(reads, known or [Known()] * len(reads), strict=True):
        read_at = observed_at if read.outcome == "ok" else None
        passed = None if now.until is None else now.passed
        said = (read.server_uuid, list_name, observed_at, read.outcome, read.reason, read.rows, read_at)
        yield (*said, now.since, now.until, passed)
