"""What keeps the lake quick, while the writer and the loader go on."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pteroassets.clock import ManualClock
from pteroassets.defs import stream
from pteroassets.landing.context import Landing
from pteroassets.landing.opt_outs import add
from pteroassets.settings import Settings
from pteroassets.stream.broker import Broker
from pteroassets.stream.lake import Lake, offsets_of
from pteroassets.stream.loading import Loader
from pteroassets.stream.upkeep import keep_up
from pteroassets.stream.writing import Pace, Writer
from pteroassets.warehouse.connection import Connection, connect
from tests.stream.made import in_the_lake, numbered, produce

pytestmark = pytest.mark.postgres


def write(topics: Broker, lake: Lake, *numbers: int) -> None:
    produce(topics, [numbered(one) for one in numbers])
    Writer(topics, lake, pace=Pace(messages=15, seconds=0.2)).run(until_idle=True)


def files(lake: Lake) -> set[str]:
    return {str(one) for one in Path(lake.place).rglob("*") if one.is_file() and one.suffix != ".json"}


def test_small_files_become_few_and_old_snapshots_go_with_what_only_they_name(
    topics: Broker, lake: Lake, warehouse: Connection
) -> None:
    write(topics, lake, *range(120))
    assert Loader(lake).load() == 120
    many = files(lake)
    soon = datetime.now(tz=UTC) + timedelta(hours=1)
    done = keep_up(lake, "events", before=soon)
    assert done.files_before >= 3 * 8
    assert (done.files_after, done.files, done.rows) == (3, 3, 120)
    assert done.snapshots > 8
    left = files(lake)
    assert left < many | left
    assert {one for one in left if one.endswith(".parquet")} & many == set()
    assert sum(one.endswith(".parquet") for one in left) == 3
    assert in_the_lake(lake)[0] == Counter(numbered(one)["event_id"] for one in range(120))
    # the writer goes on where it was, and the loader loads what is new alone
    write(topics, lake, *range(120, 150))
    assert in_the_lake(lake)[0] == Counter(numbered(one)["event_id"] for one in range(150))
    assert Loader(lake).load() == 30
    ((rows, different),) = warehouse.execute("select count(*), count(distinct event_id) from raw_events.events")
    assert (rows, different) == (150, 150)


def test_a_snapshot_that_is_young_is_kept_and_can_be_read(topics: Broker, lake: Lake) -> None:
    write(topics, lake, *range(150))
    catalogue = lake.catalogue()
    table = lake.table("events", catalogue)
    before = table.current_snapshot()
    assert before is not None
    offsets = offsets_of(table.metadata)
    done = keep_up(lake, "events", before=datetime.now(tz=UTC) - timedelta(hours=1))
    assert (done.snapshots, done.deleted) == (0, 0)
    table.refresh()
    assert table.current_snapshot() != before
    assert offsets_of(table.metadata) == offsets
    assert table.scan(snapshot_id=before.snapshot_id).to_arrow().num_rows == 150


def test_where_another_engine_made_the_newest_snapshot_the_offsets_are_kept(topics: Broker, lake: Lake) -> None:
    write(topics, lake, *range(60))
    catalogue = lake.catalogue()
    table = lake.table("events", catalogue)
    offsets = offsets_of(table.metadata)
    for _ in range(2):
        table.delete(f"event_id = '{numbered(1)['event_id']}'")
        table.append(table.scan(limit=1).to_arrow())
    assert keep_up(lake, "events", before=datetime.now(tz=UTC) + timedelta(hours=1)).snapshots > 1
    assert offsets_of(table.refresh().metadata) == offsets
    write(topics, lake)  # nothing is read again
    assert table.refresh().scan().to_arrow().num_rows == 61


def test_nothing_is_deleted_that_a_snapshot_names_in_any_order_of_work(topics: Broker, lake: Lake) -> None:
    chance = random.Random(3)
    numbers = iter(range(100_000))
    written: list[int] = []
    for _ in range(4):
        some = [next(numbers) for _ in range(chance.randrange(1, 50))]
        write(topics, lake, *some)
        written += some
        if chance.random() < 0.7:
            keep_up(lake, "events", before=datetime.now(tz=UTC) + timedelta(hours=chance.choice((-1, 1))), least=2)
        assert in_the_lake(lake)[0] == Counter(numbered(one)["event_id"] for one in written)
    catalogue = lake.catalogue()
    table = lake.table("events", catalogue)
    for snapshot in table.snapshots():
        table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()


def test_the_tables_are_assets_where_there_is_a_lake(
    topics: Broker, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(topics, lake, *range(90))
    produce(topics, [numbered(90, player_id="Nora_7")])
    write(topics, lake)
    key = "of the tests, and of as many bytes as one needs"
    with connect(lake.warehouse, autocommit=True) as connection:
        add(connection, {"Nora_7": "_aBcD1"}, key.encode(), server_uuid=None, at=datetime.now(tz=UTC))
    monkeypatch.setenv("PTEROASSETS_PII_KEY", key)
    monkeypatch.setenv("PTEROASSETS_LAKE", lake.place)
    for name, value in lake.warehouse.environment().items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    clock = ManualClock(datetime.now(tz=UTC) + timedelta(hours=3))
    landing = dg.Definitions(resources={"landing": Landing(settings=settings, clock=clock)})
    result = dg.Definitions.merge(stream.definitions(settings), landing).resolve_job_def("lake").execute_in_process()
    told = {
        key: one.metadata
        for key in ("events", "dead_letters")
        for one in result.asset_materializations_for_node(f"lake__{key}")
    }
    assert told["events"]["dagster/row_count"].value == 91
    assert told["events"]["rows_with_new_pseudonyms"].value == 1
    assert told["dead_letters"]["dagster/row_count"].value == 0
    assert told["events"]["snapshots_expired"].value >= 1
