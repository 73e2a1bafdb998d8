#!/bin/sh
# pyiceberg 0.12.0: expiring snapshots deletes no file, and leaves a snapshot whose parent is gone.
#
# Seen: after `table.maintenance.expire_snapshots().by_ids(...).commit()` the lists of manifests, manifests and data files
# that only the expired snapshots named are still there, whereas Iceberg's own expireSnapshots of Java deletes them:
# a folder grows for ever. And who follows `parent_snapshot_id` to find what an earlier snapshot said ends at one that
# was expired, though older ones are kept.
# Exits 0 while pyiceberg does so, and 1 when it no longer does.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pyiceberg[pyarrow,sql-sqlite]==0.12.0"
cd "$folder"
"$folder/venv/bin/python" - "$folder" <<'P'
import sys
from pathlib import Path

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog

folder = Path(sys.argv[1])
catalog = SqlCatalog("c", uri=f"sqlite:///{folder}/c.db", warehouse=f"file://{folder}/lake")
catalog.create_namespace("n")
rows = pa.table({"a": [1, 2, 3]})
table = catalog.create_table("n.t", rows.schema)
for _ in range(3):
    table.overwrite(rows)  # the files of the one before are in no later snapshot
before = {one for one in folder.rglob("lake/**/*") if one.suffix in (".parquet", ".avro")}
newest = table.current_snapshot()
others = [one.snapshot_id for one in table.snapshots() if one.snapshot_id != newest.snapshot_id]
table.maintenance.expire_snapshots().by_ids(others).commit()
table.refresh()
after = {one for one in folder.rglob("lake/**/*") if one.suffix in (".parquet", ".avro")}
lost = table.snapshot_by_id(table.current_snapshot().parent_snapshot_id)
print(f"{len(others)} snapshots expired, {len(before)} files before and {len(after)} after; the parent is {lost}")
sys.exit(0 if after == before and len(before) > 4 and lost is None else 1)
P
