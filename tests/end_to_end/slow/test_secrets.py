"""No secret of the panel is found in any table, log or document of ours."""

from __future__ import annotations

import re

import pytest
from psycopg import Connection

from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.warehouse.connection import connect
from tests.harness import PII_KEY, Platform

pytestmark = [pytest.mark.postgres]


def secrets(estate: Platform) -> dict[str, str]:
    return {
        **CANARIES,
        "the application key itself": estate.simulation.application_key,
        "the client key itself": estate.simulation.client_key,
        "the key of the hashes": PII_KEY.decode(),
        "the password of Postgres": estate.settings.password,
    }


def test_no_column_of_any_table_holds_a_secret(estate: Platform) -> None:
    found = []
    names, texts = list(secrets(estate)), list(secrets(estate).values())
    with connect(estate.settings, autocommit=True) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_schema not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert len(tables) > 40
        for schema, table in tables:
            found += held_by(connection, f'"{schema}"."{table}"', names, texts)
    assert found == []


def held_by(connection: Connection, table: str, names: list[str], texts: list[str]) -> list[tuple[object, ...]]:
    """Return which of *texts* stand in any column of *table*, and in how many rows; each row is written out once."""
    return connection.execute(
        f"with written as materialized (select row::text as line from {table} as row) "
        "select %s, secret.name, count(*) from written "
        "join unnest(%s::text[], %s::text[]) as secret (name, text) on strpos(written.line, secret.text) > 0 "
        "group by secret.name order by secret.name",
        (table, names, texts),
    ).fetchall()


def test_the_search_would_find_one(estate: Platform) -> None:
    # the names of players are no secret: a search that finds nothing at all would prove nothing
    player = estate.simulation.truth.sessions(estate.clock.now())[0].player_name
    with connect(estate.settings, autocommit=True) as connection:
        found = held_by(connection, "raw_minecraft.events", ["nothing", "a player"], ["\N{SNOWMAN} nowhere", player])
    assert [row[:2] for row in found] == [("raw_minecraft.events", "a player")]


def test_no_file_that_dbt_wrote_holds_a_secret(estate: Platform) -> None:
    texts = [path.read_text(errors="replace") for path in estate.target.rglob("*") if path.is_file()]
    assert texts
    for name, secret in secrets(estate).items():
        assert not any(secret in text for text in texts), name


def test_hashed_addresses_are_equal_for_equal_addresses_and_cannot_be_guessed_without_the_key(estate: Platform) -> None:
    with connect(estate.settings, autocommit=True) as connection:
        rows = connection.execute(
            "select distinct detail ->> 'address' from raw_minecraft.events where detail ? 'address'"
        ).fetchall()
    assert rows
    assert all(re.fullmatch(r"hmac:[0-9a-f]{32}", row[0]) for row in rows)
