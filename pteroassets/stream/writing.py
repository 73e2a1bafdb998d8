"""The writer: from the topics into the lake, each message once, whenever it is killed.

A group of messages is committed in one snapshot a table, which also says which offsets are to be read next. Dead
letters are committed first and events second, always, so that the events' snapshot alone says where to go on; where the
writer was killed between the two, the offsets of the dead letters say which of them are there already.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
import pyarrow as pa
import sqlalchemy.exc
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException

from pteroassets.stream.broker import Broker, BrokerError, ensure_topics, unreachable
from pteroassets.stream.lake import Lake, Offsets, TableName, as_property, offsets_of
from pteroassets.stream.rows import DEAD_LETTERS, EVENTS, as_arrow, place_of, rows_of
from pteroassets.warehouse.connection import Connection, connect

_PATIENCE_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 2.0
_NEW_PARTITIONS_SECONDS: Final = 60.0
_PASSING: Final = (
    psycopg.OperationalError,
    sqlalchemy.exc.OperationalError,
    CommitFailedException,
    CommitStateUnknownException,
)
_log: Final = logging.getLogger(__name__)


class LostEventsError(BrokerError):
    """The topic no longer has, or never had, what the lake is to be continued with."""


class SecondWriterError(BrokerError):
    """Another writer is at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much is committed at once.

    Attributes:
        messages: A group has no more.
        bytes: A group that has more is complete.
        seconds: After which a group is committed, however small it is.
    """

    messages: int = 100_000
    bytes: int = 128 * 1024**2
    seconds: float = 5.0


@dataclass(slots=True, kw_only=True)
class _State:
    """How far it is.

    Attributes:
        written: The offsets that the newest snapshot of the events says.
        next: The next offset to be read of each partition.
    """

    written: Offsets
    next: Offsets


class Writer:
    """Writes what the topics have into the lake."""

    def __init__(self, broker: Broker, lake: Lake, *, pace: Pace, accept_gap: bool = False) -> None:
        self._broker = broker
        self._lake = lake
        self._pace = pace
        self._accept_gap = accept_gap
        self._ended = threading.Event()
        self.written = 0

    def end(self) -> None:
        """Commit what was read, and return from `run`."""
        self._ended.set()

    def run(self, *, until_idle: bool = False) -> int:
        """Write until `end` is called, or if *until_idle*, until all is written that was there; return how much.

        While Postgres or the lake is away, it waits and goes on from the newest snapshot.

        Raises:
            LostEventsError: The topics no longer have what comes next.
            SecondWriterError: Another writer is at work.
            BrokerError: The brokers cannot be reached at the start.
        """
        ensure_topics(self._broker)
        while True:
            try:
                with self._only_writer() as connection, self._consuming() as consumer:
                    self._write(consumer, connection, until_idle=until_idle)
            except _PASSING as error:
                _log.warning("nothing was committed, and it is tried again: %s", str(error).strip())
                if self._ended.wait(_PAUSE_SECONDS):
                    return self.written
            else:
                return self.written

    @contextmanager
    def _only_writer(self) -> Iterator[Connection]:
        with connect(self._lake.warehouse, autocommit=True) as connection:
            row = connection.execute(
                "select pg_try_advisory_lock(hashtext('pteroassets'), hashtext('lake writer'))"
            ).fetchone()
            if not row or not row[0]:
                raise SecondWriterError(
                    f"another writer writes to the lake of the database {self._lake.warehouse.database}: end it first; "
                    "one is enough"
                )
            yield connection

    @contextmanager
    def _consuming(self) -> Iterator[Consumer]:
        consumer = Consumer(
            self._broker.client(
                group_id="pteroassets-writer",  # has to have one, and stores nothing in it
                enable_auto_commit=False,
                enable_auto_offset_store=False,
                auto_offset_reset="error",
                isolation_level="read_committed",
            )
        )
        try:
            yield consumer
        finally:
            consumer.close()

    def _write(self, consumer: Consumer, connection: Connection, *, until_idle: bool) -> None:
        catalogue = self._lake.catalogue()
        try:
            written = offsets_of(self._lake.table("events", catalogue).metadata)
            state = _State(written=written, next=self._begin(consumer, written))
            ends = self._ends(consumer, state.next) if until_idle else {}
            looked_at = time.monotonic()
            while not self._ended.is_set() and not (until_idle and _has_reached(state.next, ends)):
                group = self._read(consumer, until_idle=until_idle)
                if group:
                    for message in group:
                        topic, partition, offset = place_of(message)
                        state.next[topic][partition] = offset + 1
                    self._commit(group, state, connection, catalogue)
                    self.written += len(group)
                if time.monotonic() - looked_at > _NEW_PARTITIONS_SECONDS:
                    looked_at = time.monotonic()
                    self._take_new_partitions(consumer, state.next)
        finally:
            catalogue.engine.dispose()

    def _partitions(self, consumer: Consumer) -> Iterator[tuple[str, int]]:
        for topic in self._broker.topics:
            for partition in consumer.list_topics(topic, timeout=_PATIENCE_SECONDS).topics[topic].partitions:
                yield topic, partition

    def _begin(self, consumer: Consumer, written: Offsets) -> Offsets:
        """Go on where the lake ends; return the next offset of each partition."""
        begun: Offsets = {topic: {} for topic in self._broker.topics}
        try:
            for topic, partition in self._partitions(consumer):
                begun[topic][partition] = self._first(consumer, topic, partition, written.get(topic, {}).get(partition))
        except KafkaException as error:
            raise unreachable(self._broker, error) from error
        consumer.assign([TopicPartition(topic, one, at) for topic, parts in begun.items() for one, at in parts.items()])
        return begun

    def _first(self, consumer: Consumer, topic: str, partition: int, written: int | None) -> int:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_PATIENCE_SECONDS)
        if written is None:
            return low
        if written < low:
            if not self._accept_gap:
                raise LostEventsError(
                    f"partition {partition} of the topic {topic} begins with the offset {low}, and the lake ends "
                    f"before {written}: {low - written} messages are gone, since the topic's retention is shorter than "
                    "the time that no writer ran. Lengthen the retention, and go on without them by --accept-gap"
                )
            _log.warning("%s messages of %s, partition %s, are gone", low - written, topic, partition)
            return low
        if written > high:
            raise LostEventsError(
                f"partition {partition} of the topic {topic} ends with the offset {high}, and the lake holds what was "
                f"before {written}: the topic was made anew, or its broker lost what it had acknowledged. Give "
                "PTEROASSETS_EVENT_TOPIC another name, so that no offset has two meanings"
            )
        return written

    def _take_new_partitions(self, consumer: Consumer, next_offsets: Offsets) -> None:
        try:
            new = [(topic, one) for topic, one in self._partitions(consumer) if one not in next_offsets[topic]]
        except KafkaException as error:
            _log.warning("whether there are new partitions is not known: %s", error)
            return
        for topic, one in new:
            next_offsets[topic][one] = 0
        if new:
            parts = [(topic, one, at) for topic, parts in next_offsets.items() for one, at in parts.items()]
            consumer.assign([TopicPartition(*part) for part in parts])

    @staticmethod
    def _ends(consumer: Consumer, offsets: Offsets) -> Offsets:
        return {
            topic: {
                one: consumer.get_watermark_offsets(TopicPartition(topic, one), timeout=_PATIENCE_SECONDS)[1]
                for one in parts
            }
            for topic, parts in offsets.items()
        }

    def _read(self, consumer: Consumer, *, until_idle: bool) -> list[Message]:
        """Return a group of messages, none if none came; where all is to be written that is there, without waiting."""
        group: list[Message] = []
        size = 0
        until = time.monotonic() + self._pace.seconds
        while len(group) < self._pace.messages and size < self._pace.bytes and not self._ended.is_set():
            left = until - time.monotonic()
            if left <= 0:
                break
            # short, so that a signal is soon looked at
            come = consumer.consume(min(10_000, self._pace.messages - len(group)), min(left, 0.25))
            if not come and group and until_idle:
                break
            for message in come:
                fault = message.error()
                if fault is None:
                    group.append(message)
                    size += len(message.value() or b"")
                elif fault.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):  # noqa: SLF001 - its public name
                    raise LostEventsError(
                        f"the topic {message.topic()} no longer has what comes next ({fault.str()}): its retention is "
                        "shorter than the writer is behind. Start it again, and it says how much is gone"
                    )
                else:
                    _log.warning("the broker says: %s", fault.str())
        return group

    def _commit(self, group: list[Message], state: _State, connection: Connection, catalogue: SqlCatalog) -> None:
        events, letters = rows_of(group, refused_topic=self._broker.refused_topic)

        def letters_that_are_new(there: Offsets) -> pa.Table | None:
            *_, topic, partition, offset = range(len(DEAD_LETTERS))
            new = [row for row in letters if row[offset] >= there.get(row[topic], {}).get(row[partition], 0)]
            return as_arrow(new, DEAD_LETTERS) if new else None

        def events_if_nobody_else_wrote(there: Offsets) -> pa.Table:
            if there != state.written:
                raise CommitFailedException("another writer has written meanwhile")
            return as_arrow(events, EVENTS)

        if letters:
            self._append("dead_letters", letters_that_are_new, state.next, connection, catalogue)
        self._append("events", events_if_nobody_else_wrote, state.next, connection, catalogue)
        state.written = {topic: {**parts} for topic, parts in state.next.items()}

    def _append(
        self,
        name: TableName,
        rows_after: Callable[[Offsets], pa.Table | None],
        offsets: Offsets,
        connection: Connection,
        catalogue: SqlCatalog,
    ) -> None:
        with self._lake.alone(connection, name):
            table = self._lake.table(name, catalogue)
            rows = rows_after(offsets_of(table.metadata))
            if rows is not None:
                # fails if the table is no longer what was just read
                table.append(rows, snapshot_properties=as_property(offsets))


def _has_reached(offsets: Offsets, ends: Offsets) -> bool:
    return all(offsets[topic][one] >= end for topic, parts in ends.items() for one, end in parts.items())
