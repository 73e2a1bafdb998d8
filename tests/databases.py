"""Databases of a test's own on the Postgres of the tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import sql

from pteroassets.warehouse.connection import ConnectionSettings, connect


@contextmanager
def copied(template: ConnectionSettings, name: str | None = None) -> Iterator[ConnectionSettings]:
    """Copy the database that *template* names; the copy is gone at the end."""
    name = name or f"copy_{uuid.uuid4().hex[:12]}"
    # files are copied faster than pages are written to the log, where no write waits for the disk
    copy = sql.SQL("create database {} template {} strategy file_copy")
    with connect(template.with_database("postgres"), autocommit=True) as admin:
        admin.execute(copy.format(sql.Identifier(name), sql.Identifier(template.database)))
    try:
        yield template.with_database(name)
    finally:
        with connect(template.with_database("postgres"), autocommit=True) as admin:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
