"""Create and change the warehouse's schemas and tables by numbered Alembic migrations."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql

from pteroassets.warehouse.connection import ConnectionSettings, connect
from pteroassets.warehouse.folding import SAMPLES_MOVE
from pteroassets.warehouse.moving import Advance, Move, move_rows
from pteroassets.warehouse.moving_events import EVENTS_MOVE

LEAST_MAJOR = 15  # the Postgres version that brought MERGE
MOVES: tuple[Move, ...] = (SAMPLES_MOVE, EVENTS_MOVE)
_MIGRATIONS = Path(__file__).parent / "migrations"


class UnsuitablePostgresError(Exception):
    """The Postgres server is too old or the account lacks a right."""


def ensure_database(server: ConnectionSettings, database: str) -> None:
    """Create *database* on *server* unless it exists.

    Raises:
        UnsuitablePostgresError: The account may not create databases.
    """
    try:
        with connect(server.with_database(database), autocommit=True):
            return
    except psycopg.OperationalError as error:
        # 3D000, invalid_catalog_name: psycopg sets no sqlstate on a failed connection
        if f'database "{database}" does not exist' not in str(error):
            raise
    with connect(server.with_database("postgres"), autocommit=True) as connection:
        try:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
        except psycopg.errors.DuplicateDatabase:
            return  # another process created it first
        except psycopg.errors.InsufficientPrivilege as error:
            raise UnsuitablePostgresError(
                f"the Postgres account {server.username} may not create the database {database}: "
                f'create it as a superuser (create database "{database}" owner "{server.username}")'
            ) from error


def require_suitable_server(settings: ConnectionSettings) -> str:
    """Return the server's version, for example ``18.6``.

    Raises:
        UnsuitablePostgresError: The server is older than Postgres 15.
    """
    with connect(settings, autocommit=True) as connection:
        version: str = connection.info.parameter_status("server_version") or "unknown"
        if connection.info.server_version < LEAST_MAJOR * 10_000:
            raise UnsuitablePostgresError(
                f"Postgres {version} at {settings.host}:{settings.port} is too old: version {LEAST_MAJOR} or later is "
                "needed"
            )
    return version


def upgrade(settings: ConnectionSettings, advance: Advance = lambda _done, _of: None) -> None:
    """Migrate the warehouse to the newest revision, and move the rows that migrations left to be moved.

    Args:
        settings: Of the warehouse.
        advance: Is told how many rows are moved, of how many.

    Raises:
        UnsuitablePostgresError: The server is too old.
    """
    require_suitable_server(settings)
    # 20 MB of memory, and only who migrates needs it
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    # attributes, not options: in the configuration a URL's % would be interpolated, and it could be printed
    config.attributes["url"] = settings.sqlalchemy_url()
    command.upgrade(config, "head")
    with connect(settings, autocommit=True) as connection:
        for move in MOVES:
            move_rows(connection, move, advance)
