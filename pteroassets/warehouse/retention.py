"""Remove the warehouse's old records of its own work, except those that figures, freshness or lineage need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from psycopg import sql

from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import lock_table_for_load, months_stored, partition_of, table_identifier

# Tables whose rows are rewritten, and then name another load. The entities' are found by their columns.
_REWRITTEN = (
    "raw_pterodactyl.list_reads",
    "raw_minecraft.log_files",
    "raw_minecraft.log_reads",
    "derived_minecraft.player_sessions",
    "derived_minecraft.server_runs",
    "derived_minecraft.name_sightings",
)
# Tables that only grow: their rows name every load that added to them, and checking would read them whole.
_GROWING = ("raw_pterodactyl.utilization_samples", "raw_pterodactyl.activity", "raw_minecraft.events")
# What is left of samples that are dropped. A model is known by the relation that it makes, in quotes.
_ROLLED_UP = ("fct_utilization_hourly", "int_server_utilization_daily")


@dataclass(frozen=True, slots=True, kw_only=True)
class OldMonth:
    """A month whose samples are old enough to be dropped, and whether they were.

    Attributes:
        month: Its first day, in UTC.
        samples: How many there were.
        waits_for: Models that have not taken in all of them yet, so that they were kept.
    """

    month: date
    samples: int
    waits_for: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say what became of it."""
        if self.waits_for:
            return f"samples of {self.month:%Y-%m} are kept until {' and '.join(self.waits_for)} have taken them in"
        return f"dropped {self.samples} samples of {self.month:%Y-%m}"


def drop_samples(connection: Connection, now: datetime, keep_days: int | None) -> Iterator[OldMonth]:
    """Drop the samples of each month that ended *keep_days* before *now*, in a transaction each.

    Hours and days that are made of them stay as they are, so a month is kept until they have taken in all of it.
    Nothing is dropped where *keep_days* is None.
    """
    if keep_days is None:
        return
    for month, until in months_stored(connection):
        if until > now - timedelta(days=keep_days):
            return
        yield _drop_month(connection, month, until)


def _drop_month(connection: Connection, month: date, until: datetime) -> OldMonth:
    partition = sql.Identifier("raw_pterodactyl", partition_of(month))
    with connection.transaction():
        lock_table_for_load(connection, "raw_pterodactyl.utilization_samples")
        ((samples,),) = connection.execute(sql.SQL("select count(*) from {}").format(partition)).fetchall()
        waits_for = tuple(
            model
            for (model,) in connection.execute(
                """
                select model from unnest(%(models)s::text[]) as models (model)
                where exists (
                    select from raw_pterodactyl.sample_passes as passes
                    inner join ops.loads on loads.load_id = passes._load_id
                    where raw_pterodactyl.pass_time(passes.pass_number) >= %(month)s::timestamp at time zone 'UTC'
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
                {"models": list(_ROLLED_UP), "month": month, "until": until},
            )
        )
        if not waits_for:
            if samples:
                connection.execute("insert into ops.dropped_samples (month, samples) values (%s, %s)", (month, samples))
            connection.execute(sql.SQL("drop table {}").format(partition))
    return OldMonth(month=month, samples=samples, waits_for=waits_for)


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
    """Delete changes of rows that every model has taken in; return how many.

    A model that is no more takes in nothing and is not waited for.
    """
    connection.execute("delete from ops.changes_taken where to_regclass(model) is null")
    return connection.execute(
        """
        delete from ops.row_changes
        where change_number <= (select min(coalesce(seen_change, 0)) from ops.changes_taken)
        """
    ).rowcount
