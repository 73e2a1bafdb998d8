"""The login with which a person or a tool reads the embedded Postgres: the role analyst, read-only.

Its password is random, is made once and lies in a password file of libpq beside the data, so that no command line, log
or URL has to hold it. On a Postgres of your own you make the logins yourself (docs/reading-the-data.md).
"""

from __future__ import annotations

import re
import secrets
import shlex
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql
from psycopg.conninfo import make_conninfo

from pteroassets.platform.postgres.data_folder import write_private
from pteroassets.warehouse.connection import ConnectionSettings, connect

LOGIN = "pteroassets_analyst"
_FILE = "analyst.pgpass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Where a reader connects to, as whom, and the file that holds the password."""

    host: str
    port: int
    database: str
    username: str
    password_file: Path

    def conninfo(self) -> str:
        """Return the connection string of libpq, which names the password's file instead of the password."""
        return make_conninfo(
            host=self.host,
            port=self.port,
            dbname=self.database,
            user=self.username,
            passfile=str(self.password_file),
        )

    def command(self, psql: str = "psql") -> str:
        """Return the line to type into a shell."""
        return shlex.join([psql, self.conninfo()])


def reader_login(warehouse: ConnectionSettings, home: Path) -> Login:
    """Make the login on the embedded Postgres, or mend it, and return it; *home* keeps its password.

    A second call changes nothing that a reader sees. A password file that was lost is made anew.
    """
    path = home.resolve() / _FILE
    password = _kept_password(path)
    if password is None:
        password = secrets.token_urlsafe(24)
        # any port and any database: the server may come back on another port, and the login is only known to it
        write_private(path, f"{warehouse.host}:*:*:{LOGIN}:{password}\n")
    with connect(warehouse, autocommit=True) as connection:
        # hashed here: neither a log of statements nor a view of what runs may show it
        hashed = connection.pgconn.encrypt_password(password.encode(), LOGIN.encode(), b"scram-sha-256").decode()
        known = connection.execute("select from pg_roles where rolname = %s", (LOGIN,)).fetchone() is not None
        name = sql.Identifier(LOGIN)
        verb = sql.SQL("alter" if known else "create")
        connection.execute(sql.SQL("{} role {} with login password {}").format(verb, name, sql.Literal(hashed)))
        connection.execute(sql.SQL("grant analyst to {}").format(name))
        connection.execute(sql.SQL("alter role {} set default_transaction_read_only = on").format(name))
        connection.execute(sql.SQL("alter role {} set search_path = marts").format(name))  # what \dt shows
    return Login(
        host=warehouse.host,
        port=warehouse.port,
        database=warehouse.database,
        username=LOGIN,
        password_file=path,
    )


def _kept_password(path: Path) -> str | None:
    """Return the password in *path*; None where there is no such file, or none that names our login."""
    if not path.exists():
        return None
    path.chmod(0o600)  # libpq passes over a file that others may read
    found = re.fullmatch(rf"[^:]+:\*:\*:{LOGIN}:([\w-]+)\n?", path.read_text())
    return found[1] if found else None
