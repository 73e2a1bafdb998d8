"""Move the rows of a table that a migration set aside into the one that takes its place.

A migration is one transaction, so it only renames the old table and makes the new one. The rows follow in steps of a
transaction each, in which they are deleted here and inserted there: killed anywhere, it goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import sql

from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import table_identifier

# any number that no one else on this database takes
_MOVING_LOCK = 7_316_053


Advance = Callable[[int, int], None]
"""Is told after each step how many rows of a table are moved, and of how many."""


def redirected_views(old: str, new: str) -> str:
    """Return a statement for a migration: views that read a table that it renamed then read what took its place.

    Models are views of the raw tables until the next build, and a view of a table keeps to it whatever it is called.

    Args:
        old: Schema and name that the table got.
        new: Schema and name of a relation with the same columns.
    """
    return f"""
    do $$
    declare reader record;
    begin
        for reader in
            select distinct rewritten.ev_class::regclass as view, pg_get_viewdef(rewritten.ev_class) as definition
            from pg_depend as named
            inner join pg_rewrite as rewritten on named.classid = 'pg_rewrite'::regclass and rewritten.oid = named.objid
            where named.refclassid = 'pg_class'::regclass and named.refobjid = '{old}'::regclass
        loop
            execute format(
                'create or replace view %s as %s', reader.view,
                replace(reader.definition, '{old.rpartition(".")[2]}', '{new.rpartition(".")[2]}')
            );
        end loop;
    end $$
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """How the rows of one table are moved.

    Attributes:
        source: Schema and name of the table that was set aside; dropped when it is empty.
        targets: The tables that the rows go into.
        step: Moves some rows, given what the step before returned, None at first; returns how many were moved and
            where to go on, None when nothing is left.
    """

    source: str
    targets: tuple[str, ...]
    step: Callable[[Connection, Any], tuple[int, Any] | None]


def move_rows(connection: Connection, move: Move, advance: Advance) -> int:
    """Move all rows of *move*, one transaction a step, and return their number; rows that no step takes stay there.

    Args:
        connection: In autocommit mode.
        move: What to move; nothing happens if its source is gone.
        advance: Is told after each step how many are moved, and of how many.
    """
    with _one_at_a_time(connection):
        if _ask(connection, "select to_regclass(%s)", move.source) is None:
            return 0
        source = table_identifier(move.source)
        total = _ask(connection, sql.SQL("select count(*) from {}").format(source))
        done, after = 0, None
        while True:
            with connection.transaction():
                moved = move.step(connection, after)
            if moved is None:
                break
            done, after = done + moved[0], moved[1]
            advance(done, total)
        if not _ask(connection, sql.SQL("select exists (select from {})").format(source)):
            connection.execute(sql.SQL("drop table {}").format(source))
        for target in move.targets:
            connection.execute(sql.SQL("analyze {}").format(table_identifier(target)))
    return done


def _ask(connection: Connection, statement: LiteralString | sql.Composed, *values: Any) -> Any:
    row = connection.execute(statement, values).fetchone()
    return row[0] if row else None


@contextmanager
def _one_at_a_time(connection: Connection) -> Iterator[None]:
    connection.execute("select pg_advisory_lock(%s)", (_MOVING_LOCK,))
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute("select pg_advisory_unlock(%s)", (_MOVING_LOCK,))
