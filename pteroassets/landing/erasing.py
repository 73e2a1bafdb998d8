"""Put pseudonyms into rows of any table, where its texts name a player who is to be forgotten."""

from __future__ import annotations

import uuid
from typing import Any, Final

from psycopg import sql
from psycopg.types.json import Jsonb

from pteroassets.landing.opt_outs import OptOuts
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import table_identifier

_KINDS: Final = ("text", "jsonb", "uuid")


def erase_in(connection: Connection, table: str, pattern: str, hidden: OptOuts, *, where: str = "true") -> int:
    """Put pseudonyms into texts, JSON and UUIDs of the rows of *table* that *pattern* finds; return how many changed.

    Args:
        connection: In a transaction of the caller's.
        table: Schema and name; it may have partitions.
        pattern: A regular expression of Postgres, in either case.
        hidden: What replaces what.
        where: A condition in SQL for the rows that are looked at.
    """
    columns = [
        name
        for (name,) in connection.execute(
            "select attname::text from pg_attribute inner join pg_type on pg_type.oid = atttypid "
            "where attrelid = %s::regclass and attnum > 0 and not attisdropped and typname = any(%s) order by attnum",
            (table, list(_KINDS)),
        )
    ]
    if not columns:
        return 0
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    rows = connection.execute(
        # a row is known by its place: in which partition, and where in that
        sql.SQL("select tableoid, ctid, {names} from {table} where {where} and concat_ws(' ', {names}) ~* %s").format(
            names=names, table=table_identifier(table), where=sql.SQL(where)
        ),
        (pattern,),
    ).fetchall()
    change = sql.SQL("update {} set ({}) = row({}) where tableoid = %s and ctid = %s").format(
        table_identifier(table), names, sql.SQL(", ").join([sql.Placeholder()] * len(columns))
    )
    changed = 0
    for partition, place, *values in rows:
        found = [_without(value, hidden) for value in values]
        if found != values:
            changed += 1
            connection.execute(
                change, [*(Jsonb(one) if isinstance(one, dict | list) else one for one in found), partition, place]
            )
    return changed


def _without(value: Any, hidden: OptOuts) -> Any:
    return hidden.account(value) if isinstance(value, uuid.UUID) else hidden.value(value)
