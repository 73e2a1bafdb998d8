"""Remove what Dagster keeps of old runs; by itself it only removes the ticks of schedules.

``DagsterInstance.delete_run`` takes a run with its tags and its events. It leaves the executions of checks, which are
kept beside the events, the folders of what the run printed, and the snapshots of jobs that no run uses any more.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterable

# RunsFilter resolves its annotations in the caller's names, where a module called datetime would be in the way
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg

from pteroassets.defs.private import prune_tables

_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_BATCH = 200
_RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BUILD_FOLDER = re.compile(r"(?:\w+-[0-9a-f]{7}-)?[0-9a-f]{7}")  # as dagster-dbt names them, with and without a context
_IN_USE = timedelta(hours=1)  # a run's folder that changed since may be in use


def prune_runs(instance: dg.DagsterInstance, before: datetime) -> int:
    """Delete ended runs created before *before* from all tables; return how many."""
    pruned = 0
    while records := instance.get_run_records(
        filters=dg.RunsFilter(created_before=before, statuses=_ENDED), limit=_BATCH
    ):
        for record in records:
            instance.delete_run(record.dagster_run.run_id)
        pruned += len(records)
    prune_tables(instance, before)
    return pruned


def prune_assets_of_no_code(instance: dg.DagsterInstance, known: Iterable[dg.AssetKey], before: datetime) -> int:
    """Remove assets that the code no longer defines and that were not materialized since *before*."""
    defined = set(known)
    gone = []
    for record in instance.get_asset_records():
        entry = record.asset_entry
        newest = entry.last_materialization_record
        if entry.asset_key not in defined and (newest is None or newest.timestamp < before.timestamp()):
            gone.append(entry.asset_key)
    if gone:
        instance.wipe_assets(gone)
    return len(gone)


def prune_files(instance: dg.DagsterInstance, before: datetime) -> int:
    """Remove the output of deleted runs and of ticks before *before*; return how many folders."""
    storage = Path(instance.storage_directory())
    folders = [
        folder
        for parent in (storage.parent, storage)
        for folder in (parent.iterdir() if parent.exists() else ())
        if _RUN_ID.fullmatch(folder.name) and _is_calm(folder, _IN_USE)
    ]
    # asked after the folders were listed, since a run exists before its folder
    known = set(instance.get_run_ids())
    gone = [folder for folder in folders if folder.name not in known]
    for folder in gone:
        shutil.rmtree(folder)
    for log in storage.parent.glob("*/*/*.err"):
        # <repository>/<schedule or sensor>/<tick>.err; those of a run lie in a folder that is named after it
        if not _RUN_ID.fullmatch(log.parts[-3]) and log.stat().st_mtime < before.timestamp():
            log.unlink()
    return len(gone)


def prune_builds(target: Path, *, keep: int, calm: timedelta) -> int:
    """Remove what failed or killed builds left in dbt's folder *target*; return how many folders.

    The *keep* newest stay, and those that changed within *calm*: a build may be running in them.
    """
    left = sorted(
        (folder for folder in target.iterdir() if folder.is_dir() and _BUILD_FOLDER.fullmatch(folder.name)),
        key=lambda folder: folder.stat().st_mtime,
        reverse=True,
    )
    gone = [folder for folder in left[keep:] if _is_calm(folder, calm)]
    for folder in gone:
        shutil.rmtree(folder)
    return len(gone)


def _is_calm(folder: Path, calm: timedelta) -> bool:
    return folder.stat().st_mtime < time.time() - calm.total_seconds()
