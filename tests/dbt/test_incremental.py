"""A build that goes on from the last one leaves what a build from nothing leaves."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.load import LoadReport, record_load
from tests.parsed import run_dbt
from tests.samples import delete_samples, insert_samples

from .conftest import dbt_environment
from .world import SERVERS, land_world

pytestmark = [pytest.mark.postgres]

# The end of the world, a stretch in its middle over a midnight, and single samples: all arrive late.
HELD_BACK = f"""
    pass_at > '2026-10-26 18:00+00'
    or (server_uuid = '{SERVERS["a"]}' and pass_at between '2026-10-25 20:00+00' and '2026-10-26 01:00+00')
    or (server_uuid = '{SERVERS["c"]}' and extract(minute from pass_at) = 40 and pass_at < '2026-10-24 12:00+00')
"""

# A pass out of turn, which shortens the span before it.
OUT_OF_TURN = f"""
    insert into arriving (
        server_uuid, pass_at, sampled_at, interval_seconds, outcome, state, is_suspect, _load_id
    ) values ('{SERVERS["b"]}', '2026-10-24 23:55+00', '2026-10-24 23:55+00', 60, 'offline', 'offline', false, %s)
"""

NEW = "12121212-0000-4000-8000-000000000001"

MEANWHILE = f"""
    -- a limit changed
    update raw_pterodactyl.servers set valid_to = '2026-10-26 12:00+00' where uuid = '{SERVERS["a"]}';
    insert into raw_pterodactyl.servers (key, valid_from, id, uuid, record, digest, _source, _load_id)
    select key, valid_to, id, uuid, jsonb_set(record, '{{limits,memory}}', '512'), 'other', _source, _load_id
    from raw_pterodactyl.servers where uuid = '{SERVERS["a"]}';
    -- a zone changed, so the same samples have other days
    update ops.server_timezones set timezone = 'Asia/Tokyo' where server_uuid = '{SERVERS["c"]}';
    -- a server was gone before the build knew
    update raw_pterodactyl.servers set is_active = false, missing_since = '2026-10-26 17:02+00',
        deleted_at = '2026-10-26 17:02+00' where uuid = '{SERVERS["b"]}';
    -- sessions were derived anew, and a UUID became known
    delete from derived_minecraft.player_sessions where server_uuid = '{SERVERS["a"]}' and session_key = 'file:5';
    update derived_minecraft.player_sessions set player_uuid = '66666666-0000-4000-8000-000000000006'
    where server_uuid = '{SERVERS["b"]}' and session_key = 'file:31';
    -- a log file was read again and found to be of another day, one was read on, another lies there no more
    update raw_minecraft.log_files set log_date = '2026-10-25' where server_uuid = '{SERVERS["a"]}';
    update raw_minecraft.log_files set lines_understood = 81 where server_uuid = '{SERVERS["b"]}';
    delete from raw_minecraft.log_files where server_uuid = '{SERVERS["g"]}';
    -- folders were listed on a later day, and a new server's for the first time, of which nothing else is known
    insert into raw_minecraft.log_reads
        (server_uuid, observed_at, path, outcome, files_present, bytes_present, bytes_read, _load_id)
    select server_uuid, '2026-10-27 05:00+00', '', 'ok', 5, 1100, 1100, gen_random_uuid()
    from unnest(array['{SERVERS["e"]}', '{NEW}']::uuid[]) as listed (server_uuid);
    -- a server was made
    insert into raw_pterodactyl.servers (key, valid_from, id, uuid, record, digest, _source, _load_id)
    select '{NEW}', '2026-10-26 20:00+00', 9, '{NEW}',
        record || '{{"id": 9, "created_at": "2026-10-26T19:00:00+00:00"}}', 'new', _source, _load_id
    from raw_pterodactyl.servers where uuid = '{SERVERS["c"]}';
"""


def marts(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    tables = [name for (name,) in connection.execute("select tablename from pg_tables where schemaname = 'marts'")]
    tables.append("fct_limit_utilization_daily")  # a view of what is built by the day
    return {
        table: connection.execute(f"select * from marts.{table} as row order by row::text").fetchall()
        for table in sorted(tables)
    }


INCREMENTAL = ("marts.fct_utilization_hourly", "intermediate.int_server_utilization_daily")


def rows_as_written(connection: Connection) -> dict[str, list[Any]]:
    """Each row of the incremental models with the transaction that wrote it."""
    return {
        table: connection.execute(f"select xmin::text, md5(row::text) from {table} as row order by 2").fetchall()
        for table in INCREMENTAL
    }


def take_in(connection: Connection, load_id: uuid.UUID, rows: str) -> None:
    """Insert samples as a load of them does: its rows and its entry in the ledger, of one time, in one transaction."""
    insert_samples(connection, f"insert into arriving select (row).* from ({rows}) as arrived (row)")
    record_load(
        connection,
        LoadReport(
            load_id=load_id,
            table="raw_pterodactyl.utilization_samples",
            observed_at=datetime(2026, 10, 26, 23, 50, tzinfo=UTC),
            rows_read=1,
            rows_added=1,
        ),
    )


def held_back(connection: Connection, load_id: uuid.UUID, condition: str) -> str:
    """Return the query of those samples that were held back and that load *load_id* brings now."""
    connection.execute(
        f"update public.held_back set _load_id = '{load_id}', _loaded_at = now() where {condition}"  # type: ignore[arg-type]
    )
    return f"select held_back from public.held_back where _load_id = '{load_id}'"


def test_an_incremental_build_equals_a_full_one(
    warehouse_settings: ConnectionSettings, warehouse: Connection, dbt_target: Path
) -> None:
    environment = dbt_environment(warehouse_settings)
    land_world(warehouse)
    warehouse.execute(
        f"create table public.held_back as select * from raw_pterodactyl.utilization_samples where {HELD_BACK}"
    )
    delete_samples(warehouse, HELD_BACK)
    run_dbt(["run"], environment, target=dbt_target)
    first = marts(warehouse)
    written = rows_as_written(warehouse)

    with connect(warehouse_settings) as slow:
        # a load that begins before a build and ends after it, of whose rows the build knows nothing
        slow_load = uuid.uuid4()
        take_in(slow, slow_load, held_back(slow, slow_load, "pass_at > '2026-10-26 18:00+00'"))
        run_dbt(["run", "--select", "+fct_utilization_hourly", "+fct_server_daily"], environment, target=dbt_target)
        assert rows_as_written(warehouse) == written, "nothing was loaded since, so nothing is to be built again"
        slow.commit()

    load = uuid.uuid4()
    with warehouse.transaction():
        take_in(warehouse, load, held_back(warehouse, load, "pass_at <= '2026-10-26 18:00+00'"))
        insert_samples(warehouse, OUT_OF_TURN, (load,))
    warehouse.execute(MEANWHILE)
    run_dbt(["run"], environment, target=dbt_target)
    with connect(warehouse_settings) as connection:
        incremental = marts(connection)
        kept = {table: len(set(written[table]) & set(rows)) for table, rows in rows_as_written(connection).items()}
    assert kept["marts.fct_utilization_hourly"] > len(written["marts.fct_utilization_hourly"]) / 2

    run_dbt(["run", "--full-refresh"], environment, target=dbt_target)
    with connect(warehouse_settings) as connection:
        full = marts(connection)

    changed = (
        "dim_servers_history",
        "fct_player_sessions",
        "fct_utilization_hourly",
        "fct_server_daily",
        "fct_log_coverage",
        "fct_limit_utilization_daily",
    )
    for table in changed:
        assert first[table] != full[table], f"{table}: nothing changed meanwhile, so nothing is shown"
    assert incremental == full
