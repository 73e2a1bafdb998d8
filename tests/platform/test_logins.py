"""The login of those who read: it connects as the printed line says, reads what is served, and writes nothing."""

from __future__ import annotations

import re
import shlex
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml

from pteroassets.platform.postgres.logins import LOGIN, Login, reader_login
from pteroassets.platform.sql import find_psql
from pteroassets.settings import CHECKOUT
from pteroassets.warehouse.connection import ConnectionSettings, connect

pytestmark = pytest.mark.postgres


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder, it's mine"  # what a line for a shell has to quote
    folder.mkdir()
    return folder


@pytest.fixture
def login(warehouse_settings: ConnectionSettings, home: Path) -> Iterator[Login]:
    with connect(warehouse_settings, autocommit=True) as connection:
        connection.execute("create table marts.made_by_dbt as select 1 as one")
    yield reader_login(warehouse_settings, home)
    with connect(warehouse_settings.with_database("postgres"), autocommit=True) as connection:
        connection.execute(f"drop role {LOGIN}")  # it belongs to the server, which other tests use too


def secret_in(login: Login) -> str:
    return login.password_file.read_text().strip().rpartition(":")[2]


def test_the_printed_line_connects_as_it_is_typed(login: Login) -> None:
    line = f"{login.command(find_psql())} -At -c 'select one, current_user from made_by_dbt'"
    answer = subprocess.run(
        ["sh", "-c", line], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert (answer.stdout, answer.stderr) == (f"1|{LOGIN}\n", "")


def test_libraries_connect_by_the_same_words(login: Login) -> None:
    assert shlex.split(login.command())[1] == login.conninfo()
    with psycopg.connect(login.conninfo()) as connection:
        assert connection.execute("select one from marts.made_by_dbt").fetchone() == (1,)


def test_the_password_stands_in_a_private_file_alone(login: Login, warehouse_settings: ConnectionSettings) -> None:
    assert stat.S_IMODE(login.password_file.stat().st_mode) == 0o600
    assert secret_in(login) not in login.command() + repr(login)
    with connect(warehouse_settings) as connection:
        row = connection.execute("select rolpassword from pg_authid where rolname = %s", (LOGIN,)).fetchone()
    assert row is not None
    assert row[0].startswith("SCRAM-SHA-256$")


@pytest.mark.parametrize(
    "statement",
    [
        "delete from marts.made_by_dbt",
        "create table marts.mine (one int)",
        "create table public.mine (one int)",
        "create temporary table mine (one int)",
    ],
)
def test_it_writes_nothing(login: Login, statement: str) -> None:
    with psycopg.connect(login.conninfo(), autocommit=True) as connection:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute(statement)
        if "temporary" not in statement:
            connection.execute("set default_transaction_read_only = off")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


@pytest.mark.parametrize("table", ["raw_pterodactyl.users", "raw_minecraft.events", "ops.loads"])
def test_it_reads_only_what_is_served(login: Login, table: str) -> None:
    with psycopg.connect(login.conninfo()) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"select from {table}")


def test_a_second_start_keeps_the_password(login: Login, warehouse_settings: ConnectionSettings, home: Path) -> None:
    before = secret_in(login)
    with psycopg.connect(login.conninfo()) as open_connection:
        assert reader_login(warehouse_settings, home) == login
        assert secret_in(login) == before
        assert open_connection.execute("select one from marts.made_by_dbt").fetchone() == (1,)
    psycopg.connect(login.conninfo()).close()


@pytest.mark.parametrize("left", ["", "no password file", None], ids=["emptied", "overwritten", "removed"])
def test_a_lost_password_is_made_anew(
    login: Login, warehouse_settings: ConnectionSettings, home: Path, left: str | None
) -> None:
    before = secret_in(login)
    if left is None:
        login.password_file.unlink()
    else:
        login.password_file.write_text(left)
    again = reader_login(warehouse_settings, home)
    assert secret_in(again) != before
    psycopg.connect(again.conninfo()).close()


def test_a_password_file_that_others_may_read_is_closed_again(
    login: Login, warehouse_settings: ConnectionSettings, home: Path
) -> None:
    login.password_file.chmod(0o644)  # libpq would pass over it
    reader_login(warehouse_settings, home)
    assert stat.S_IMODE(login.password_file.stat().st_mode) == 0o600


def guide() -> str:
    return (CHECKOUT / "docs" / "reading-the-data.md").read_text()


def guide_block(language: str, section: str = "") -> str:
    """The one block in *language* of the guide, or of the section whose heading begins with *section*."""
    text = guide()
    if section:
        (text,) = re.findall(rf"^## {section}.*?(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    (block,) = re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return str(block)


def statements_in(block: str) -> list[str]:
    return [line for line in block.splitlines() if not line.startswith("\\")]


def test_the_line_in_the_guide_is_of_the_kind_that_is_printed(login: Login) -> None:
    (shown,) = shlex.split(guide_block("text"))[1:]
    assert re.findall(r"(\w+)=", shown) == re.findall(r"(\w+)=", login.conninfo())
    assert f"user={LOGIN} " in shown


def test_the_guides_way_with_pandas_reads_a_table(
    login: Login, warehouse_settings: ConnectionSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    with connect(warehouse_settings, autocommit=True) as connection:
        connection.execute(
            "create table marts.fct_server_daily as select date '2026-05-01' as local_date, "
            "unnest(array[1.5, null]) as player_hours, unnest(array[false, false]) as is_proxy "
            "union all select date '2026-05-02', null, false"
        )
    block = guide_block("python", "pandas and JupyterLab")
    words = re.search(r'"(host=.*)"', block)
    assert words is not None
    exec(block.replace(words[0], repr(login.conninfo())), {})
    printed = capsys.readouterr().out
    assert re.search(r"2026-05-01\s+1\.5\n2026-05-02\s+NaN", printed), printed


@pytest.mark.usefixtures("login")  # makes the table to read
def test_the_guides_way_to_a_login_for_a_person_makes_one_that_only_reads(
    warehouse_settings: ConnectionSettings,
) -> None:
    statements = statements_in(guide_block("sql", "A login for a person"))
    with connect(warehouse_settings, autocommit=True) as connection:
        try:
            for statement in statements:
                connection.execute(statement)
            connection.execute("alter role someone password 'chosen by a person'")
            with psycopg.connect(
                host=warehouse_settings.host,
                port=warehouse_settings.port,
                dbname=warehouse_settings.database,
                user="someone",
                password="chosen by a person",
            ) as theirs:
                assert theirs.execute("select one from made_by_dbt").fetchone() == (1,)
                with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                    theirs.execute("delete from made_by_dbt")
        finally:
            connection.execute("drop role if exists someone")


def test_the_guides_way_to_a_login_for_a_customer_makes_one_that_sees_its_servers(
    warehouse_settings: ConnectionSettings,
) -> None:
    with connect(warehouse_settings, autocommit=True) as connection:
        connection.execute(
            "create table marts.dim_users as select gen_random_uuid() as user_uuid, 'nora' as username;"
            "create view customer.own as select server_uuid from ops.customer_servers where role_name = current_user;"
            "insert into raw_pterodactyl.users (key, valid_from, id, uuid, record, digest, _source, _load_id) "
            "select 'nora', now(), 3, user_uuid, '{}', '', '', gen_random_uuid() from marts.dim_users;"
            "insert into raw_pterodactyl.servers (key, valid_from, id, uuid, record, digest, _source, _load_id) "
            "select id::text, now(), id, gen_random_uuid(), jsonb_build_object('user', id), '', '', gen_random_uuid() "
            "from generate_series(3, 4) as servers (id)"
        )
        try:
            for statement in statements_in(guide_block("sql", "A login for a customer")):
                connection.execute(statement)
            connection.execute("alter role customer_17 password 'chosen by a person'")
            with psycopg.connect(
                host=warehouse_settings.host,
                port=warehouse_settings.port,
                dbname=warehouse_settings.database,
                user="customer_17",
                password="chosen by a person",
            ) as theirs:
                assert theirs.execute("select count(*) from own").fetchone() == (1,)
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    theirs.execute("select * from marts.dim_users")
            ending = re.search(r"`(drop owned by customer_17; .*)`", guide())
            assert ending is not None
            connection.execute(ending[1])
            assert connection.execute("select from pg_roles where rolname = 'customer_17'").fetchone() is None
        finally:
            connection.execute("drop role if exists customer_17")


def test_the_guides_data_source_for_grafana_names_the_login_and_holds_no_password() -> None:
    (source,) = yaml.safe_load(guide_block("yaml"))["datasources"]
    assert (source["type"], source["user"]) == ("postgres", LOGIN)
    assert source["secureJsonData"]["password"].startswith("$")
