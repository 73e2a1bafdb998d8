"""Put pseudonyms into rows of any table, where its texts name a player who is to be forgotten."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

from psycopg import sql

from pteroassets.landing.opt_outs import OptOuts
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import table_identifier

_KINDS: Final = ("text", "jsonb", "uuid")
_ALL: Final = sql.SQL("true")
_BATCH: Final = 1000
"""So many rows are held in memory at a time."""
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}]')


def erase_in(
    connection: Connection,
    table: str,
    pattern: str,
    hidden: OptOuts,
    *,
    where: sql.Composable = _ALL,
    leaving: Collection[str] = (),
    keys_below: Mapping[str, int] = MappingProxyType({}),
) -> int:
    """Put pseudonyms into texts, JSON and UUIDs of the rows of *table* that *pattern* finds; return how many changed.

    A name may be a word of ours, too: the columns of *leaving* and the keys of our own objects are no texts.

    Args:
        connection: In a transaction of the caller's.
        table: Schema and name; it may have partitions.
        pattern: A regular expression of Postgres, in either case.
        hidden: What replaces what.
        where: A condition in SQL for the rows that are looked at.
        leaving: Columns that stay as they are.
        keys_below: Of columns with JSON, how many objects lie around one whose keys are others' words.
    """
    columns = connection.execute(
        "select attname::text, typname::text from pg_attribute inner join pg_type on pg_type.oid = atttypid "
        "where attrelid = %s::regclass and attnum > 0 and not attisdropped and typname = any(%s) "
        "and attname <> all(%s) order by attnum",
        (table, list(_KINDS), list(leaving)),
    ).fetchall()
    if not columns:
        return 0
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
    # JSON is read and written as a text: Postgres holds numbers that Python does not
    read = sql.SQL(", ").join(
        sql.SQL("{}::text" if kind == "jsonb" else "{}").format(sql.Identifier(name)) for name, kind in columns
    )
    written = sql.SQL(", ").join(sql.SQL(f"%s::{kind}") for _, kind in columns)
    # a row is known by its place: in which partition, and where in that
    look = sql.SQL("select tableoid, ctid, {read} from {table} where {where} and concat_ws(' ', {names}) ~* %s").format(
        read=read, names=names, table=table_identifier(table), where=where
    )
    change = sql.SQL("update {} set ({}) = row({}) where tableoid = %s and ctid = %s").format(
        table_identifier(table), names, written
    )
    changed = 0
    with connection.cursor(name="to_be_erased") as rows, connection.cursor() as writer:
        rows.execute(look, (pattern,))
        while batch := rows.fetchmany(_BATCH):
            changes = []
            for partition, place, *values in batch:
                found = [
                    _without(kind, value, hidden, keys_below.get(name))
                    for (name, kind), value in zip(columns, values, strict=True)
                ]
                if found != values:
                    changes.append([*found, partition, place])
            if changes:
                writer.executemany(change, changes)
            changed += len(changes)
    return changed


def _without(kind: str, value: Any, hidden: OptOuts, keys_below: int | None) -> Any:
    if value is None:
        return None
    if isinstance(value, uuid.UUID):
        return hidden.account(value)
    return without_in_json(value, hidden, keys_below) if kind == "jsonb" else hidden.text(value)


def without_in_json(text: str, hidden: OptOuts, keys_below: int | None = None) -> str:
    """Return the text of a value of JSON, as Postgres writes it, with pseudonyms in its strings.

    Keys change too in objects around which more than *keys_below* lie; None is in none.

    All else stays as it is written: a number may be longer than Python reads, or lose digits there, and objects may be
    deeper than its stack.
    """
    if "\\" not in text and hidden.text(text) == text:
        return text
    objects = iter(_keys_by_object(text))
    stack: list[tuple[set[str], set[str]]] = []

    def replaced(match: re.Match[str]) -> str:
        part = match[0]
        if part == "{":
            stack.append((next(objects), set()))
        elif part == "}":
            stack.pop()
        else:
            said = json.loads(part)
            if not _is_key(match):
                changed = hidden.text(said)
            elif keys_below is None or len(stack) <= keys_below:
                return part
            else:
                changed = hidden.key(said, *stack[-1])
                stack[-1][1].add(changed)
            return part if changed == said else json.dumps(changed, ensure_ascii=False)
        return part

    return _TOKEN.sub(replaced, text)


def _keys_by_object(text: str) -> list[set[str]]:
    """Return the keys of each object of *text*, in the order in which they begin."""
    found: list[set[str]] = []
    stack: list[set[str]] = []
    for match in _TOKEN.finditer(text):
        if match[0] == "{":
            stack.append(set())
            found.append(stack[-1])
        elif match[0] == "}":
            stack.pop()
        elif _is_key(match):
            stack[-1].add(json.loads(match[0]))
    return found


def _is_key(match: re.Match[str]) -> bool:
    return match.string.startswith(":", match.end())
