"""The pass over pushed events: it reads nothing, and writes into the ledger what came since the last time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import sql
from psycopg.errors import LockNotAvailable

from pteroassets.landing.context import Landing
from pteroassets.landing.events.erasure import DEAD_LETTERS, EVENTS, erase_arrived
from pteroassets.landing.passes import Pass, Rhythm
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, lock_table_for_load, record_load, table_identifier

TABLES: Final = (DEAD_LETTERS, EVENTS)
MADE_EVERY: Final = timedelta(minutes=55)
"""A pass is made at least so often, also when nothing came, lest its tables count as stale."""
_PATIENCE: Final = "2s"
"""So long a tally waits for those who write: whoever comes to write waits behind it."""


def tally(landing: Landing, connection: Connection) -> list[LoadReport]:
    """Write into the ledger how many rows came to each table since the last tally; each row is counted once.

    Players who are to be forgotten get their pseudonyms in these rows before models take them in. A table that is being
    written for long is left out, as its report says, and its rows are counted by the next tally.
    """
    return [_tally(landing, connection, table) for table in TABLES]


def _tally(landing: Landing, connection: Connection, table: str) -> LoadReport:
    try:
        with connection.transaction():
            lock_table_for_load(connection, table)  # one tally at a time, and not while somebody is forgotten
            came = _what_came(connection, table)
            ((rows,),) = connection.execute(
                sql.SQL("select count(*) from {} where {}").format(table_identifier(table), came.condition)
            ).fetchall()
            erase_arrived(connection, table, landing.opt_outs.of_all(connection), where=came.condition)
            report = LoadReport(
                table=table,
                observed_at=landing.clock.now(),
                rows_read=rows,
                rows_added=rows,
                problems=came.problems,
            )
            record_load(connection, report)
            connection.execute("update ops.loads set _loaded_at = %s where load_id = %s", (came.until, report.load_id))
            return report
    except LockNotAvailable:
        reason = (
            f"left out: {table} was written, or locked, for longer than {_PATIENCE} without a pause; the next pass "
            "counts its rows. If this comes again and again, look in pg_stat_activity for a transaction that stays open"
        )
        return LoadReport(
            table=table,
            observed_at=landing.clock.now(),
            is_complete=False,
            rows_read=0,
            rows_added=0,
            problems=[{"scope": table, "reason": reason}],
        )


@dataclass(frozen=True, slots=True)
class _Came:
    """The rows of a table that came from one tally to the next, by when they were written."""

    since: datetime | None
    until: datetime
    problems: tuple[Mapping[str, str], ...] = ()

    @property
    def condition(self) -> sql.Composed:
        """Return what is true for them, in SQL."""
        since = sql.Literal("-infinity" if self.since is None else self.since)
        return sql.SQL("_loaded_at >= {} and _loaded_at < {}").format(since, sql.Literal(self.until))


def _what_came(connection: Connection, table: str) -> _Came:
    """Settle until when rows are counted: all that were written before are there, and what comes has a later time.

    The lock is given back at once, so that games are not kept waiting for what is done with the rows.
    """
    last = connection.execute(
        "select _loaded_at, jsonb_array_length(problems) > 0 from ops.loads where table_name = %s "
        "order by _loaded_at desc limit 1",
        (table,),
    ).fetchone()
    with connection.transaction(force_rollback=True):
        until = _locked_at(connection, table)
    if last is None:
        return _Came(None, until)
    since, went_back = last
    if until > since and not went_back:
        return _Came(since, until)
    return _after_clock_went_back(connection, table, since)


def _locked_at(connection: Connection, table: str) -> datetime:
    connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(_PATIENCE)))
    # waits for what is being written, for milliseconds
    connection.execute(sql.SQL("lock table {} in share mode").format(table_identifier(table)))
    ((now,),) = connection.execute("select clock_timestamp()").fetchall()
    assert isinstance(now, datetime)  # noqa: S101 - for the type
    return now


def _after_clock_went_back(connection: Connection, table: str, since: datetime) -> _Came:
    """Give rows that were written since the last tally its time, where the clock of Postgres went back before that.

    They are known by their transactions, which are later than that of the tally. The next tally looks for such rows
    again, whatever the clock says then. A clock that went back between two tallies and was past the first one's time
    before the second is not noticed.
    """
    now = _locked_at(connection, table)
    rows = connection.execute(
        sql.SQL(
            """
            update {} set _loaded_at = %(since)s
            where _loaded_at < %(since)s and age(xmin) < (
                select age(loads.xmin) from ops.loads as loads
                where loads.table_name = %(table)s order by loads._loaded_at desc limit 1
            )
            """
        ).format(table_identifier(table)),
        {"since": since, "table": table},
    ).rowcount
    if now > since:
        return _Came(since, now)
    reason = (
        f"the clock of Postgres went back: it is {now:%F %T} UTC, and rows were counted until {since:%F %T}. {rows} "
        "rows that came since then got that time, and are counted. Have the clock slowed, as chrony does, not set back"
    )
    return _Came(since, since + timedelta(microseconds=1), ({"scope": table, "reason": reason},))


def nothing_came(landing: Landing, connection: Connection, _every: timedelta) -> str | None:
    """Return why a pass is left out: nothing came since the last one; None if it is to be made."""
    now = landing.clock.now()
    ((last, has_come),) = connection.execute(
        """
        with last as (
            select max(observed_at) as observed_at, min(newest) as counted_until, max(newest) as newest from (
                select max(observed_at) as observed_at, max(_loaded_at) as newest from ops.loads
                where table_name = any(%s) group by table_name
            ) as tables
        )

        select
            last.observed_at,
            last.newest > clock_timestamp()  -- the clock went back
            or exists (select from raw_events.events where _loaded_at >= last.counted_until)
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
