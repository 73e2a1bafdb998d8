"""A source of Kafka for Spark, in Python: for tests and small clusters, where its own connector is not at hand.

Its rows have the columns of Spark's own connector, so that the rest of the job does not know which one it was. Offsets
are in Spark's checkpoint. Spark imports this module on every executor.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
from confluent_kafka import Consumer, Message, TopicPartition
from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition
from pyspark.sql.streaming.datasource import ReadAllAvailable, ReadLimit, ReadMaxRows, SupportsTriggerAvailableNow

from pteroassets.stream.rows import headers_of, place_of
from pteroassets.stream.spark.arguments import OPTION

NAME: Final = "pteroassets_kafka"
SCHEMA: Final = (
    "value binary, topic string, partition int, offset long, timestamp timestamp, "
    "headers array<struct<key: string, value: binary>>"
)
_ARROW: Final = pa.schema(
    [
        ("value", pa.binary()),
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("timestamp", pa.timestamp("us", tz="UTC")),
        ("headers", pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))),
    ]
)
_AT_ONCE: Final = 10_000
_PATIENCE_SECONDS: Final = 30.0
Offsets = dict[str, dict[str, int]]


class LostMessagesError(Exception):
    """The topic no longer has what comes next."""


@dataclass
class Span(InputPartition):  # type: ignore[misc] # ships no types here
    """Messages that one task reads: those of one partition from *begin* up to and without *end*."""

    topic: str
    partition: int
    begin: int
    end: int


class KafkaSource(DataSource):  # type: ignore[misc] # ships no types here
    """The source, with the options ``subscribe`` and ``kafka.bootstrap.servers``."""

    @classmethod
    def name(cls) -> str:
        """Return by which name Spark knows it."""
        return NAME

    def schema(self) -> str:
        """Return the columns."""
        return SCHEMA

    def streamReader(self, schema: Any) -> KafkaReader:  # noqa: ARG002, N802 - Spark's name
        """Return what reads."""
        return KafkaReader(dict(self.options))


class KafkaReader(DataSourceStreamReader, SupportsTriggerAvailableNow):  # type: ignore[misc] # ships no types here
    """Reads topics in batches of no more than ``maxOffsetsPerTrigger``."""

    def __init__(self, options: dict[str, str]) -> None:
        # Spark hands options over in small letters
        self._topics = options["subscribe"].split(",")
        self._client = {name.removeprefix(OPTION): text for name, text in options.items() if name.startswith(OPTION)}
        self._most = int(options.get("maxoffsetspertrigger", "0"))
        self._target: Offsets | None = None

    def initialOffset(self) -> Offsets:  # noqa: N802 - Spark's name
        """Return where the topics begin."""
        return self._watermarks(0)

    def latestOffset(self, start: Offsets, limit: ReadLimit) -> Offsets:  # noqa: N802 - Spark's name
        """Return up to where the next batch goes."""
        ends = self._watermarks(1) if self._target is None else self._target
        if isinstance(limit, ReadAllAvailable) or not isinstance(limit, ReadMaxRows):
            return ends
        each = max(1, limit.max_rows // sum(len(parts) for parts in ends.values()))
        return {
            topic: {part: min(end, start.get(topic, {}).get(part, 0) + each) for part, end in parts.items()}
            for topic, parts in ends.items()
        }

    def getDefaultReadLimit(self) -> ReadLimit:  # noqa: N802 - Spark's name
        """Return how much a batch may have."""
        return ReadMaxRows(self._most) if self._most else ReadAllAvailable()

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802 - Spark's name
        """Note where the topics end now."""
        self._target = self._watermarks(1)

    def partitions(self, start: Offsets, end: Offsets) -> list[Span]:
        """Return a task for each partition that has something new."""
        return [
            Span(topic=topic, partition=int(part), begin=begin, end=until)
            for topic, parts in end.items()
            for part, until in parts.items()
            if (begin := start.get(topic, {}).get(part, 0)) < until
        ]

    def read(self, partition: Span) -> Iterator[pa.RecordBatch]:
        """Yield the messages of one task.

        Raises:
            LostMessagesError: The topic no longer has some of them.
            TimeoutError: They did not come.
        """
        consumer = self._consumer()
        try:
            place = TopicPartition(partition.topic, partition.partition, partition.begin)
            low, _ = consumer.get_watermark_offsets(place, timeout=_PATIENCE_SECONDS)
            if partition.begin < low:
                raise LostMessagesError(
                    f"partition {partition.partition} of the topic {partition.topic} begins with the offset {low}, and "
                    f"the checkpoint ends before {partition.begin}: {low - partition.begin} messages are gone. "
                    "Lengthen the topic's retention; a new checkpoint begins where the topic does"
                )
            consumer.assign([place])
            yield from _batches(consumer, partition)
        finally:
            consumer.close()

    def _consumer(self) -> Consumer:
        return Consumer(
            {
                "group.id": "pteroassets-spark",  # has to have one, and stores nothing in it
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                **self._client,
            }
        )

    def _watermarks(self, which: int) -> Offsets:
        consumer = self._consumer()
        try:
            found: Offsets = {}
            for topic in self._topics:
                known = consumer.list_topics(topic, timeout=_PATIENCE_SECONDS).topics[topic].partitions
                found[topic] = {
                    str(one): consumer.get_watermark_offsets(TopicPartition(topic, one), timeout=_PATIENCE_SECONDS)[
                        which
                    ]
                    for one in sorted(known)
                }
            return found
        finally:
            consumer.close()


def _batches(consumer: Consumer, span: Span) -> Iterator[pa.RecordBatch]:
    at, last = span.begin, time.monotonic()
    while at < span.end:
        messages = []
        for message in consumer.consume(min(_AT_ONCE, span.end - at), 1.0):
            *_, offset = place_of(message)
            if message.error() is None and offset < span.end:
                messages.append(message)
                at = offset + 1
            elif offset is not None and offset >= span.end:
                at = span.end  # the last ones were of a transaction that was given up
        if messages:
            last = time.monotonic()
            yield _arrow(messages)
        elif time.monotonic() - last > _PATIENCE_SECONDS:
            raise TimeoutError(f"nothing came of {span.topic}, partition {span.partition}, from offset {at} on")


def _arrow(messages: list[Message]) -> pa.RecordBatch:
    columns = (
        [one.value() for one in messages],
        [one.topic() for one in messages],
        [one.partition() for one in messages],
        [one.offset() for one in messages],
        [one.timestamp()[1] * 1_000 for one in messages],
        [[{"key": key, "value": value} for key, value in headers_of(one)] for one in messages],
    )
    arrays = [pa.array(values, field.type) for values, field in zip(columns, _ARROW, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=_ARROW)
