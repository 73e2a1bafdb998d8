"""The role analyst reads marts, staging and the compatibility views, and nothing else."""

import psycopg
import pytest

from pteroassets.warehouse.connection import Connection

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("schema", ["marts", "staging", "pterodactyl", "minecraft"])
def test_the_analyst_reads_what_is_made_there_later(warehouse: Connection, schema: str) -> None:
    warehouse.execute(f"create table {schema}.made_by_dbt as select 1 as one")
    warehouse.execute("set role analyst")
    assert warehouse.execute(f"select one from {schema}.made_by_dbt").fetchone() == (1,)


@pytest.mark.parametrize(
    "table",
    [
        "raw_pterodactyl.servers",
        "raw_pterodactyl.users",
        "raw_minecraft.events",
        "derived_minecraft.player_sessions",
        "ops.loads",
        "intermediate.made_by_dbt",
    ],
)
def test_the_analyst_reads_nothing_else(warehouse: Connection, table: str) -> None:
    warehouse.execute("create table intermediate.made_by_dbt as select 1 as one")
    warehouse.execute("set role analyst")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        warehouse.execute(f"select * from {table}")


def test_the_analyst_writes_nothing(warehouse: Connection) -> None:
    warehouse.execute("create table marts.made_by_dbt as select 1 as one")
    warehouse.execute("set role analyst")
    for statement in ("delete from marts.made_by_dbt", "create table marts.mine (one int)", "create schema mine"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            warehouse.execute(statement)
