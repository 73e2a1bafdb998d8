"""Remove the warehouse's old records of its own work, except those that figures, freshness or lineage need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from psycopg import sql
from psycopg.errors import LockNotAvailable

from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import (
    lock_table_for_load,
    month_after,
    months_stored,
    partition_of,
    starts_at,
    table_identifier,
)

# Tables whose rows are rewritten, and then name another load. The entities' are found by their columns.
_REWRITTEN = (
    "raw_pterodactyl.list_reads",
    "raw_minecraft.log_files",
    "raw_minecraft.log_reads",
    "derived_minecraft.player_sessions",
    "derived_minecraft.server_runs",
    "derived_minecraft.name_sightings",
    "derived_arma3.ratings",
)
# Tables that only grow: their rows name every load that added to them, and checking would read them whole.
_GROWING = ("raw_pterodactyl.utilization_samples", "raw_pterodactyl.activity", "raw_minecraft.events")
# What is left of pushed events that are dropped.
_EVENTS_MODEL = "intermediate.int_game_events"
# So long a drop waits for those who read: whoever comes to write events waits behind it.
_PATIENCE = "2s"
# What is left of samples that are dropped. A model is known by the relation that it makes, in quotes.
_ROLLED_UP = ("fct_utilization_hourly", "int_server_utilization_daily", "int_limit_utilization_daily")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedMonth:
    """What a file of the archive has of a month.

    Attributes:
        month: Its first day, in UTC.
        file: Name of the file.
        samples: How many it has.
        checksum: Of all its rows.
        passes: How many loads had brought samples of the month when they were read; one more and the file lacks some.
    """

    month: date
    file: str
    samples: int
    checksum: str
    passes: int


class Archive(Protocol):
    """Where samples are kept when they are dropped."""

    def keep(self, connection: Connection, month: date) -> ArchivedMonth:
        """Store the samples of *month*, and return once they were read back and are the same."""

    def remove(self, name: str) -> None:
        """Remove the file *name*, which lacks samples of its month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OldMonth:
    """A month whose samples are old enough to be dropped, and whether they were.

    Attributes:
        month: Its first day, in UTC.
        samples: How many there were.
        waits_for: Models that have not taken in all of them yet, so that they were kept.
        file: Where the archive has them; None where there is no archive, or nothing to be kept.
        has_changed: Whether samples came or went while they were archived, so that they were kept.
    """

    month: date
    samples: int
    waits_for: tuple[str, ...] = ()
    file: str | None = None
    has_changed: bool = False

    def __str__(self) -> str:
        """Say what became of it."""
        if self.waits_for:
            return f"samples of {self.month:%Y-%m} are kept until {' and '.join(self.waits_for)} have taken them in"
        if self.has_changed:
            return f"samples of {self.month:%Y-%m} are kept until the next time: they changed while they were archived"
        archived = "" if self.file is None else f", which are in the archive as {self.file}"
        return f"dropped {self.samples} samples of {self.month:%Y-%m}{archived}"


def drop_samples(
    connection: Connection, now: datetime, keep_days: int | None, archive: Archive | None = None
) -> Iterator[OldMonth]:
    """Drop the samples of each month that ended *keep_days* before *now*, in a transaction each.

    Hours and days that are made of them stay as they are, so a month is kept until they have taken in all of it. Where
    there is an *archive*, it has them before they are dropped. Nothing is dropped where *keep_days* is None.
    """
    if keep_days is None:
        return
    for month, until in months_stored(connection):
        if until > now - timedelta(days=keep_days):
            return
        yield _drop_month(connection, month, archive)


def _drop_month(connection: Connection, month: date, archive: Archive | None) -> OldMonth:
    waits_for, samples = _not_taken_in(connection, month), _count(connection, month)
    if waits_for:
        return OldMonth(month=month, samples=samples, waits_for=waits_for)
    kept = archive.keep(connection, month) if archive is not None and samples else None
    with connection.transaction():
        lock_table_for_load(connection, "raw_pterodactyl.utilization_samples")
        samples = _count(connection, month)
        waits_for = _not_taken_in(connection, month)
        has_changed = (
            (kept.samples, kept.passes) != (samples, passes_of(connection, month))
            if kept is not None
            else archive is not None and samples > 0
        )
        if not waits_for and not has_changed:
            if kept is not None:
                connection.execute(
                    "insert into ops.archived_samples (file, month, samples, checksum) values (%s, %s, %s, %s)",
                    (kept.file, month, kept.samples, kept.checksum),
                )
            if samples:
                # more of a month may come after it was dropped
                connection.execute(
                    """
                    insert into ops.dropped_samples as dropped (month, samples) values (%s, %s)
                    on conflict (month) do update
                    set samples = dropped.samples + excluded.samples, dropped_at = excluded.dropped_at
                    """,
                    (month, samples),
                )
            connection.execute(sql.SQL("drop table {}").format(sql.Identifier("raw_pterodactyl", partition_of(month))))
            return OldMonth(month=month, samples=samples, file=None if kept is None else kept.file)
    if archive is not None and kept is not None:
        archive.remove(kept.file)
    return OldMonth(month=month, samples=samples, waits_for=waits_for, has_changed=has_changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class OldDay:
    """A day whose pushed events, or dead letters, are old enough to be dropped, and whether they were.

    Attributes:
        table: The partition that has them.
        waits_for: The model that has not taken in all of them yet, so that they were kept; None if they were dropped.
        is_in_use: Whether others read or write it, so that it was kept.
    """

    table: str
    waits_for: str | None = None
    is_in_use: bool = False

    def __str__(self) -> str:
        """Say what became of it."""
        if self.waits_for is not None:
            return f"{self.table} is kept until {self.waits_for} has taken in its events"
        if self.is_in_use:
            return (
                f"{self.table} is kept until the next time: a query or a load used it, or the whole table, for longer "
                f"than {_PATIENCE} (pg_stat_activity names it)"
            )
        return f"dropped {self.table}"


def drop_events(connection: Connection, now: datetime, keep_days: int | None) -> Iterator[OldDay]:
    """Drop the days of pushed events and of dead letters that ended *keep_days* before *now*.

    What the models made of events stays, so a day is kept until all of its events are in them. One that is in use for
    longer than a moment is kept until the next time. Nothing is dropped where *keep_days* is None.
    """
    if keep_days is None:
        return
    names = connection.execute(
        "select relname from pg_class inner join pg_inherits on inhrelid = pg_class.oid "
        "where inhparent in ('raw_events.events'::regclass, 'raw_events.dead_letters'::regclass) order by relname"
    ).fetchall()
    for (name,) in names:
        # the last ten characters are the day, as raw_events.ensure_day names a partition
        day = date.fromisoformat(name[-10:].replace("_", "-"))
        if starts_at(day) + timedelta(days=1 + keep_days) <= now:
            yield _drop_day(connection, name)


def _drop_day(connection: Connection, name: str) -> OldDay:
    partition, table = sql.Identifier("raw_events", name), f"raw_events.{name}"
    try:
        with connection.transaction():
            connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(_PATIENCE)))
            # nothing comes to it between the look and the end of it
            connection.execute(sql.SQL("lock table {} in share mode").format(partition))
            if name.startswith("events_") and not _are_events_taken_in(connection, partition):
                return OldDay(table=table, waits_for=_EVENTS_MODEL)
            connection.execute(sql.SQL("drop table {}").format(partition))
    except LockNotAvailable:
        return OldDay(table=table, is_in_use=True)
    return OldDay(table=table)


def _are_events_taken_in(connection: Connection, partition: sql.Identifier) -> bool:
    """Return whether the model of events has all those of *partition*."""
    ((is_empty, exists),) = connection.execute(
        sql.SQL("select not exists (select from {}), to_regclass({}) is not null").format(
            partition, sql.Literal(_EVENTS_MODEL)
        )
    ).fetchall()
    if is_empty or not exists:
        return bool(is_empty)
    ((are_taken_in,),) = connection.execute(
        sql.SQL("select coalesce(max(_loaded_at) < (select max(taken_in_until) from {}), false) from {}").format(
            sql.Identifier(*_EVENTS_MODEL.split(".")), partition
        )
    ).fetchall()
    return bool(are_taken_in)


def passes_of(connection: Connection, month: date) -> int:
    """Return how many loads brought samples of *month*: each has a row, so a change of the samples shows in it."""
    ((passes,),) = connection.execute(
        """
        select count(*) from raw_pterodactyl.sample_passes
        where raw_pterodactyl.pass_time(pass_number) >= %s and raw_pterodactyl.pass_time(pass_number) < %s
        """,
        (starts_at(month), starts_at(month_after(month))),
    ).fetchall()
    return int(passes)


def _count(connection: Connection, month: date) -> int:
    partition = sql.Identifier("raw_pterodactyl", partition_of(month))
    ((samples,),) = connection.execute(sql.SQL("select count(*) from {}").format(partition)).fetchall()
    return int(samples)


def _not_taken_in(connection: Connection, month: date) -> tuple[str, ...]:
    """Return the models that have not taken in all samples of *month* yet."""
    return tuple(
        model
        for (model,) in connection.execute(
            """
            select model from unnest(%(models)s::text[]) as models (model)
            where exists (
                select from raw_pterodactyl.sample_passes as passes
                inner join ops.loads on loads.load_id = passes._load_id
                where raw_pterodactyl.pass_time(passes.pass_number) >= %(first)s
                    and raw_pterodactyl.pass_time(passes.pass_number) < %(until)s
                    and loads.load_number > coalesce(
                        (
                            select built.seen_load from ops.incremental_builds as built
                            where strpos(built.model, '"' || models.model || '"') > 0
                        ),
                        0
                    )
            )
            """,
            {"models": list(_ROLLED_UP), "first": starts_at(month), "until": starts_at(month_after(month))},
        )
    )


def prune_reads(connection: Connection, before: datetime) -> int:
    """Delete attempts to list or fetch logs before *before*; return how many.

    Kept for each server: its first listing and the last one of each day on its own clock, from which the marts know
    since when its log is known and how much of it was read; and what was unread in its last listing.
    """
    return connection.execute(
        """
        with listings as (
            select reads.server_uuid, reads.observed_at, reads.bytes_present,
                (reads.observed_at at time zone coalesce(zones.timezone, 'UTC'))::date as local_date
            from raw_minecraft.log_reads as reads
            left join ops.server_timezones as zones on reads.server_uuid = zones.server_uuid
            where reads.path = '' and reads.outcome = 'ok'
        ),
        kept as (
            select server_uuid, min(observed_at) as observed_at from listings group by server_uuid
            union
            select server_uuid, max(observed_at) from listings where bytes_present is not null
            group by server_uuid, local_date
            union
            select server_uuid, max(observed_at) from listings group by server_uuid
        ),
        newest as (
            select server_uuid, max(observed_at) as observed_at from listings group by server_uuid
        )
        delete from raw_minecraft.log_reads as old
        where old.observed_at < %(before)s
            and not (
                old.path = ''
                and (old.server_uuid, old.observed_at) in (select kept.server_uuid, kept.observed_at from kept)
            )
            and not (
                old.path <> '' and old.outcome <> 'ok'
                and (old.server_uuid, old.observed_at) in (select newest.server_uuid, newest.observed_at from newest)
            )
        """,
        {"before": before},
    ).rowcount


def prune_loads(connection: Connection, before: datetime) -> int:
    """Delete entries of the ledger older than *before*; return how many.

    Kept for each table: the first entry (since when the platform watches), the newest one and the newest complete
    one (freshness), and each one that a row of the table names.
    """
    entities = [
        f"raw_pterodactyl.{name}"
        for (name,) in connection.execute(
            """
            select table_name from information_schema.columns
            where table_schema = 'raw_pterodactyl' and column_name = 'valid_to'
            """
        )
    ]
    named = sql.SQL(" union all ").join(
        sql.SQL("select _load_id from {}").format(table_identifier(table)) for table in (*entities, *_REWRITTEN)
    )
    return connection.execute(
        sql.SQL(
            """
            with kept as (
                (select distinct on (table_name) load_id from ops.loads order by table_name, observed_at)
                union
                (select distinct on (table_name) load_id from ops.loads order by table_name, observed_at desc)
                union
                (select distinct on (table_name) load_id from ops.loads order by table_name, load_number desc)
                union
                (
                    select distinct on (table_name) load_id from ops.loads where is_complete
                    order by table_name, load_number desc
                )
            )
            delete from ops.loads as old
            where old._loaded_at < %(before)s
                and not (old.table_name = any(%(growing)s) and old.rows_added + old.rows_changed > 0)
                and not exists (select from kept where kept.load_id = old.load_id)
                and not exists (select from ({named}) as rows where rows._load_id = old.load_id)
            """
        ).format(named=named),
        {"before": before, "growing": list(_GROWING)},
    ).rowcount


def prune_changes(connection: Connection) -> int:
    """Delete changes of rows that every model which goes by them has taken in; return how many.

    A model that is no more takes in nothing and is not waited for. One of which it is not known yet by which relations
    it goes is waited for with all of them.
    """
    connection.execute("delete from ops.changes_taken where to_regclass(model) is null")
    # by relation: a model whose relations have no changes left has seen the change 0 alone
    return connection.execute(
        """
        with relations as (select distinct relation from ops.row_changes),

        taken_in as (
            select
                relations.relation,
                min(coalesce(taken.seen_change, 0)) filter (where taken.model is not null) as until_change
            from relations
            left join ops.changes_taken as taken
                on taken.relations is null or relations.relation = any(taken.relations)
            group by relations.relation
        )

        delete from ops.row_changes as changes
        using taken_in
        where
            changes.relation = taken_in.relation
            and (taken_in.until_change is null or changes.change_number <= taken_in.until_change)
        """
    ).rowcount
