"""A real Postgres for the session, and an empty warehouse for each test that asks for one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from psycopg import sql

from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.embedded import EmbeddedPostgres
from pteroassets.warehouse.migrate import ensure_database, upgrade

_TEMPLATE = "warehouse_template"


@pytest.fixture(scope="session")
def postgres() -> Iterator[ConnectionSettings]:
    """The embedded Postgres, started once; it runs as an unprivileged user when the tests are run by root."""
    # not below tmp_path, whose parents are closed to the user that root drops to
    with EmbeddedPostgres.temporary() as settings:
        yield settings


@pytest.fixture(scope="session")
def migrated_template(postgres: ConnectionSettings) -> ConnectionSettings:
    """A migrated database that each test's warehouse is copied from, which is faster than migrating."""
    template = postgres.with_database(_TEMPLATE)
    ensure_database(template, _TEMPLATE)
    upgrade(template)
    return template


@pytest.fixture
def warehouse_settings(migrated_template: ConnectionSettings) -> Iterator[ConnectionSettings]:
    """The address of a migrated, empty warehouse of the test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with connect(migrated_template.with_database("postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(_TEMPLATE)))
    yield migrated_template.with_database(name)
    with connect(migrated_template.with_database("postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def warehouse(warehouse_settings: ConnectionSettings) -> Iterator[Connection]:
    """A connection to a migrated, empty warehouse of the test's own."""
    with connect(warehouse_settings, autocommit=True) as connection:
        yield connection
