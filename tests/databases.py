"""Databases of a test's own on the Postgres of the tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import sql

from pteroassets.warehouse.connection import ConnectionSettings, connect


@contextmanager
def copied(template: ConnectionSettings, name: str | None = None) -> Iterator[ConnectionSettings]:
    """Copy the database that *template* names; the copy is gone at the end.

    Without a *name* it has the first of ``copy_1``, ``copy_2`` and so on that is free, so that copies that follow one
    another are named alike, and what dbt parsed for one serves the next. What Dagster stored for the copy goes with it.
    """
    # files are copied faster than pages are written to the log, where no write waits for the disk
    copy = sql.SQL("create database {} template {} strategy file_copy")
    with connect(template.with_database("postgres"), autocommit=True) as admin:
        if name is None:
            taken = {one for (one,) in admin.execute("select datname from pg_database")}
            name = next(one for number in itertools.count(1) if (one := f"copy_{number}") not in taken)
        admin.execute(copy.format(sql.Identifier(name), sql.Identifier(template.database)))
    try:
        yield template.with_database(name)
    finally:
        with connect(template.with_database("postgres"), autocommit=True) as admin:
            for gone in (name, f"dagster_{name}"):
                admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(gone)))
