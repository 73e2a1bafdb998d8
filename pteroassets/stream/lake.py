"""The lake: tables of Iceberg, a partition for each day of receipt and type, whose catalogue is in Postgres.

Each snapshot that the writer commits says up to which offsets of the topics it holds all events. What else commits,
such as what makes few files of many, says again what the snapshot before it said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
from psycopg import sql
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.transforms import DayTransform, IdentityTransform
from pyiceberg.types import BinaryType, IntegerType, LongType, NestedField, StringType, TimestamptzType
from sqlalchemy import URL

from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect

TableName = Literal["events", "dead_letters"]
Offsets = dict[str, dict[int, int]]
"""The next offset to be read of each partition of each topic."""
CATALOGUE: Final = "lake"
"""Schema of the catalogue in Postgres."""
NAMESPACE: Final = "pteroassets"
OFFSETS: Final = "pteroassets.offsets"
"""Property of a snapshot."""


def _schema(*fields: tuple[str, Any, bool]) -> Schema:
    return Schema(*(NestedField(number, *field) for number, field in enumerate(fields, start=1)))


EVENTS: Final = _schema(
    ("received_at", TimestamptzType(), True),
    ("event_type", StringType(), True),
    ("game", StringType(), True),
    ("event_id", StringType(), True),
    ("version", IntegerType(), True),
    ("player_id", StringType(), True),
    ("session_id", StringType(), False),
    ("occurred_at", TimestamptzType(), True),
    ("sent_at", TimestamptzType(), False),
    ("record", StringType(), True),
    ("topic", StringType(), True),
    ("topic_partition", IntegerType(), True),
    ("topic_offset", LongType(), True),
)
DEAD_LETTERS: Final = _schema(
    ("received_at", TimestamptzType(), True),
    ("game", StringType(), False),
    ("reason", StringType(), True),
    ("detail", StringType(), True),
    ("body", BinaryType(), True),
    ("topic", StringType(), True),
    ("topic_partition", IntegerType(), True),
    ("topic_offset", LongType(), True),
)
_DAY: Final = PartitionField(source_id=1, field_id=1000, transform=DayTransform(), name="day")
_TYPE: Final = PartitionField(source_id=2, field_id=1001, transform=IdentityTransform(), name="event_type")
_TABLES: Final[Mapping[TableName, tuple[Schema, PartitionSpec]]] = {
    "events": (EVENTS, PartitionSpec(_DAY, _TYPE)),
    "dead_letters": (DEAD_LETTERS, PartitionSpec(_DAY)),
}
_PROPERTIES: Final = {
    # a commit that lost against another is not made again with the same rows: who made it reads the offsets anew
    "commit.retry.num-retries": "0",
    "commit.manifest-merge.enabled": "true",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lake:
    """Where the tables are.

    Attributes:
        warehouse: The Postgres of their catalogue.
        place: A folder or a URL.
    """

    warehouse: ConnectionSettings
    place: str

    def catalogue(self) -> SqlCatalog:
        """Open the catalogue; its tables are made where they are missing."""
        warehouse = self.warehouse
        url = URL.create(
            "postgresql+psycopg",
            username=warehouse.username,
            password=warehouse.password,
            host=warehouse.host,
            port=warehouse.port,
            database=warehouse.database,
            query={"options": f"-csearch_path={CATALOGUE}", "application_name": "pteroassets"},
        )
        place = f"file://{self.place}" if self.place.startswith("/") else self.place
        properties = {"uri": url.render_as_string(hide_password=False), "warehouse": place, "pool_pre_ping": "true"}
        with self._making() as connection:
            connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(CATALOGUE)))
            return SqlCatalog("pteroassets", **properties)

    def table(self, name: TableName, catalogue: SqlCatalog) -> Table:
        """Return a table as it is now; it is made where it is missing."""
        whole = f"{NAMESPACE}.{name}"
        try:
            return catalogue.load_table(whole)
        except NoSuchTableError:
            with self._making():
                catalogue.create_namespace_if_not_exists(NAMESPACE)
                schema, partitions = _TABLES[name]
                return catalogue.create_table_if_not_exists(
                    whole, schema, partition_spec=partitions, properties=_PROPERTIES
                )

    @contextmanager
    def _making(self) -> Iterator[Connection]:
        """Let nobody else make what is missing meanwhile: the writer and the loader may start at once."""
        with connect(self.warehouse, autocommit=True) as connection:
            # gone with the connection
            connection.execute("select pg_advisory_lock(hashtext('pteroassets'), hashtext('lake made'))")
            yield connection

    @contextmanager
    def alone(self, connection: Connection, name: TableName) -> Iterator[None]:
        """Wait until nobody else commits to a table, and let nobody do so meanwhile."""
        key = f"lake {name}"
        connection.execute("select pg_advisory_lock(hashtext('pteroassets'), hashtext(%s))", (key,))
        try:
            yield
        finally:
            connection.execute("select pg_advisory_unlock(hashtext('pteroassets'), hashtext(%s))", (key,))


def offsets_of(table: TableMetadata) -> Offsets:
    """Return the offsets up to which a table holds all events: those of its newest snapshot that says them."""
    for snapshot in _back(table):
        text = _text_of(snapshot)
        if text is not None:
            return msgspec.json.decode(text, type=Offsets)
    return {}


def snapshot_of_offsets(table: TableMetadata) -> int | None:
    """Return the newest snapshot that says offsets; None if none does."""
    return next((one.snapshot_id for one in _back(table) if _text_of(one) is not None), None)


def _back(table: TableMetadata) -> list[Snapshot]:
    """Return the newest snapshot and those made before it, of which some may be expired."""
    newest = table.current_snapshot()
    if newest is None:
        return []
    made = {one.snapshot_id: one.sequence_number or 0 for one in table.snapshots}
    before = [one for one in table.snapshots if made[one.snapshot_id] <= made[newest.snapshot_id]]
    return sorted(before, key=lambda one: made[one.snapshot_id], reverse=True)


def _text_of(snapshot: Snapshot) -> str | None:
    return None if snapshot.summary is None else snapshot.summary.additional_properties.get(OFFSETS)


def as_property(offsets: Offsets) -> dict[str, str]:
    """Return the property of a snapshot that holds all events before *offsets*."""
    return {OFFSETS: msgspec.json.encode(offsets).decode()}
