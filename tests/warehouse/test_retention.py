"""A week of passes, of which each day is pruned: every table grows as the operating guide says."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pteroassets.landing.files.rows import FileRead
from pteroassets.landing.minecraft.collection import LOGS
from pteroassets.landing.pterodactyl.estate import land_entities
from pteroassets.landing.pterodactyl.list_reads import land_list_reads
from pteroassets.landing.pterodactyl.utilization import land_samples
from pteroassets.sources.pterodactyl.application import EntityRecord, Reading
from pteroassets.sources.pterodactyl.server_lists import ListRead
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, record_load
from pteroassets.warehouse.retention import prune_changes, prune_loads, prune_reads
from pteroassets.warehouse.samples import SAMPLE_COLUMNS
from tests.aging import growth_by_guide, let_a_day_pass, rows_of

pytestmark = pytest.mark.postgres

DAYS = 7
KEEP = timedelta(days=2)
SERVERS = [uuid.UUID(int=number) for number in range(2)]
TABLES = (
    "locations", "nodes", "allocations", "nests", "eggs", "servers", "users", "subusers", "server_databases", "backups",
    "schedules",
)  # fmt: skip
TICKS = 4


def make_the_passes_of_a_tick(connection: Connection, tick: int, *, version: str = "same") -> None:
    """Land what each pass lands where one file lay unread, and nothing changed but the samples and the *version*."""
    now = datetime.now(UTC)
    pass_at = now.replace(second=0, microsecond=0) - timedelta(minutes=5 * (TICKS - tick))
    for table in TABLES:
        land_entities(
            connection,
            Reading(
                entity=table,
                observed_at=now,
                records=[EntityRecord(key="1", id=1, uuid=None, scope="", record={"version": version}, digest=version)],
                is_complete=True,
                unread_scopes={},
                rows_expected=1,
                requests=1,
                seconds=1,
                rate_limit_remaining=200,
                source="panel.example.com",
            ),
        )
    with connection.transaction():
        read = LoadReport(table="raw_pterodactyl.activity", observed_at=now, rows_read=1, rows_added=int(tick == 0))
        if tick == 0:
            connection.execute(
                "insert into raw_pterodactyl.activity (server_uuid, activity_id, occurred_at, event, record, _source, "
                "_load_id) values (%s, gen_random_uuid()::text, %s, 'server:power.start', '{}', 'panel', %s)",
                (SERVERS[0], now, read.load_id),
            )
        record_load(connection, read)
        land_list_reads(connection, "activity", [ListRead(server_uuid=SERVERS[0], outcome="ok")], read)
    sample = dict.fromkeys(SAMPLE_COLUMNS) | {
        "pass_at": pass_at, "sampled_at": now, "interval_seconds": 300, "outcome": "error", "is_suspect": False,
    }  # fmt: skip
    land_samples(connection, [list({**sample, "server_uuid": server}.values()) for server in SERVERS], observed_at=now)
    collected = LoadReport(table="raw_minecraft.log_files", observed_at=now, rows_read=2, rows_added=0)
    with connection.transaction():
        for server in SERVERS:
            LOGS.save_reads(
                connection,
                [
                    FileRead(server_uuid=server, observed_at=now, path="", outcome="ok", files_present=2,
                            bytes_present=10, bytes_read=5),
                    FileRead(server_uuid=server, observed_at=now, path="/logs/latest.log", outcome="ok"),
                    FileRead(server_uuid=server, observed_at=now, path="/logs/large.log.gz", outcome="too_large"),
                ],
                collected.load_id,
            )  # fmt: skip
        record_load(connection, collected)
    for table in (
        "raw_minecraft.events",
        "derived_minecraft.player_sessions",
        "derived_minecraft.server_runs",
        "derived_minecraft.name_sightings",
    ):
        with connection.transaction():
            record_load(
                connection,
                LoadReport(table=table, observed_at=now, rows_read=0, rows_added=0),
            )


def test_a_week_of_passes_leaves_what_the_guide_says(warehouse: Connection, tmp_path: Path) -> None:
    sizes = []
    for _ in range(DAYS):
        for tick in range(TICKS):
            make_the_passes_of_a_tick(warehouse, tick)
        let_a_day_pass(warehouse, tmp_path)
        before = datetime.now(UTC) - KEEP
        prune_reads(warehouse, before)
        prune_loads(warehouse, before)
        sizes.append(rows_of(warehouse))
    guide = growth_by_guide()
    a_day = {
        "not": 0,
        "one row for each sampling pass, and one a day": TICKS + 1,
        "one row for each sampling pass, one for each 50 servers and day, and one a day": TICKS + 2,
        "one row for each server and day": len(SERVERS),
    }
    for table, rows in sizes[-1].items():
        assert table in guide, f"the guide does not say how {table} grows"
        if guide[table] in a_day:
            assert rows - sizes[3][table] <= a_day[guide[table]] * (DAYS - 4), table
    assert {guide[name] for name in ("ops.loads", "raw_minecraft.log_reads")} <= set(a_day)


def test_pruning_takes_nothing_that_figures_freshness_or_lineage_rest_on(warehouse: Connection, tmp_path: Path) -> None:
    for day in range(4):
        for tick in range(TICKS):
            # a record that changes in the middle of each day
            make_the_passes_of_a_tick(warehouse, tick, version=f"{day + tick // 2}")
        let_a_day_pass(warehouse, tmp_path)
    questions = {
        "since when the platform watches": "select table_name, min(observed_at) from ops.loads group by 1",
        "how fresh a table is": "select table_name, max(_loaded_at), max(observed_at) from ops.loads group by 1",
        "since when a log is known": "select server_uuid, min(observed_at), max(observed_at) "
        "from raw_minecraft.log_reads where path = '' group by 1",
        "how much of a log was read on a day": "select server_uuid, observed_at::date, max(observed_at) "
        "from raw_minecraft.log_reads where path = '' group by 1, 2",
        "what lay unread at the end": "select server_uuid, path from raw_minecraft.log_reads where outcome <> 'ok' "
        "and observed_at = (select max(observed_at) from raw_minecraft.log_reads) group by 1, 2",
        "where a row came from": " union ".join(
            f"select '{table}', count(*) from {table} inner join ops.loads on load_id = _load_id"
            for table in (
                "raw_pterodactyl.servers",
                "raw_pterodactyl.utilization_samples",
                "raw_pterodactyl.activity",
                "raw_pterodactyl.list_reads",
            )
        ),
    }

    def answers() -> dict[str, list[tuple[object, ...]]]:
        return {name: sorted(warehouse.execute(query).fetchall()) for name, query in questions.items()}  # type: ignore[arg-type]

    before = answers()
    sizes = rows_of(warehouse)
    now = datetime.now(UTC) + timedelta(days=1)
    assert prune_reads(warehouse, now) > 0
    assert prune_loads(warehouse, now) > 0
    assert answers() == before
    assert prune_reads(warehouse, now) == prune_loads(warehouse, now) == 0
    left = rows_of(warehouse)
    assert left["ops.loads"] < sizes["ops.loads"] / 2


def test_a_change_waits_for_the_models_that_go_by_its_table_and_for_no_other(warehouse: Connection) -> None:
    warehouse.execute("create schema shown")
    taken = {
        "quiet": (0, ["ops.never_changes"]),
        "late": (2, ["ops.sessions"]),
        "early": (4, ["ops.sessions", "ops.runs"]),
    }
    for model, (seen, relations) in taken.items():
        warehouse.execute(f"create table shown.{model} ()")
        warehouse.execute(
            "insert into ops.changes_taken (model, seen_change, building_change, is_whole, relations) "
            "values (%s, %s, %s, false, %s)",
            (f"shown.{model}", seen, seen, relations),
        )
    relations = ["ops.sessions", "ops.runs", "ops.sessions", "ops.runs", "ops.runs"]
    for relation in relations:
        warehouse.execute("insert into ops.row_changes (relation, change, touched) values (%s, 1, '{}')", (relation,))

    # sessions wait for the late model after the change 2, runs for the early one after 4
    assert prune_changes(warehouse) == 3
    left = warehouse.execute("select change_number, relation from ops.row_changes order by 1").fetchall()
    assert left == [(3, "ops.sessions"), (5, "ops.runs")]

    # nobody knows yet by what a model of an older build goes
    warehouse.execute("update ops.changes_taken set relations = null where model = 'shown.quiet'")
    warehouse.execute("update ops.changes_taken set seen_change = 5 where model <> 'shown.quiet'")
    assert prune_changes(warehouse) == 0
    warehouse.execute("drop table shown.quiet")
    assert prune_changes(warehouse) == 2
