"""``pteroassets customers``: logins with which customers read the rows of their own servers, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from rich.console import Console
from rich.table import Column, Table

from pteroassets.platform.environment import RuntimeFault
from pteroassets.platform.sql import psql_to_show, warehouse_in
from pteroassets.settings import Settings
from pteroassets.sources.wording import counted
from pteroassets.warehouse.connection import Connection, connect

_LOGIN = re.compile(r"(?!pg_)[a-z][a-z0-9_]{2,62}")
_SHORTEST = 12  # characters of a password
_CONNECTIONS = 5
_SETTINGS = {"default_transaction_read_only": "on", "search_path": "customer", "statement_timeout": "60s"}


def run_add(
    settings: Settings, console: Console, login: str, users: Sequence[str], password: str, *, home: Path | None
) -> None:
    """Make the login of a customer who is the *users* of the panel, or change whose it is and its password.

    Raises:
        RuntimeFault: The name, the password or a user will not do, or the account may not make logins.
    """
    if not _LOGIN.fullmatch(login):
        raise RuntimeFault(
            f"{login!r} cannot be a login: take a small letter and then 2 to 62 small letters, digits or underscores"
        )
    if len(password) < _SHORTEST:
        raise RuntimeFault(f"the password has {len(password)} characters: take {_SHORTEST} or more")
    with warehouse_in(settings, home) as warehouse, connect(warehouse, autocommit=True) as connection:
        try:
            with connection.transaction():
                servers = add(connection, login, users, password)
        except psycopg.errors.InsufficientPrivilege as error:
            raise RuntimeFault(
                f"the account {warehouse.username} may make no logins: {error.diag.message_primary}; give it CREATEROLE"
            ) from error
        conninfo = make_conninfo(host=warehouse.host, port=warehouse.port, dbname=warehouse.database, user=login)
    console.print(f"{login} sees {counted(servers, 'server')}", highlight=False)
    console.print(f"{psql_to_show()} '{conninfo}'", highlight=False, soft_wrap=True)


def add(connection: Connection, login: str, users: Sequence[str], password: str) -> int:
    """Make or change *login*, in the open transaction; return how many servers it sees.

    Raises:
        RuntimeFault: A user is not known, or the login is somebody else's.
    """
    owners = [_user(connection, name) for name in users]
    exists = connection.execute("select from pg_roles where rolname = %s", (login,)).fetchone() is not None
    is_customers = connection.execute("select from ops.customer_logins where role_name = %s", (login,)).fetchone()
    if exists and is_customers is None:
        raise RuntimeFault(f"there is a login {login} already, which is no customer's: take another name")
    # hashed here: neither a log of statements nor a view of what runs may show it
    hashed = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
    name = sql.Identifier(login)
    connection.execute(
        sql.SQL("{} role {} with login connection limit {} password {}").format(
            sql.SQL("alter" if exists else "create"), name, sql.Literal(_CONNECTIONS), sql.Literal(hashed)
        )
    )
    for setting, value in _SETTINGS.items():
        connection.execute(
            sql.SQL("alter role {} set {} = {}").format(name, sql.Identifier(setting), sql.Literal(value))
        )
    connection.execute(sql.SQL("grant usage on schema customer to {}").format(name))
    connection.execute("delete from ops.customer_logins where role_name = %s", (login,))
    connection.execute(
        "insert into ops.customer_logins (role_name, owner_uuid) select distinct %s::name, * from unnest(%s::uuid[])",
        (login, owners),
    )
    row = connection.execute(
        "select count(distinct server_uuid) from ops.customer_servers where role_name = %s", (login,)
    ).fetchone()
    return int(row[0]) if row else 0


def _user(connection: Connection, name: str) -> str:
    rows = connection.execute(
        "select uuid::text from raw_pterodactyl.users where valid_to is null and is_active and uuid is not null "
        "and (lower(record ->> 'username') = lower(%(name)s) or uuid::text = lower(%(name)s))",
        {"name": name},
    ).fetchall()
    if len(rows) != 1:
        found = "is no user" if not rows else f"is the name of {len(rows)} users"
        raise RuntimeFault(
            f"{name!r} {found} of the panel, as it was last read: give a username or a UUID of marts.dim_users"
        )
    return str(rows[0][0])


def run_remove(settings: Settings, console: Console, login: str, *, home: Path | None) -> None:
    """End the login of a customer, and what it is connected with.

    Raises:
        RuntimeFault: It is no customer's.
    """
    with warehouse_in(settings, home) as warehouse, connect(warehouse, autocommit=True) as connection:
        with connection.transaction():
            remove(connection, login)
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", (login,))
    console.print(f"{login} is gone", highlight=False)


def remove(connection: Connection, login: str) -> None:
    """Drop *login* with its rights, in the open transaction.

    Raises:
        RuntimeFault: It is no customer's.
    """
    if connection.execute("delete from ops.customer_logins where role_name = %s", (login,)).rowcount == 0:
        raise RuntimeFault(f"{login!r} is no customer's login: pteroassets customers list shows all")
    if connection.execute("select from pg_roles where rolname = %s", (login,)).fetchone() is not None:
        name = sql.Identifier(login)
        connection.execute(sql.SQL("drop owned by {}; drop role {}").format(name, name))


def run_list(settings: Settings, console: Console, *, home: Path | None) -> None:
    """Print each customer's login, whose it is, and how many servers it sees.

    Raises:
        RuntimeFault: There is no warehouse yet.
    """
    with warehouse_in(settings, home) as warehouse, connect(warehouse, autocommit=True) as connection:
        rows = listed(connection)
    if not rows:
        console.print("no customer has a login")
        return
    table = Table("Login", "Users of the panel", Column("Servers", justify="right"), box=None)
    for login, users, servers in rows:
        table.add_row(login, ", ".join(users), str(servers))
    console.print(table)


def listed(connection: Connection) -> list[tuple[str, list[str], int]]:
    """Return each login, its users and how many servers it sees."""
    return connection.execute(
        """
        select
            logins.role_name::text,
            array_agg(coalesce(users.record ->> 'username', logins.owner_uuid::text) order by 1),
            (select count(*) from ops.customer_servers as seen where seen.role_name = logins.role_name)
        from ops.customer_logins as logins
        left join raw_pterodactyl.users as users on users.uuid = logins.owner_uuid and users.valid_to is null
        group by logins.role_name
        order by logins.role_name
        """
    ).fetchall()
