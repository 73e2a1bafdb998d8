"""Forget players in the lake: pseudonyms come into the files in which they are named.

Games know nothing of the list of those who are to be forgotten, so each file is held to it as it comes, and all of them
again after the list has changed. What older snapshots name goes when they expire.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
from pyiceberg.table import FileScanTask, Table

from pteroassets.landing.erasing import without_in_json
from pteroassets.landing.opt_outs import OptOuts
from pteroassets.stream.lake import Lake, TableName
from pteroassets.stream.upkeep import replace_files, rows_of
from pteroassets.warehouse.connection import connect

HELD: Final = "pteroassets.held"
"""Property of a table: the list to which its files were held, and the sequence number up to which."""
_TEXTS: Final[dict[TableName, tuple[str, ...]]] = {
    "events": ("event_id", "player_id", "session_id"),
    "dead_letters": ("detail",),
}
_KEYS_BELOW: Final = 2
"""The keys of an event, and of its properties, are the contracts'; what lies deeper is the game's own."""


def hold_to_list(lake: Lake, name: TableName, hidden: OptOuts) -> int:
    """Put pseudonyms into the rows of a table that name somebody who is to be forgotten; return how many changed.

    It may be interrupted at any time, and then begins anew. The writer waits while a file is replaced.

    Args:
        lake: Where the table is.
        name: Of the table.
        hidden: What replaces what, on all servers.
    """
    if not hidden:
        return 0
    changed = 0
    catalogue = lake.catalogue()
    try:
        with connect(lake.warehouse, autocommit=True) as connection:
            table = lake.table(name, catalogue)
            newest = table.current_snapshot()
            number = 0 if newest is None else newest.sequence_number
            for task in _unheld(table, hidden):
                if _held(table, task, name, hidden)[1] == 0:
                    continue
                with lake.alone(connection, name):
                    table.refresh()
                    # unless it was put together with others meanwhile, and comes with those
                    if (now := _task_of(table, task)) is not None:
                        rows, count = _held(table, now, name, hidden)
                        replace_files(table, [now], rows)
                        changed += count
            held = f"{hidden.digest} {number}"
            if table.properties.get(HELD) != held:
                with lake.alone(connection, name), lake.table(name, catalogue).transaction() as transaction:
                    transaction.set_properties({HELD: held})
    finally:
        catalogue.engine.dispose()
    return changed


def _unheld(table: Table, hidden: OptOuts) -> list[FileScanTask]:
    """Return the files that came since the table was held to this very list."""
    snapshot = table.current_snapshot()
    if snapshot is None:
        return []
    digest, _, number = table.properties.get(HELD, "").partition(" ")
    since = int(number) if digest == hidden.digest else 0  # the first one is 1
    new = {
        entry.data_file.file_path
        for manifest in snapshot.manifests(table.io)
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
        if entry.sequence_number is None or entry.sequence_number > since
    }
    return [task for task in table.scan().plan_files() if task.file.file_path in new]


def _task_of(table: Table, task: FileScanTask) -> FileScanTask | None:
    return next((one for one in table.scan().plan_files() if one.file.file_path == task.file.file_path), None)


def _held(table: Table, task: FileScanTask, name: TableName, hidden: OptOuts) -> tuple[pa.Table, int]:
    """Return the rows of a file with pseudonyms, and how many rows those changed."""
    rows = rows_of(table, [task])
    different: set[int] = set()
    columns = dict.fromkeys(_TEXTS[name], hidden.text)
    if name == "events":
        columns["record"] = lambda text: without_in_json(text, hidden, _KEYS_BELOW)
    else:
        columns["body"] = hidden.content  # type: ignore[assignment] # it is bytes
    for column, without in columns.items():
        before = rows[column].to_pylist()
        after = [None if value is None else without(value) for value in before]
        found = {at for at, (old, new) in enumerate(zip(before, after, strict=True)) if old != new}
        if found:
            different |= found
            field = rows.schema.field(column)
            rows = rows.set_column(rows.schema.get_field_index(column), field, pa.array(after, type=field.type))
    return rows, len(different)
