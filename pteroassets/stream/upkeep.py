"""What keeps the lake's tables quick: few files of many, and no snapshots that nobody goes back to.

The writer makes a file for each day and type every few seconds. PyIceberg rewrites no files by itself, and its expiry
forgets snapshots without deleting what only they name; both are done here, while the writer goes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import ArrowScan, _dataframe_to_data_files
from pyiceberg.manifest import ManifestFile
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.snapshots import Snapshot

from pteroassets.stream.lake import Lake, TableName, as_property, offsets_of, snapshot_of_offsets
from pteroassets.warehouse.connection import connect

SMALL: Final = 32 * 1024**2
"""Files of fewer bytes are put together."""
_AT_ONCE: Final = 64 * 1024**2
"""Bytes of files that are put together into one, which is some times as much in memory."""

_ORDER: Final = ("topic", "topic_partition", "topic_offset")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkept:
    """What was done to a table.

    Attributes:
        files_before: Files that were put together.
        files_after: Files that they became.
        snapshots: Snapshots that were expired.
        deleted: Files that only those named, manifests included.
        rows: Rows of the table.
        bytes: Bytes of its files.
        files: How many files it has.
    """

    files_before: int
    files_after: int
    snapshots: int
    deleted: int
    rows: int
    bytes: int
    files: int


def keep_up(lake: Lake, name: TableName, *, before: datetime, least: int = 8) -> Upkept:
    """Put small files together where a day and type has *least* of them, and expire snapshots older than *before*."""
    catalogue = lake.catalogue()
    try:
        with connect(lake.warehouse, autocommit=True) as connection:
            files_before = files_after = 0
            for place in [*_places(lake.table(name, catalogue), least)]:
                # one place at a time, so that the writer has its turn
                with lake.alone(connection, name):
                    table = lake.table(name, catalogue)
                    small = dict(_places(table, least)).get(place[0], [])
                    for tasks in _bins(small, least):
                        files_after += _put_together(table, tasks)
                        files_before += len(tasks)
            with lake.alone(connection, name):
                snapshots, unnamed = _expire(lake.table(name, catalogue), before)
            table = lake.table(name, catalogue)
            for path in unnamed:
                table.io.delete(path)
            tasks = list(table.scan().plan_files())
    finally:
        catalogue.engine.dispose()
    return Upkept(
        files_before=files_before,
        files_after=files_after,
        snapshots=snapshots,
        deleted=len(unnamed),
        rows=sum(one.file.record_count for one in tasks),
        bytes=sum(one.file.file_size_in_bytes for one in tasks),
        files=len(tasks),
    )


def _places(table: Table, least: int) -> Iterator[tuple[tuple[Any, ...], list[FileScanTask]]]:
    """Yield the partitions that have *least* small files or more, with these."""
    found: dict[tuple[Any, ...], list[FileScanTask]] = defaultdict(list)
    for task in table.scan().plan_files():
        if task.file.file_size_in_bytes < SMALL:
            found[tuple(task.file.partition[number] for number in range(len(task.file.partition)))].append(task)
    for place, tasks in found.items():
        if len(tasks) >= least:
            yield place, tasks


def _bins(tasks: Iterable[FileScanTask], least: int) -> Iterator[list[FileScanTask]]:
    """Yield files that are put together into one."""
    chosen: list[FileScanTask] = []
    for task in sorted(tasks, key=lambda one: one.file.file_path):
        chosen.append(task)
        if sum(one.file.file_size_in_bytes for one in chosen) >= _AT_ONCE:
            yield chosen
            chosen = []
    if len(chosen) >= least:
        yield chosen


def _put_together(table: Table, tasks: list[FileScanTask]) -> int:
    """Replace the files of *tasks* by as few as hold their rows; return how many."""
    table.refresh()
    return replace_files(table, tasks, rows_of(table, tasks).sort_by([(name, "ascending") for name in _ORDER]))


def rows_of(table: Table, tasks: list[FileScanTask]) -> pa.Table:
    """Return the rows of the files of *tasks*.

    Raises:
        ValueError: They are not as many as the table says.
    """
    rows = ArrowScan(table.metadata, table.io, table.schema(), AlwaysTrue()).to_table(tasks)
    if rows.num_rows != sum(task.file.record_count for task in tasks):
        raise ValueError(f"{rows.num_rows} rows were read of files with another number: nothing is replaced")
    return rows


def replace_files(table: Table, tasks: list[FileScanTask], rows: pa.Table) -> int:
    """Put *rows* in the place of the files of *tasks*, in one snapshot; return how many files they are.

    Nobody else may commit to the table meanwhile.
    """
    made = list(_dataframe_to_data_files(table.metadata, rows, table.io))
    with (
        table.transaction() as transaction,
        transaction.update_snapshot(snapshot_properties=as_property(offsets_of(table.metadata))).overwrite() as change,
    ):
        for task in tasks:
            change.delete_data_file(task.file)
        for file in made:
            change.append_data_file(file)
    return len(made)


def _expire(table: Table, before: datetime) -> tuple[int, set[str]]:
    """Forget old snapshots; return how many, and the files that only they name."""
    # another engine's snapshot may be the newest, which says nothing of offsets
    needed_snapshots = {ref.snapshot_id for ref in table.metadata.refs.values()} | {snapshot_of_offsets(table.metadata)}
    gone: list[Snapshot] = []
    kept: list[Snapshot] = []
    for one in table.metadata.snapshots:
        is_old = one.timestamp_ms < before.timestamp() * 1000 and one.snapshot_id not in needed_snapshots
        (gone if is_old else kept).append(one)
    if not gone:
        return 0, set()
    table.maintenance.expire_snapshots().by_ids([one.snapshot_id for one in gone]).commit()
    needed, remaining = _named(table, kept)
    unneeded, old = _named(table, gone)
    of_files = _files(table, (one for path, one in old.items() if path not in remaining))
    if of_files:
        of_files -= _files(table, remaining.values())
    return len(gone), (unneeded - needed) | of_files


def _named(table: Table, snapshots: Iterable[Snapshot]) -> tuple[set[str], dict[str, ManifestFile]]:
    """Return the paths of the lists of manifests and of the manifests of *snapshots*, and the manifests."""
    lists: set[str] = set()
    manifests: dict[str, ManifestFile] = {}
    for snapshot in snapshots:
        lists.add(snapshot.manifest_list)
        manifests |= {one.manifest_path: one for one in snapshot.manifests(table.io)}
    return lists | manifests.keys(), manifests


def _files(table: Table, manifests: Iterable[ManifestFile]) -> set[str]:
    return {
        entry.data_file.file_path
        for manifest in manifests
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
    }
