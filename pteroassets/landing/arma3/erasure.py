"""Forget a player in replays: pseudonyms come into rows and stored documents, as into those of logs."""

from __future__ import annotations

from typing import Final

from psycopg.types.json import Jsonb

from pteroassets.landing.arma3.fetching import without_names
from pteroassets.landing.arma3.tables import PAGES, TABLES
from pteroassets.landing.erasing import erase_in
from pteroassets.landing.files.store import LogStore
from pteroassets.landing.opt_outs import OptOuts
from pteroassets.warehouse.connection import Connection

_NOTICES: Final = "ops.replay_notices"
_OUTBOX: Final = "ops.outbox"


def erase_rows(connection: Connection, pattern: str, hidden: OptOuts) -> dict[str, int]:
    """Put pseudonyms into all rows that *pattern* finds, in the caller's transaction; return how many, by table.

    A digest that was told is edited where it was told.
    """
    tables = [*(table for table in TABLES if table != PAGES), _NOTICES]
    return {table: erase_in(connection, table, pattern, hidden) for table in tables} | {
        _OUTBOX: _erase_messages(connection, pattern, hidden)
    }


def _erase_messages(connection: Connection, pattern: str, hidden: OptOuts) -> int:
    rows = connection.execute(
        f"select id, body from {_OUTBOX} where key like 'replay/%%' and body::text ~* %s", (pattern,)
    ).fetchall()
    for message, body in rows:
        # a new version, so that the delivery edits it; without a digest of its own it differs from what is put next
        connection.execute(
            f"update {_OUTBOX} set body = %s, body_digest = '', version = version + 1 where id = %s",
            (Jsonb(hidden.value(body)), message),
        )
    return len(rows)


def erase_documents(connection: Connection, store: LogStore, hidden: OptOuts) -> int:
    """Put pseudonyms into stored documents: the new content first, then its rows, then the old one goes."""
    erased = 0
    for digest in kept_digests(connection):
        if digest not in store:
            continue
        content = store.get(digest)
        new = without_names(content, hidden)
        if new == content:
            continue
        erased += 1
        connection.execute(
            f"update {PAGES} set content_digest = %s, content_bytes = %s where content_digest = %s",
            (store.put(new), len(new), digest),
        )
        store.remove(digest)
    return erased


def count_documents(connection: Connection, store: LogStore, hidden: OptOuts) -> int:
    """Return how many stored documents name somebody whom *hidden* replaces."""
    found = (store.get(digest) for digest in kept_digests(connection) if digest in store)
    return sum(without_names(content, hidden) != content for content in found)


def kept_digests(connection: Connection) -> list[str]:
    """Return the digests of all documents that are kept."""
    rows = connection.execute(
        f"select distinct content_digest from {PAGES} where content_digest is not null order by 1"
    )
    return [digest for (digest,) in rows]
