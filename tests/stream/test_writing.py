"""From the topics into the lake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from pteroassets.stream.broker import Broker
from pteroassets.stream.lake import Lake, offsets_of
from pteroassets.stream.writing import LostEventsError, Pace, SecondWriterError, Writer
from pteroassets.warehouse.connection import connect
from tests.collector.serving import wait_for
from tests.stream.brokers import BrokerProcess
from tests.stream.made import in_the_lake, numbered, poison, produce

pytestmark = pytest.mark.postgres


def write(broker: Broker, lake: Lake, *, messages: int = 100_000, accept_gap: bool = False) -> int:
    pace = Pace(messages=messages, seconds=0.5)
    return Writer(broker, lake, pace=pace, accept_gap=accept_gap).run(until_idle=True)


def ids(*numbers: int) -> Counter[str]:
    return Counter(numbered(one)["event_id"] for one in numbers)


def test_the_lake_has_each_message_once_by_day_and_type(topics: Broker, lake: Lake) -> None:
    produce(topics, [numbered(one) for one in range(900)] + [numbered(1), numbered(5, type="fly")])
    poison(topics, b"{", None, b"\xff")
    assert write(topics, lake) == 905
    assert in_the_lake(lake) == (ids(*range(900), 1), Counter(not_a_record=3, unknown_type=1))
    catalogue = lake.catalogue()
    table = lake.table("events", catalogue)
    files = [Path(one.file.file_path.removeprefix("file://")) for one in table.scan().plan_files()]
    # received from a minute before midnight
    assert {(one.parent.parent.name, one.parent.name) for one in files} == {
        (f"day=2026-03-0{day}", f"event_type={kind}")
        for day in (1, 2) for kind in ("kill_enemy", "take_damage", "transaction")
    }  # fmt: skip
    (row,) = table.scan(f"event_id == '{numbered(7)['event_id']}'").to_arrow().to_pylist()
    assert (row["game"], row["player_id"], row["session_id"], row["sent_at"]) == ("arena", "p-7", None, None)
    assert '"level": 7' not in row["record"]
    assert '"damage": 3' in row["record"]
    # once more there is nothing to do, and new ones are added
    assert write(topics, lake) == 0
    produce(topics, [numbered(1_000)])
    assert write(topics, lake) == 1
    assert in_the_lake(lake)[0].total() == 902


def test_the_tables_are_made_once_though_several_begin_at_the_same_time(lake: Lake) -> None:
    begin = Barrier(6)

    def make(_number: int) -> None:
        begin.wait()
        catalogue = lake.catalogue()
        for name in ("events", "dead_letters"):
            lake.table(name, catalogue)  # type: ignore[arg-type] # one of both
        catalogue.engine.dispose()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(make, range(6))) == [None] * 6


def test_a_second_writer_is_refused(topics: Broker, lake: Lake) -> None:
    with connect(lake.warehouse, autocommit=True) as holding:
        holding.execute("select pg_advisory_lock(hashtext('pteroassets'), hashtext('lake writer'))")
        with pytest.raises(SecondWriterError, match="another writer"):
            write(topics, lake)


def test_a_writer_that_was_overtaken_commits_nothing_and_goes_on_behind_the_other(
    topics: Broker, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    produce(topics, [numbered(one) for one in range(100)])
    overtaking = [Writer(topics, lake, pace=Pace(seconds=0.5))]
    append = Writer._append

    def overtaken(self: Writer, *args: object) -> None:
        if overtaking:
            other = overtaking.pop()
            # as if the lock of the first were lost with its connection
            monkeypatch.setattr(Writer, "_only_writer", unlocked)
            assert other.run(until_idle=True) == 100
        append(self, *args)  # type: ignore[arg-type]

    @contextmanager
    def unlocked(_self: Writer) -> Iterator[object]:
        with connect(lake.warehouse, autocommit=True) as connection:
            yield connection

    monkeypatch.setattr(Writer, "_append", overtaken)
    assert write(topics, lake) == 0
    assert in_the_lake(lake)[0] == ids(*range(100))


def test_a_dead_letter_is_there_once_where_the_writer_died_before_the_events(
    topics: Broker, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    produce(topics, [numbered(one) for one in range(20)])
    poison(topics, b"{", b"}")
    append = Writer._append

    def dies(self: Writer, name: str, *args: object) -> None:
        if name == "events":
            raise KeyboardInterrupt
        append(self, name, *args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "_append", dies)
        with pytest.raises(KeyboardInterrupt):
            write(topics, lake)
    assert in_the_lake(lake) == (Counter(), Counter(not_a_record=2))
    poison(topics, b"]")
    write(topics, lake)
    assert in_the_lake(lake) == (ids(*range(20)), Counter(not_a_record=3))


def test_messages_that_the_topic_no_longer_has_are_told_and_passed_over_only_if_wished(
    topics: Broker, lake: Lake
) -> None:
    produce(topics, [numbered(one) for one in range(60)])
    write(topics, lake)
    catalogue = lake.catalogue()
    offsets = offsets_of(lake.table("events", catalogue).metadata)[topics.topic]
    partition, end = max(offsets.items(), key=lambda one: one[1])
    first = Writer._first

    class Retained:
        """A topic that has only what comes three messages after the lake's end."""

        def get_watermark_offsets(self, *_args: object, **_options: object) -> tuple[int, int]:
            return end + 3, end + 9

    words = f"partition {partition} of the topic {topics.topic} begins with the offset {end + 3}.*3 messages are gone"
    writer = Writer(topics, lake, pace=Pace())
    with pytest.raises(LostEventsError, match=words):
        first(writer, Retained(), topics.topic, partition, end)  # type: ignore[arg-type]
    writer = Writer(topics, lake, pace=Pace(), accept_gap=True)
    assert first(writer, Retained(), topics.topic, partition, end) == end + 3  # type: ignore[arg-type]


def test_a_topic_that_was_made_anew_is_told(broker: BrokerProcess, topics: Broker, lake: Lake) -> None:
    produce(topics, [numbered(one) for one in range(60)])
    write(topics, lake)
    from confluent_kafka.admin import AdminClient  # noqa: PLC0415

    admin = AdminClient(topics.client())
    for made in admin.delete_topics([*topics.topics]).values():
        made.result(10)
    wait_for(lambda: set(topics.topics).isdisjoint(admin.list_topics(timeout=10).topics))
    with pytest.raises(LostEventsError, match="made anew"):
        write(topics, lake)
    assert write(replace(topics, topic=broker.topic().topic), lake) == 0
