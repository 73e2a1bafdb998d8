"""A customer's login sees the servers of its owners in the schema customer, and nothing else."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from pteroassets.warehouse.connection import Connection

from .world import SERVERS

pytestmark = pytest.mark.postgres

OWN = {SERVERS[name] for name in "ace"}
OTHERS = set(SERVERS.values()) - OWN
_RELATIONS = """
    select relnamespace::regnamespace::text, relname from pg_class
    where relkind in ('r', 'v', 'm', 'p', 'f') and relnamespace::regnamespace::text !~ '^(pg_|information_schema$)'
    order by 1, 2
"""
_LEAK = """
    create function pg_temp.tells(text) returns boolean language plpgsql cost 0.0000001 as
    $$ begin raise notice '%', $1; return true; end $$
"""


@pytest.fixture
def divided(built: Connection) -> Connection:
    """The small world with its servers divided between two users, of whom one has a login."""
    built.execute(
        """
        update raw_pterodactyl.servers set record = record || '{"user": 2}' where uuid <> all (%s);
        """,
        (list(OWN),),
    )
    built.execute(
        """
        create role shop;
        grant usage on schema customer to shop;
        insert into ops.customer_logins select 'shop', user_uuid from marts.dim_users where username = 'user1'
        """
    )
    return built


def offered(connection: Connection) -> list[str]:
    return [name for schema, name in connection.execute(_RELATIONS).fetchall() if schema == "customer"]


def seen(connection: Connection, view: str) -> list[str]:
    """Each row of *view* as text, as the login sees it."""
    query = sql.SQL("select row_to_json(one)::text from {} as one").format(sql.Identifier("customer", view))
    return [text for (text,) in connection.execute(query)]


def as_login(connection: Connection) -> None:
    connection.execute("set local role shop")


def tried(connection: Connection, statement: sql.Composable | str) -> Exception | None:
    try:
        with connection.transaction():
            connection.execute(statement)  # type: ignore[arg-type] # composed here
    except psycopg.Error as error:
        return error
    return None


def test_a_customer_sees_its_own_rows_of_each_mart_and_all_of_them(divided: Connection) -> None:
    expected = {}
    for view in offered(divided):
        of_scope = view in ("fct_retention", "fct_return_after_trouble")
        of_server = "case scope when 'server' then scope_key end" if of_scope else "server_uuid::text"
        # of what changed, the former owner is somebody else
        also = "and kind <> 'owner'" if view == "fct_changes" else ""
        query = f"select count(*) from marts.{view} where {of_server} = any(%s) {also}"
        expected[view] = (divided.execute(query, (list(OWN),)).fetchone() or (0,))[0]  # type: ignore[arg-type]
    assert len(expected) > 20
    assert all(expected.values()), expected
    as_login(divided)
    assert {view: len(seen(divided, view)) for view in expected} == expected


def test_no_row_tells_of_another_customer_or_its_servers(divided: Connection) -> None:
    named = divided.execute(
        "select server_name from marts.dim_servers where server_uuid::text = any(%s)", (list(OTHERS),)
    ).fetchall()
    others = divided.execute(
        "select user_uuid::text, username from marts.dim_users where username = 'user2'"
    ).fetchone()
    assert named
    assert others
    tell_tale = {*OTHERS, *(name for (name,) in named), *others}
    as_login(divided)
    for view in offered(divided):
        for row in seen(divided, view):
            assert not {word for word in tell_tale if f'"{word}"' in row}, f"{view}: {row}"


def test_a_server_that_came_from_another_owner_does_not_tell_who_that_was(divided: Connection) -> None:
    divided.execute(
        "update marts.fct_changes set kind = 'owner', before_value = 'user2', after_value = 'user1' "
        "where change_id = (select min(change_id::text)::uuid from marts.fct_changes where server_uuid = %s)",
        (SERVERS["a"],),
    )
    as_login(divided)
    rows = seen(divided, "fct_changes")
    assert rows
    assert not any("user2" in row for row in rows)


def test_a_customer_reads_nothing_but_what_is_offered(divided: Connection) -> None:
    relations = divided.execute(_RELATIONS).fetchall()
    as_login(divided)
    readable = set()
    for schema, name in relations:
        error = tried(divided, sql.SQL("select * from {} limit 0").format(sql.Identifier(schema, name)))
        if error is None:
            readable.add((schema, name))
        else:
            assert isinstance(error, psycopg.errors.InsufficientPrivilege), f"{schema}.{name}: {error}"
    assert readable == {("customer", view) for view in offered(divided)}
    assert len(relations) > 150


@pytest.mark.parametrize(
    "statement",
    [
        "delete from customer.dim_servers",
        "update customer.dim_servers set server_name = ''",
        "create table customer.mine ()",
        "insert into ops.customer_logins select 'shop', gen_random_uuid()",
    ],
)
def test_a_customer_changes_nothing(divided: Connection, statement: str) -> None:
    as_login(divided)
    assert isinstance(tried(divided, statement), psycopg.errors.InsufficientPrivilege)


def test_a_function_of_the_customers_own_is_shown_no_other_row(divided: Connection) -> None:
    told: list[str] = []
    divided.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
    as_login(divided)
    divided.execute(_LEAK)
    rows = divided.execute("select server_uuid::text from customer.dim_servers where pg_temp.tells(server_uuid::text)")
    assert {server for (server,) in rows} == OWN
    assert set(told) == OWN


def test_a_server_that_is_given_away_is_gone_at_once(divided: Connection) -> None:
    divided.execute("""update raw_pterodactyl.servers set record = record || '{"user": 2}' where id = 1""")
    as_login(divided)
    rows = divided.execute("select distinct server_uuid::text from customer.fct_player_sessions").fetchall()
    assert {server for (server,) in rows} == OWN - {SERVERS["a"]}


def test_a_server_or_a_user_that_the_panel_lists_no_more_gives_no_right(divided: Connection) -> None:
    divided.execute("update raw_pterodactyl.servers set is_active = false where id = 1")
    as_login(divided)
    assert divided.execute("select count(*) from customer.dim_servers").fetchone() == (len(OWN) - 1,)
    divided.execute("reset role")
    divided.execute("update raw_pterodactyl.users set is_active = false where id = 1")
    as_login(divided)
    assert divided.execute("select count(*) from customer.dim_servers").fetchone() == (0,)


def test_a_login_that_was_given_no_owner_sees_no_row(divided: Connection) -> None:
    divided.execute("create role stranger; grant usage on schema customer to stranger; set local role stranger")
    assert {len(seen(divided, view)) for view in offered(divided)} == {0}
