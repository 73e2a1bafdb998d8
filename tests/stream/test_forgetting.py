"""Players who are to be forgotten, in the lake."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pteroassets.landing.opt_outs import NOBODY, OptOut, OptOuts, token_hash
from pteroassets.stream.broker import Broker
from pteroassets.stream.forgetting import HELD, hold_to_list
from pteroassets.stream.lake import Lake, offsets_of
from pteroassets.stream.loading import Loader
from pteroassets.stream.upkeep import keep_up
from pteroassets.stream.writing import Pace, Writer
from pteroassets.warehouse.connection import Connection
from tests.stream.made import in_the_lake, lake_below, numbered, poison, produce

pytestmark = pytest.mark.postgres

KEY = b"of the tests"
ACCOUNT = "8f7f6f3c-0000-4000-8000-0000000000aa"
PSEUDONYMS = {"Nora_7": "_aBcD1", ACCOUNT: "11111111-2222-4333-8444-555555555555"}


def listed(**pseudonyms: str) -> OptOuts:
    rows = {**PSEUDONYMS, **pseudonyms}.items()
    return OptOuts([OptOut(token_hash=token_hash(one, KEY), server_uuid=None, pseudonym=two) for one, two in rows], KEY)


def write(topics: Broker, lake: Lake, *events: dict[str, Any]) -> None:
    produce(topics, events)
    Writer(topics, lake, pace=Pace(messages=15, seconds=0.2)).run(until_idle=True)


def of_nora(number: int) -> dict[str, Any]:
    said = {"said to Nora_7": "by Norah_7"}
    properties = numbered(number)["properties"] | {"note": said}
    return numbered(number, player_id="Nora_7", minecraft_uuid=ACCOUNT, properties=properties)


def rows_of(lake: Lake, name: Any = "events") -> list[dict[str, Any]]:
    catalogue = lake.catalogue()
    found: list[dict[str, Any]] = lake.table(name, catalogue).scan().to_arrow().to_pylist()
    catalogue.engine.dispose()
    return found


def bytes_of(lake: Lake) -> bytes:
    return b"".join(one.read_bytes() for one in Path(lake.place).rglob("*") if one.is_file())


def test_files_that_name_somebody_on_the_list_get_pseudonyms_and_no_other_file_changes(
    topics: Broker, lake: Lake
) -> None:
    write(
        topics, lake, *(numbered(one) for one in range(60)), of_nora(60), numbered(61, player_id="Nora_7", type="fly")
    )
    poison(topics, b'{"player_id": "Nora_7", \xff}')
    write(topics, lake)
    before = {one["event_id"]: one for one in rows_of(lake)}
    catalogue = lake.catalogue()
    offsets = offsets_of(lake.table("events", catalogue).metadata)
    files = {task.file.file_path for task in lake.table("events", catalogue).scan().plan_files()}
    assert hold_to_list(lake, "events", listed()) == 1
    assert hold_to_list(lake, "dead_letters", listed()) == 2
    table = lake.table("events", catalogue)
    left = {task.file.file_path for task in table.scan().plan_files()}
    assert (len(files - left), len(left - files)) == (1, 1)
    assert offsets_of(table.metadata) == offsets
    after = {one["event_id"]: one for one in rows_of(lake)}
    changed = after.pop(of_nora(60)["event_id"])
    old = before.pop(of_nora(60)["event_id"])
    assert after == before
    assert changed["player_id"] == "_aBcD1"
    record = json.loads(changed["record"])
    named = json.loads(old["record"])
    assert record == named | {
        "player_id": "_aBcD1",
        "minecraft_uuid": PSEUDONYMS[ACCOUNT],
        "properties": named["properties"] | {"note": {"said to _aBcD1": "by Norah_7"}},
    }
    assert changed == old | {"player_id": "_aBcD1", "record": changed["record"]}
    assert [b"_aBcD1" in one["body"] for one in rows_of(lake, "dead_letters")] == [True, True]
    # with the older snapshots goes the name itself, from the bounds of columns too
    for name in ("events", "dead_letters"):
        keep_up(lake, name, before=datetime.now(tz=UTC) + timedelta(hours=1))
    assert b"Nora_7" not in b"".join(str(rows_of(lake, name)).encode() for name in ("events", "dead_letters"))
    assert b"Nora_7" not in bytes_of(lake)


def test_each_file_is_held_to_the_list_once_and_all_again_when_it_changed(
    topics: Broker, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pteroassets.stream import forgetting  # noqa: PLC0415 - its function is watched

    read: list[str] = []
    rows_of_files = forgetting.rows_of

    def watched(table: Any, tasks: Any) -> Any:
        read.extend(task.file.file_path for task in tasks)
        return rows_of_files(table, tasks)

    monkeypatch.setattr(forgetting, "rows_of", watched)
    write(topics, lake, *(numbered(one) for one in range(29)), numbered(29, player_id="Finn"))
    assert hold_to_list(lake, "events", NOBODY) == 0
    assert read == []
    assert hold_to_list(lake, "events", listed()) == 0
    first = Counter(read)
    assert first.total() > 2
    assert max(first.values()) == 1
    catalogue = lake.catalogue()
    metadata = lake.table("events", catalogue).metadata_location
    hold_to_list(lake, "events", listed())
    assert Counter(read) == first
    assert lake.table("events", catalogue).metadata_location == metadata, "nothing is written where nothing is new"
    write(topics, lake, of_nora(30))
    assert hold_to_list(lake, "events", listed()) == 1
    assert Counter(read).total() == first.total() + 2  # looked at, and once more while nobody writes
    read.clear()
    assert hold_to_list(lake, "events", listed(Finn="_zzz")) == 1
    assert first.keys() <= set(read)
    assert lake.table("events", catalogue).properties[HELD].startswith(listed(Finn="_zzz").digest)


def test_the_writer_and_the_loader_go_on_after_it(topics: Broker, lake: Lake, warehouse: Connection) -> None:
    write(topics, lake, *(numbered(one) for one in range(40)), of_nora(40))
    assert Loader(lake).load() == 41
    hold_to_list(lake, "events", listed())
    write(topics, lake, *(numbered(one) for one in range(41, 50)))
    assert in_the_lake(lake)[0] == Counter(numbered(one)["event_id"] for one in range(50))
    assert Loader(lake).load() == 9
    assert warehouse.execute("select count(*), count(distinct event_id) from raw_events.events").fetchone() == (50, 50)


def test_a_table_that_is_not_there_yet_is_held_too(tmp_path: Path, lake: Lake) -> None:
    assert hold_to_list(lake_below(tmp_path / "new", lake.warehouse), "events", listed()) == 0
