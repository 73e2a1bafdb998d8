"""From the topics into tables by day and type, by Structured Streaming: ``python -m pteroassets.stream.spark.job``.

Messages are read by Spark's own connector, or by the source of this folder; what they are is decided by the same
functions as in the writer of one process. Each table is a query of its own with a checkpoint of its own, which makes
that each message is there once: in Parquet for who reads it by Spark, in Iceberg for everybody.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC
from typing import Any, Final

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col, to_date
from pyspark.sql.streaming import StreamingQuery

from pteroassets.stream.rows import DEAD_LETTERS, EVENTS, Row, as_arrow, row_of
from pteroassets.stream.spark.arguments import arguments_of
from pteroassets.stream.spark.source import NAME, KafkaSource

_KINDS: Final[dict[Any, str]] = {
    pa.string(): "string",
    pa.binary(): "binary",
    pa.int32(): "int",
    pa.int64(): "long",
    pa.timestamp("us", tz="UTC"): "timestamp",
}
_AT_ONCE: Final = 10_000
_COLUMNS: Final = ("value", "topic", "partition", "offset", "timestamp", "headers")
_TABLES: Final = {"events": EVENTS, "dead_letters": DEAD_LETTERS}
_PLACES: Final = {"events": ("day", "event_type"), "dead_letters": ("day",)}


def spark_schema(schema: pa.Schema) -> str:
    """Return *schema* as Spark writes it."""
    return ", ".join(f"{field.name} {_KINDS[field.type]}" for field in schema)


def rows(table: str, refused_topic: str) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return what makes rows of *table* of messages; the other table's are left out."""

    def made(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            found: list[Row] = []
            columns = (batch.column(name).to_pylist() for name in _COLUMNS)
            for value, topic, partition, offset, timestamp, headers in zip(*columns, strict=True):
                refused = [(one["key"], one["value"]) for one in headers or ()] if topic == refused_topic else None
                is_event, row = row_of(
                    value,
                    (topic, partition, offset),
                    headers=refused,
                    written_at=lambda: timestamp.astimezone(UTC),  # noqa: B023 - called at once
                )
                if is_event == (table == "events"):
                    found.append(row)
            yield from as_arrow(found, _TABLES[table]).to_batches()

    return made


def messages(spark: SparkSession, arguments: argparse.Namespace) -> DataFrame:
    """Return the messages of both topics as they come."""
    options = {"kafka.bootstrap.servers": arguments.brokers, **dict(arguments.option)}
    if arguments.source == "python":
        spark.dataSource.register(KafkaSource)
    else:
        options |= {"includeHeaders": "true", "startingOffsets": "earliest", "failOnDataLoss": "true"}
    reader = spark.readStream.format(NAME if arguments.source == "python" else "kafka")
    for name, text in options.items():
        reader = reader.option(name, text)
    both = f"{arguments.topic},{arguments.topic}.refused"
    return reader.option("subscribe", both).option("maxOffsetsPerTrigger", arguments.most).load()


def start(spark: SparkSession, arguments: argparse.Namespace, table: str) -> StreamingQuery:
    """Start the query that fills *table*."""
    found = messages(spark, arguments).select(*_COLUMNS)
    made = found.mapInArrow(rows(table, f"{arguments.topic}.refused"), spark_schema(_TABLES[table]))
    made = made.withColumn("day", to_date(col("received_at")))
    place = _PLACES[table]
    # else each task writes a file for each day and type
    writer = made.repartition(*(col(name) for name in place)).writeStream.queryName(table)
    writer = writer.option("checkpointLocation", f"{arguments.checkpoint}/{table}")
    writer = writer.trigger(availableNow=True) if arguments.once else writer.trigger(processingTime=arguments.every)
    if arguments.format == "iceberg":
        return writer.format("iceberg").toTable(f"{arguments.lake}.{table}", partitionBy=[*place])
    return writer.format("parquet").partitionBy(*place).start(f"{arguments.lake}/{table}")


def main() -> None:
    """Fill both tables until told to stop."""
    arguments = arguments_of()
    spark = (
        SparkSession.builder.appName("pteroassets-events")
        # times are instants, and days are those of UTC
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", _AT_ONCE)
        .getOrCreate()
    )
    queries = [start(spark, arguments, table) for table in _TABLES]
    for query in queries:
        query.awaitTermination()
    spark.stop()


if __name__ == "__main__":
    main()
