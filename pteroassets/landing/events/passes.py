"""The pass over pushed events: it reads nothing, and writes into the ledger what came since the last time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from psycopg import sql

from pteroassets.landing.context import Landing
from pteroassets.landing.events.erasure import DEAD_LETTERS, EVENTS, erase_arrived
from pteroassets.landing.opt_outs import OptOuts
from pteroassets.landing.passes import Pass, Rhythm
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, record_load, table_identifier

TABLES: Final = (DEAD_LETTERS, EVENTS)
MADE_EVERY: Final = timedelta(minutes=55)
"""A pass is made at least so often, also when nothing came, lest its tables count as stale."""


def arrived(table: str) -> str:
    """Return the condition, in SQL, that a row of *table* came since the last tally."""
    return f"""
        _loaded_at < now() and _loaded_at >= coalesce(
            (select max(loads._loaded_at) from ops.loads as loads where loads.table_name = '{table}'), '-infinity'
        )
    """


def tally(landing: Landing, connection: Connection) -> list[LoadReport]:
    """Write into the ledger how many rows came to each table since the last tally; each row is counted once.

    Players who are to be forgotten get their pseudonyms in these rows before models take them in.
    """
    hidden = landing.opt_outs.of_all(connection)
    return [_tally(landing, connection, table, hidden) for table in TABLES]


def _tally(landing: Landing, connection: Connection, table: str, hidden: OptOuts) -> LoadReport:
    with connection.transaction():
        # waits for what is being written, for milliseconds; what is written later has a later time than now()
        connection.execute(sql.SQL("lock table {} in share mode").format(table_identifier(table)))
        ((rows,),) = connection.execute(
            sql.SQL("select count(*) from {} where {}").format(table_identifier(table), sql.SQL(arrived(table)))
        ).fetchall()
        erase_arrived(connection, table, hidden, where=arrived(table))
        report = LoadReport(table=table, observed_at=landing.clock.now(), rows_read=rows, rows_added=rows)
        record_load(connection, report)
    return report


def nothing_came(landing: Landing, connection: Connection, _every: timedelta) -> str | None:
    """Return why a pass is left out: nothing came since the last one; None if it is to be made."""
    now = landing.clock.now()
    ((last, has_come),) = connection.execute(
        """
        with last as (
            select max(observed_at) as observed_at, min(newest) as counted_until from (
                select max(observed_at) as observed_at, max(_loaded_at) as newest from ops.loads
                where table_name = any(%s) group by table_name
            ) as tables
        )

        select
            last.observed_at,
            exists (select from raw_events.events where _loaded_at >= last.counted_until)
            or exists (select from raw_events.dead_letters where _loaded_at >= last.counted_until)
        from last
        """,
        (list(TABLES),),
    ).fetchall()
    if last is None or has_come or now - last >= MADE_EVERY:
        return None
    return f"no event came since {last:%R} UTC"


def _read(landing: Landing, connection: Connection, _interval: timedelta) -> Iterator[LoadReport]:
    yield from tally(landing, connection)


_EVERY_5_MINUTES: Final = Rhythm(
    cron="*/5 * * * *",
    every=timedelta(minutes=5),
    warn_after=timedelta(minutes=90),  # ticks before which nothing came are skipped, see `MADE_EVERY`
    stale_after=timedelta(hours=3),
)
PASSES: Final = (
    Pass(
        name="events",
        description="Count the events that games pushed, and rebuild what they feed.",
        tables=TABLES,
        read=_read,
        why_not_now=nothing_came,
        feeds="source:events+",
        rhythms={"fresh": _EVERY_5_MINUTES, "stiv": _EVERY_5_MINUTES},
        needs=("pteroassets_event_keys",),
        is_optional=True,
        ends_with=TABLES[-1],
        history_step=timedelta(hours=12),
    ),
)
