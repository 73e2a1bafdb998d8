"""Months of samples that were read back from the archive: a partition each, which no model reads (decision 36)."""

from __future__ import annotations

from datetime import date
from typing import Final

from psycopg import sql

from pteroassets.warehouse.connection import Connection

RESTORED: Final = "raw_pterodactyl.restored_samples"


def release(connection: Connection, first: date, last: date) -> list[date]:
    """Drop the restored months from *first* to *last* and return them; the archive keeps them."""
    released = []
    for month in restored_months(connection):
        if first <= month <= last:
            connection.execute(sql.SQL("drop table {}").format(sql.Identifier("raw_pterodactyl", restored_name(month))))
            released.append(month)
    return released


def restored_months(connection: Connection) -> list[date]:
    """Return the months that are restored, oldest first."""
    names = connection.execute(
        "select relname from pg_class inner join pg_inherits on inhrelid = pg_class.oid "
        "where inhparent = %s::regclass order by relname",
        (RESTORED,),
    ).fetchall()
    return [date(int(name[-7:-3]), int(name[-2:]), 1) for (name,) in names]


def restored_name(month: date) -> str:
    """Return the name of the table that *month* is restored into."""
    return f"restored_samples_{month:%Y_%m}"
