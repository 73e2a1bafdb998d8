"""A day passes by moving all that is there a day into the past: every time in every table, and of every file."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path

from psycopg import sql

from pteroassets.settings import CHECKOUT
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import ensure_months


def rows_of(connection: Connection) -> dict[str, int]:
    """How many rows each table has."""
    tables = connection.execute(
        "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE' "
        "and table_schema not in ('pg_catalog', 'information_schema') and table_name not like 'alembic_version%' "
        "and not (select relispartition from pg_class where oid = format('%I.%I', table_schema, table_name)::regclass)"
    ).fetchall()
    return {
        f"{schema}.{table}".removeprefix("public."): connection.execute(
            sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))
        ).fetchall()[0][0]
        for schema, table in tables
    }


def let_a_day_pass(connection: Connection, folder: Path, *, days: int = 1) -> None:
    """Move every time of every table and every file a day back, or several."""
    columns = connection.execute(
        """
        select table_schema, table_name, column_name, data_type from information_schema.columns
        inner join information_schema.tables using (table_schema, table_name)
        where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'
            and not (
                select relispartition from pg_class where oid = format('%I.%I', table_schema, table_name)::regclass
            )
            and (
            data_type like 'timestamp%' or (table_name, column_name) in (('runs', 'start_time'), ('runs', 'end_time'))
        )
        """
    ).fetchall()
    for schema, table, column, kind in columns:
        connection.execute(
            sql.SQL("update {table} set {column} = {column} - {day}").format(
                table=sql.Identifier(schema, table),
                column=sql.Identifier(column),
                day=sql.Literal(timedelta(days=days) if kind.startswith("timestamp") else days * 86400),
            )
        )
    _number_passes_anew(connection, days)
    for path in folder.rglob("*"):
        then = path.stat().st_mtime - days * 86400
        os.utime(path, (then, then))


def _number_passes_anew(connection: Connection, days: int) -> None:
    """Move samples *days* back: the number of a pass is its time."""
    if connection.execute("select to_regclass('raw_pterodactyl.sample_passes')").fetchone() == (None,):
        return  # Dagster's database
    steps = days * 86_400 // 10 * 64
    passes = connection.execute(
        "select raw_pterodactyl.pass_time(pass_number) from raw_pterodactyl.sample_passes"
    ).fetchall()
    ensure_months(connection, [at - timedelta(days=days) for (at,) in passes])
    connection.execute(
        "create temporary table aged as select pass_number - %s as pass_number, interval_seconds, sampled_from, "
        "_load_id, _loaded_at from raw_pterodactyl.sample_passes",
        (steps,),
    )
    connection.execute("truncate raw_pterodactyl.sample_passes")
    connection.execute("insert into raw_pterodactyl.sample_passes select * from aged")
    connection.execute("drop table aged")
    connection.execute("update raw_pterodactyl.sample_measures set pass_number = pass_number - %s", (steps,))


def growth_by_guide() -> dict[str, str]:
    """What the operating guide says of each store: how much it grows in a day."""
    guide = (CHECKOUT / "docs" / "operating.md").read_text()
    table = guide.partition("| Store | Holds | Grows |")[2].partition("\n\n")[0]
    return {
        store: grows.strip()
        for line in table.splitlines()[2:]
        for stores, _, grows in [line.strip("| ").split("|")]
        for store in re.findall(r"`([^`]+)`", stores)
    }
