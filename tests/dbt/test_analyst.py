"""The role analyst reads what is served and nothing else."""

from __future__ import annotations

import psycopg
import pytest

from pteroassets.warehouse.connection import Connection

pytestmark = pytest.mark.postgres

READABLE = ("staging", "marts", "pterodactyl", "minecraft")


def test_an_analyst_reads_every_table_and_view_that_is_served(built: Connection) -> None:
    built.execute("set local role analyst")
    relations = built.execute(
        "select format('%%I.%%I', table_schema, table_name) from information_schema.tables "
        "where table_schema = any(%s)",
        (list(READABLE),),
    ).fetchall()
    assert len(relations) > 40
    for (relation,) in relations:
        built.execute(f"select * from {relation} limit 0")


@pytest.mark.parametrize(
    "relation",
    ["raw_pterodactyl.users", "raw_minecraft.events", "ops.loads", "intermediate.int_minecraft__sessions"],
)
def test_an_analyst_does_not_read_what_lies_behind(built: Connection, relation: str) -> None:
    built.execute("set local role analyst")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        built.execute(f"select * from {relation} limit 0")


@pytest.mark.parametrize("statement", ["delete from marts.fct_server_daily", "create table marts.mine ()"])
def test_an_analyst_changes_nothing(built: Connection, statement: str) -> None:
    built.execute("set local role analyst")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        built.execute(statement)
