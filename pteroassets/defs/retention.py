"""Remove what Dagster keeps of old runs: it prunes the ticks of schedules by itself, and nothing else.

``DagsterInstance.delete_run`` takes a run with its tags and its events. It leaves the executions of checks, which are
kept beside the events, the folders of what the run printed, and the snapshots of the jobs that no run has any more.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterable

# RunsFilter resolves its annotations in the caller's names, where a module called datetime would be in the way
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
from sqlalchemy import text

if TYPE_CHECKING:
    from dagster._core.storage.event_log import SqlEventLogStorage

_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_BATCH = 200
_RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BUILD_FOLDER = re.compile(r"(?:\w+-[0-9a-f]{7}-)?[0-9a-f]{7}")  # as dagster-dbt names them, with and without a context
_IN_USE = timedelta(hours=1)  # a run's folder that was touched since may be in use

# The newest event of its kind says what an asset is now: fresh, materialized, observed. Runs that are there keep all
# of their own; the rest belongs to no run (changes of freshness, what a back-fill reported) or to one that is gone.
_EVENTS = """
    delete from event_logs as old
    where old.timestamp < :before
        and not exists (select from runs where runs.run_id = old.run_id)
        and old.id not in (
            select max(id) from event_logs where asset_key is not null group by asset_key, dagster_event_type
        )
"""
_EVENT_TAGS = """
    delete from asset_event_tags as old
    where not exists (select from event_logs where event_logs.id = old.event_id)
"""
# the newest execution of a check is what the page of its asset shows, however old it is
_CHECKS = """
    delete from asset_check_executions as old
    where old.create_timestamp < :before
        and not exists (select from runs where runs.run_id = old.run_id)
        and old.id not in (
            select max(id) from asset_check_executions where execution_status <> 'PLANNED'
            group by asset_key, check_name, partition
        )
"""
_BACKFILLS = """
    delete from bulk_actions where timestamp < :before and status in ('COMPLETED', 'COMPLETED_SUCCESS',
        'COMPLETED_FAILED', 'FAILED', 'CANCELED')
"""
_BACKFILL_TAGS = """
    delete from backfill_tags as old where not exists (select from bulk_actions where key = old.backfill_id)
"""
_VACUUMED = (
    "runs", "run_tags", "event_logs", "asset_event_tags", "asset_check_executions", "snapshots", "job_ticks",
    "bulk_actions", "backfill_tags",
)  # fmt: skip


def prune_runs(instance: dg.DagsterInstance, before: datetime) -> int:
    """Delete ended runs created before *before*, with all that is kept of them in tables; return how many."""
    pruned = 0
    while records := instance.get_run_records(
        filters=dg.RunsFilter(created_before=before, statuses=_ENDED), limit=_BATCH
    ):
        for record in records:
            instance.delete_run(record.dagster_run.run_id)
        pruned += len(records)
    storage = cast("SqlEventLogStorage", instance.event_log_storage)  # of dagster.yaml, where runs lie beside it
    with storage.index_connection() as connection:
        for statement in (_EVENTS, _EVENT_TAGS, _CHECKS, _BACKFILLS, _BACKFILL_TAGS):
            given = {"before": before.replace(tzinfo=None)} if ":before" in statement else {}
            connection.execute(text(statement), given)
        _prune_snapshots(connection)
        # so that what comes next takes the place of what went, and the files do not grow
        for table in _VACUUMED:
            connection.execute(text(f"vacuum (analyze) {table}"))
    return pruned


def _prune_snapshots(connection: Any) -> None:
    """Delete the snapshots of jobs and plans that no run was made of: each version of the code brings new ones."""
    named: set[str] = set()
    for (body,) in connection.execute(text("select run_body from runs")):
        run = json.loads(body)
        named |= {run.get("pipeline_snapshot_id"), run.get("execution_plan_snapshot_id")} - {None}
    connection.execute(text("delete from snapshots where not snapshot_id = any(:named)"), {"named": list(named)})


def prune_assets_of_no_code(instance: dg.DagsterInstance, known: Iterable[dg.AssetKey], before: datetime) -> int:
    """Take out of the catalog what the code does not define any more and nobody materialized since *before*."""
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
    """Remove what runs printed that are gone, and what ticks from before *before* logged; return how many folders."""
    storage = Path(instance.storage_directory())
    folders = [
        folder
        for parent in (storage.parent, storage)
        for folder in (parent.iterdir() if parent.exists() else ())
        if _RUN_ID.fullmatch(folder.name) and _is_calm(folder, _IN_USE)
    ]
    # asked after the folders were found, which are made after their run
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
    """Remove what builds that failed or were killed left in dbt's folder *target*; return how many folders.

    The *keep* newest stay, and those that were touched within *calm*: a build may be under way in them.
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
