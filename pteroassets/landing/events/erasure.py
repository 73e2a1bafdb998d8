"""Forget a player in pushed events: pseudonyms come into what games told, and into what was built of that."""

from __future__ import annotations

from typing import Final, TypedDict

from psycopg import sql

from pteroassets.landing.erasing import erase_in
from pteroassets.landing.opt_outs import OptOuts
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import lock_table_for_load, table_identifier


class _Ours(TypedDict):
    leaving: tuple[str, ...]
    keys_below: dict[str, int]


DEAD_LETTERS: Final = "raw_events.dead_letters"
EVENTS: Final = "raw_events.events"
_ANYTHING: Final = "."
#: What the contracts name is no player's, also where it is a word that a player may be called: types, and keys of the
#: event and of its fields; what lies deeper is the game's own.
_OURS: Final[_Ours] = {"leaving": ("game", "event_type"), "keys_below": {"record": 2, "properties": 1}}
_BATCH: Final = 1000
"""So many dead letters are held in memory at a time."""


def erase_rows(connection: Connection, pattern: str, hidden: OptOuts) -> dict[str, int]:
    """Put pseudonyms into all rows that *pattern* finds, in the caller's transaction; return how many, by table.

    What was built of events goes on from what arrived, also where the raw rows were dropped, so that it is changed
    where it stands. No tally is made meanwhile: the next one knows of the player.
    """
    for table in (DEAD_LETTERS, EVENTS):
        lock_table_for_load(connection, table)
    built = [table for table in _built(connection) if not table.startswith("raw_")]
    return {table: erase_in(connection, table, pattern, hidden, **_OURS) for table in (EVENTS, *built)} | {
        DEAD_LETTERS: _erase_letters(connection, hidden, sql.SQL("true"))
    }


def erase_arrived(connection: Connection, table: str, hidden: OptOuts, *, where: sql.Composable) -> int:
    """Put pseudonyms into the rows of *table* that the condition *where* names; return how many changed.

    Games know nothing of the list, so that what they tell of who is on it comes again and again.
    """
    if not hidden:
        return 0
    if table == DEAD_LETTERS:
        return _erase_letters(connection, hidden, where)
    return erase_in(connection, table, _ANYTHING, hidden, where=where, **_OURS)


def _built(connection: Connection) -> list[str]:
    """Return the tables that were built of players of games."""
    rows = connection.execute(
        """
        select relnamespace::regnamespace::text || '.' || relname
        from pg_class
        inner join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
        where relkind in ('r', 'm') and relnamespace::regnamespace::text in ('intermediate', 'marts')
        group by pg_class.oid
        having bool_or(attname = 'game') and bool_or(attname = 'player_id' and atttypid = 'text'::regtype)
        order by 1
        """
    )
    return [table for (table,) in rows]


def _erase_letters(connection: Connection, hidden: OptOuts, where: sql.Composable) -> int:
    """Put pseudonyms into dead letters: the bytes of each are looked at, since they may be no text."""
    changed = 0
    with connection.cursor(name="letters_to_be_erased") as rows:
        rows.execute(
            sql.SQL("select tableoid, ctid, detail, body from {} where {}").format(
                table_identifier(DEAD_LETTERS), where
            )
        )
        while batch := rows.fetchmany(_BATCH):
            for partition, place, detail, body in batch:
                found = (hidden.text(detail), hidden.content(bytes(body)))
                if found != (detail, bytes(body)):
                    changed += 1
                    connection.execute(
                        "update raw_events.dead_letters set detail = %s, body = %s where tableoid = %s and ctid = %s",
                        (*found, partition, place),
                    )
    return changed
