"""The warehouse of a platform that ran the version before is taken up as it is.

A recorded warehouse of that version is restored, migrated, given the same passes again, later passes, and a build.
"""

from __future__ import annotations

import lzma
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from psycopg import sql

from pteroassets.defs.dbt_project import DBT_PROJECT
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.migrate import upgrade
from tests.databases import copied
from tests.harness import SURROGATES
from tests.parsed import run_dbt
from tests.upgrade.world import DUMP, RECORDED_UNTIL, RecordedPlatform, recorded_world

pytestmark = pytest.mark.postgres

MOVED = {f"raw_minecraft.{table}": f"derived_minecraft.{table}" for table in ("player_sessions", "server_runs")}
"""Tables that a migration moved since, by their old names."""
MOVED_COLUMNS = {
    f"marts.dim_servers.{column}": f"marts.dim_server_software.{column}"
    for column in ("software", "game_version", "is_proxy")
}
"""Served columns that stand in another relation since, as the changelog says."""

REWORDED = {
    "no archive, whatever its name says": "not an archive, despite its name",
    "its egg 'Rust' is of another game; name a path in PTEROASSETS_LOG_PATHS if it is not": (
        "its egg 'Rust' is for another game; if not, set its path in PTEROASSETS_LOG_PATHS"
    ),
}
"""Reasons that are worded anew since; rows that were written before keep theirs."""

LEDGERS = {"raw_minecraft.event_loads"}
"""Tables of loads alone."""

LATER = [RECORDED_UNTIL + timedelta(hours=hours) for hours in (5, 9)]
SERVED = ("staging", "marts", "pterodactyl", "minecraft")
MODELS = (*SERVED, "intermediate")
AGE = "age_hours"  # a table's age at the moment of asking, which two warehouses are not asked at
STORED_IN = {
    "raw_pterodactyl.utilization_samples": ("sample_measures", "sample_answers", "sample_passes"),
}
"""Views of what was a table, and how the names begin of those that hold the rows now."""
INCREMENTAL = ("marts.fct_utilization_hourly", "intermediate.int_server_utilization_daily")

Rows = dict[str, list[tuple[Any, ...]]]


def tables_of(connection: Connection, *, of_models: bool = False) -> list[str]:
    """The raw tables and those of the ledger, or else those that models left; a view stands for what it is made of."""
    found = [
        f"{schema}.{table}"
        for schema, table in connection.execute(
            "select schemaname, tablename from pg_tables "
            "where schemaname not in ('pg_catalog', 'information_schema', 'public') order by 1, 2"
        )
        if (schema in MODELS) == of_models
    ]
    for view, stores in STORED_IN.items() if not of_models else ():
        schema = view.partition(".")[0]
        if holding := [table for table in found if table.startswith(tuple(f"{schema}.{name}" for name in stores))]:
            found = [*(table for table in found if table not in holding), view]
    return sorted(found)


def columns_of(connection: Connection, table: str) -> list[str]:
    return [
        column
        for (column,) in connection.execute(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped "
            "order by attnum",
            (table,),
        )
    ]


def rows_of(connection: Connection, table: str, columns: list[str]) -> list[tuple[Any, ...]]:
    listed = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column in columns)
    return connection.execute(
        sql.SQL("select {} from {} order by {}").format(listed, sql.Identifier(*table.split(".")), listed)
    ).fetchall()


def landed(connection: Connection) -> Rows:
    """What stands in the raw tables and views, but for when and by which load it came there, and for mere numbers."""
    views = [
        f"{schema}.{view}"
        for schema, view in connection.execute("select schemaname, viewname from pg_views order by 1, 2")
        if schema.startswith("raw_")
    ]
    return {
        table: rows_of(
            connection,
            table,
            [
                column
                for column in columns_of(connection, table)
                if not column.startswith("_") and column not in SURROGATES
            ],
        )
        for table in [*tables_of(connection), *views]
        if (not table.startswith("ops.") or table == "ops.server_timezones") and table not in LEDGERS
    }


@pytest.fixture(scope="module")
def dump() -> str:
    return lzma.decompress(DUMP.read_bytes()).decode()


@dataclass(frozen=True, kw_only=True)
class TakenUp:
    """The restored warehouse after the migrations, and what stood in it before them and after."""

    settings: ConnectionSettings
    columns: dict[str, list[str]]
    before: Rows
    after: Rows
    served: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def taken_up(migrated_template: ConnectionSettings, dump: str) -> Iterator[TakenUp]:
    # the role analyst is the server's, which the template's migrations have made
    # the name by which incremental models know themselves
    with copied(migrated_template.with_database("template0"), "recorded") as settings:
        with connect(settings) as connection:
            connection.execute(dump.encode())
        with connect(settings) as connection:
            columns = {table: columns_of(connection, table) for table in tables_of(connection)}
            before = {table: rows_of(connection, table, names) for table, names in columns.items()}
            offered = types_of_served(connection)
        upgrade(settings)
        with connect(settings) as connection:
            after = {table: rows_of(connection, MOVED.get(table, table), names) for table, names in columns.items()}
        yield TakenUp(settings=settings, columns=columns, before=before, after=after, served=offered)


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    with recorded_world() as simulation:
        yield simulation


@pytest.fixture(scope="module")
def fresh(
    simulation: Simulation, migrated_template: ConnectionSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RecordedPlatform]:
    """A platform of this version that made all the passes itself."""
    with copied(migrated_template, "without_a_past") as settings:
        platform = RecordedPlatform.on(simulation, settings, tmp_path_factory.mktemp("fresh"))
        platform.recorded_history()
        yield platform


@dataclass(frozen=True, kw_only=True)
class Again:
    """What the passes of the time of the dump did when they were made again, where they were made by either version."""

    platform: RecordedPlatform
    done: dict[str, list[tuple[int, int, int]]]
    before: Rows
    after: Rows


@pytest.fixture(scope="module")
def again(taken_up: TakenUp, fresh: RecordedPlatform, tmp_path_factory: pytest.TempPathFactory) -> Again:
    platform = RecordedPlatform.on(fresh.simulation, taken_up.settings, tmp_path_factory.mktemp("taken_up"))
    # the log store is no part of the dump, since players' addresses stand in it; the same logs have the same digests
    shutil.copytree(fresh.folder, platform.folder, dirs_exist_ok=True)
    with connect(taken_up.settings) as connection:
        before = landed(connection)
    done: dict[str, list[tuple[int, int, int]]] = {}
    for made in (platform, fresh):
        for report in made.passes(RECORDED_UNTIL):
            done.setdefault(report.table, []).append((report.rows_added, report.rows_changed, report.rows_gone))
    with connect(taken_up.settings) as connection:
        after = landed(connection)
    return Again(platform=platform, done=done, before=before, after=after)


@dataclass(frozen=True, kw_only=True)
class Later:
    platform: RecordedPlatform
    taken_up: Rows
    fresh: Rows


@pytest.fixture(scope="module")
def later(again: Again, fresh: RecordedPlatform) -> Later:
    """What both platforms landed hours later."""
    found = []
    for platform in (again.platform, fresh):
        for at in LATER:
            platform.passes(at)
        with connect(platform.settings) as connection:
            found.append(landed(connection))
    return Later(platform=again.platform, taken_up=found[0], fresh=found[1])


def test_the_recorded_warehouse_is_one_that_was_in_use(taken_up: TakenUp) -> None:
    def values(table: str, column: str) -> set[str | None]:
        position = taken_up.columns[table].index(column)
        return {row[position] for row in taken_up.before[table]}

    assert all(taken_up.before.values()), "each table has rows"
    assert {"ok", "truncated", "unreadable"} <= values("raw_minecraft.log_files", "outcome")
    assert {None, "left", "server_crashed"} <= values("raw_minecraft.player_sessions", "close_reason")
    assert values("raw_minecraft.player_sessions", "is_proxy") == {"true", "false"}
    assert "node_unreachable" in values("raw_minecraft.log_reads", "outcome")
    assert values("raw_pterodactyl.servers", "is_active") == {"true", "false"}


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES.keys())
def test_the_recorded_warehouse_holds_no_secret(dump: str, canary: str) -> None:
    assert canary not in dump


def test_the_migrations_keep_every_row(taken_up: TakenUp) -> None:
    for table, rows in taken_up.before.items():
        # the ledger names tables, and is ordered by more than their names
        assert taken_up.after[table] == [tuple(MOVED.get(value, value) for value in row) for row in rows], table


def test_the_same_passes_again_change_nothing(again: Again) -> None:
    assert len(again.done) > 10
    # nor do sessions that are derived again, as those of the one server with a log that never comes whole
    assert {counts for each in again.done.values() for counts in each} == {(0, 0, 0)}
    for table, (taken_up, own) in again.done.items():
        assert taken_up == own, table
    for table, rows in again.before.items():
        assert again.after[table] == rows, table


def test_later_passes_land_what_they_land_where_nothing_was_taken_up(again: Again, later: Later) -> None:
    assert later.taken_up.keys() == later.fresh.keys()
    for table, rows in later.fresh.items():
        assert [tuple(REWORDED.get(value, value) for value in row) for row in later.taken_up[table]] == rows, table
    # it went on
    assert {"raw_minecraft.events", "raw_minecraft.log_files", "raw_pterodactyl.utilization_samples"} <= {
        table for table, rows in later.taken_up.items() if rows != again.after[table]
    }


@dataclass(frozen=True, kw_only=True)
class Built:
    """The models that were built on those of the version before, and those that were built from nothing."""

    going_on: Rows
    from_nothing: Rows
    served: dict[str, dict[str, str]]
    kept: dict[str, float]
    analyst: dict[str, set[str]]


@pytest.fixture(scope="module")
def built(later: Later) -> Iterator[Built]:
    settings = later.platform.settings
    with copied(settings, "from_nothing") as other:
        with connect(other, autocommit=True) as connection:
            forget_models(connection)
        with connect(settings) as connection:
            written = {table: written_rows(connection, table) for table in INCREMENTAL}
        for warehouse in (settings, other):
            run_dbt(["run"], warehouse.environment())
        with connect(settings) as connection, connect(other) as from_nothing:
            yield Built(
                going_on=served(connection),
                from_nothing=served(from_nothing),
                served=types_of_served(connection),
                kept={
                    table: len(rows & written_rows(connection, table)) / len(rows) for table, rows in written.items()
                },
                analyst={"going on": readable(connection), "from nothing": readable(from_nothing)},
            )


def forget_models(connection: Connection) -> None:
    """Remove what models left, as if none had ever been built."""
    for table in tables_of(connection, of_models=True):
        connection.execute(sql.SQL("drop table {} cascade").format(sql.Identifier(*table.split("."))))
    for schema, view in connection.execute(
        "select schemaname, viewname from pg_views where schemaname = any(%s)", (list(MODELS),)
    ).fetchall():
        connection.execute(sql.SQL("drop view if exists {} cascade").format(sql.Identifier(schema, view)))
    connection.execute("truncate ops.incremental_builds")


def served(connection: Connection) -> Rows:
    relations = connection.execute(
        "select relnamespace::regnamespace::text, relname from pg_class "
        "where relkind in ('r', 'v') and relnamespace::regnamespace::text = any(%s) order by 1, 2",
        (list(SERVED),),
    ).fetchall()
    # twelve digits: the version before added doubles in the order that it met them, and those kept its last digits
    connection.execute("set extra_float_digits = -3")
    found = {
        f"{schema}.{relation}": rows_of(
            connection,
            f"{schema}.{relation}",
            [column for column in columns_of(connection, f"{schema}.{relation}") if column != AGE],
        )
        for schema, relation in relations
    }
    connection.execute("reset extra_float_digits")
    return found


def types_of_served(connection: Connection) -> dict[str, dict[str, str]]:
    """The type of each column that an analyst may ask for, by relation."""
    found: dict[str, dict[str, str]] = {}
    for relation, column, kind in connection.execute(
        "select format('%%s.%%s', table_schema, table_name), column_name, data_type from information_schema.columns "
        "where table_schema = any(%s)",
        (list(SERVED),),
    ):
        found.setdefault(relation, {})[column] = kind
    return found


def readable(connection: Connection) -> set[str]:
    """What an analyst may read."""
    return {
        name
        for (name,) in connection.execute(
            "select oid::regclass::text from pg_class where relkind in ('r', 'v') "
            "and relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema') "
            "and has_schema_privilege('analyst', relnamespace, 'usage') "
            "and has_table_privilege('analyst', oid, 'select')"
        )
    }


def written_rows(connection: Connection, table: str) -> set[tuple[str, str]]:
    """Each row of *table* with the transaction that wrote it."""
    return set(
        connection.execute(
            sql.SQL("select xmin::text, md5(made::text) from {} as made").format(sql.Identifier(*table.split(".")))
        )
    )


def test_models_built_on_those_of_the_version_before_equal_models_built_from_nothing(built: Built) -> None:
    assert len(built.from_nothing) > 40
    empty = {table for table, rows in built.from_nothing.items() if table.startswith("marts.") and not rows}
    # what the bot, the rules and games write while they run: nobody presses a button in a world of extraction alone,
    # which has no site of replays and no streamer either, where nobody tries names, and of whose four days nobody can
    # have gone over to another group of activity
    of_replays = {table for table in built.from_nothing if table.startswith("marts.fct_arma3_")}
    of_months = {"marts.fct_activity_flows"}
    of_events = {f"marts.{path.stem}" for path in DBT_PROJECT.glob("models/marts/events/*.sql")}
    written = {"marts.fct_discord_actions", "marts.fct_incidents", "marts.fct_streams"}
    of_attacks = {"marts.fct_login_bursts"}
    assert empty == written | of_events | of_replays | of_months | of_attacks
    for model, rows in built.from_nothing.items():
        assert built.going_on[model] == rows, model
    # what nothing has come for since stands as the version before wrote it
    assert all(share > 0.5 for share in built.kept.values()), built.kept


def test_an_analyst_reads_what_is_served_after_as_before(built: Built) -> None:
    assert len(built.analyst["from nothing"]) > 40
    assert built.analyst["going on"] == built.analyst["from nothing"]


def test_a_query_of_the_version_before_finds_its_tables_and_columns(taken_up: TakenUp, built: Built) -> None:
    def of_columns(served: dict[str, dict[str, str]]) -> dict[str, str]:
        return {
            f"{relation}.{column}": kind for relation, columns in served.items() for column, kind in columns.items()
        }

    before, now = of_columns(taken_up.served), of_columns(built.served)
    assert len(before) > 400
    assert {name: kind for name, kind in before.items() if now.get(MOVED_COLUMNS.get(name, name)) != kind} == {}
