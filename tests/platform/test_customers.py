"""Logins of customers by the command: they connect, see their servers alone, change hands and end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from pteroassets.cli import main
from pteroassets.warehouse.connection import ConnectionSettings, connect

pytestmark = pytest.mark.postgres

LOGIN = "customer_of_tests"
PASSWORD = "a long secret of nobody"
NORA, OTTO = "44444441-0000-4000-8000-000000000001", "44444442-0000-4000-8000-000000000001"
_ESTATE = """
insert into raw_pterodactyl.users (key, valid_from, id, uuid, record, digest, _source, _load_id)
select name, '2026-10-24', id, uuid::uuid, jsonb_build_object('id', id, 'username', name), '', '', gen_random_uuid()
from (values (1, 'Nora', '{nora}'), (2, 'otto', '{otto}')) as users (id, name, uuid);
insert into raw_pterodactyl.servers (key, valid_from, id, uuid, record, digest, _source, _load_id)
select id::text, '2026-10-24', id, gen_random_uuid(), jsonb_build_object('id', id, 'user', 1 + id % 2), '', '',
    gen_random_uuid()
from generate_series(1, 3) as servers (id);
create view customer.mine with (security_barrier) as
select server_uuid from ops.customer_servers where role_name = current_user;
"""


@pytest.fixture
def warehouse(warehouse_settings: ConnectionSettings) -> Iterator[ConnectionSettings]:
    with connect(warehouse_settings, autocommit=True) as connection:
        connection.execute(_ESTATE.format(nora=NORA, otto=OTTO))  # type: ignore[arg-type] # constants of this module
    yield warehouse_settings
    with connect(warehouse_settings, autocommit=True) as connection:
        known = connection.execute("select from pg_roles where rolname = %s", (LOGIN,)).fetchone()
        if known is not None:
            connection.execute(f"drop owned by {LOGIN}; drop role {LOGIN}")


def command(warehouse: ConnectionSettings, *arguments: str, password: str | None = PASSWORD, typed: str = "") -> str:
    """Return what the command prints, and whether it failed."""
    settings = warehouse.environment() | {"PTEROASSETS_CUSTOMER_PASSWORD": password}
    result = CliRunner().invoke(main, ["customers", *arguments], env=settings, input=typed)
    return f"{result.exit_code} {result.output}"


def sees(warehouse: ConnectionSettings, password: str = PASSWORD) -> int:
    with psycopg.connect(
        host=warehouse.host, port=warehouse.port, dbname=warehouse.database, user=LOGIN, password=password
    ) as connection:
        row = connection.execute("select count(*) from mine").fetchone()
        assert connection.execute("show default_transaction_read_only").fetchone() == ("on",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from raw_pterodactyl.servers")
    assert row is not None
    return int(row[0])


def test_a_customers_login_is_made_changed_listed_and_ended(warehouse: ConnectionSettings) -> None:
    made = command(warehouse, "add", LOGIN, "nora")
    assert made.startswith(f"0 {LOGIN} sees 1 server\n")
    assert f"user={LOGIN}" in made
    assert PASSWORD not in made
    assert sees(warehouse) == 1
    typed = "another long secret"
    changed = command(warehouse, "add", LOGIN, "nora", OTTO, password=None, typed=f"{typed}\n{typed}\n")
    assert "sees 3 servers" in changed
    assert typed not in changed
    assert sees(warehouse, typed) == 3
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        sees(warehouse)
    listed = command(warehouse, "list")
    assert {LOGIN, "Nora,", "otto", "3"} <= set(listed.split())
    assert command(warehouse, "remove", LOGIN) == f"0 {LOGIN} is gone\n"
    assert command(warehouse, "list") == "0 no customer has a login\n"
    with pytest.raises(psycopg.OperationalError):
        sees(warehouse, typed)


@pytest.mark.parametrize(
    ("arguments", "password", "why"),
    [
        (("add", "Customer", "nora"), PASSWORD, "'Customer' cannot be a login"),
        (("add", "pg_monitor", "nora"), PASSWORD, "'pg_monitor' cannot be a login"),
        (("add", "analyst", "nora"), PASSWORD, "there is a login analyst already, which is no customer's"),
        (("add", LOGIN, "nobody"), PASSWORD, "'nobody' is no user of the panel"),
        (("add", LOGIN, "nora"), "short", "the password has 5 characters: take 12 or more"),
        (("remove", "analyst"), PASSWORD, "'analyst' is no customer's login"),
    ],
)
def test_what_will_not_do_is_refused_with_the_remedy_and_nothing_is_made(
    warehouse: ConnectionSettings, arguments: tuple[str, ...], password: str, why: str
) -> None:
    said = command(warehouse, *arguments, password=password)
    assert said.startswith("1 ")
    assert why in said
    assert command(warehouse, "list") == "0 no customer has a login\n"


def test_the_command_needs_no_folder_on_a_postgres_of_ones_own(warehouse: ConnectionSettings, tmp_path: Path) -> None:
    assert command(warehouse, "list", "--home", str(tmp_path)).startswith("1 pteroassets: there is no data in")
