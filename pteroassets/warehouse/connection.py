"""Where the warehouse is, and how to open a connection to it."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import quote

import msgspec
import psycopg
from psycopg.types.json import set_json_dumps

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """Address and account of one Postgres database."""

    host: str
    port: int
    username: str
    password: str = dataclasses.field(repr=False)
    database: str = "postgres"

    def with_database(self, database: str) -> ConnectionSettings:
        """Return the same account on another database."""
        return dataclasses.replace(self, database=database)

    def sqlalchemy_url(self) -> str:
        """Return a URL for SQLAlchemy with psycopg 3; it holds the password, so it is never shown."""
        account = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}"
        return f"postgresql+psycopg://{account}@{self.host}:{self.port}/{quote(self.database, safe='')}"

    def environment(self) -> dict[str, str]:
        """Return the variables by which dbt, Dagster and the code location find this database."""
        return {
            "POSTGRES_HOST": self.host,
            "POSTGRES_PORT": str(self.port),
            "POSTGRES_USERNAME": self.username,
            "POSTGRES_PASSWORD": self.password,
            "POSTGRES_DATABASE": self.database,
        }


def connect(settings: ConnectionSettings, *, autocommit: bool = False) -> Connection:
    """Open a connection in UTC.

    Raises:
        psycopg.OperationalError: The server cannot be reached or refuses the account.
    """
    connection = psycopg.connect(
        host=settings.host,
        port=settings.port,
        user=settings.username,
        password=settings.password,
        dbname=settings.database,
        autocommit=autocommit,
        application_name="pteroassets",
        connect_timeout=10,
        options="-c timezone=UTC",
    )
    # some times as fast as the library's own, and records and details are many
    set_json_dumps(msgspec.json.encode, connection)
    return connection
