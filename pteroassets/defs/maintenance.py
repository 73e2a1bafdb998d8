"""What keeps the platform's own data from growing for ever: open-source Dagster prunes ticks, not runs or events."""

import shutil
import time as wall_time

# RunsFilter resolves its annotations in the caller's names, where a module called datetime would be in the way
from datetime import datetime, timedelta

import dagster as dg
from pydantic import Field

from pteroassets.defs.dbt import dbt_project
from pteroassets.resources import Time, Warehouse

_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_BATCH = 200
_DBT_TARGETS_KEPT_FOR = timedelta(hours=6)


class PruneConfig(dg.Config):
    """What is old enough to go."""

    keep_days: int = Field(default=30, description="Runs and read attempts older than this are removed.")


def prune_runs(instance: dg.DagsterInstance, before: datetime) -> int:
    """Delete ended runs created before *before*, with their events; return how many."""
    pruned = 0
    while True:
        records = instance.get_run_records(filters=dg.RunsFilter(created_before=before, statuses=_ENDED), limit=_BATCH)
        if not records:
            return pruned
        for record in records:
            instance.delete_run(record.dagster_run.run_id)
        pruned += len(records)


@dg.op(pool="maintenance")
def prune(context: dg.OpExecutionContext, config: PruneConfig, warehouse: Warehouse, time: Time) -> None:
    """Remove old runs with their events, old read attempts, and what failed builds left in the target folder."""
    before = time.clock().now() - timedelta(days=config.keep_days)
    runs = prune_runs(context.instance, before)
    with warehouse.connect() as connection:
        reads = connection.execute("delete from raw_minecraft.log_reads where observed_at < %s", (before,)).rowcount
    folders = 0
    for folder in dbt_project.manifest_path.parent.glob("dbt_models-*"):
        if folder.stat().st_mtime < wall_time.time() - _DBT_TARGETS_KEPT_FOR.total_seconds():
            shutil.rmtree(folder)
            folders += 1
    context.log.info("pruned %d runs, %d read attempts and %d dbt target folders", runs, reads, folders)


@dg.job(description="Prune old runs, read attempts and dbt leftovers.")
def maintenance() -> None:
    """Prune what has had its time."""
    prune()


def maintenance_schedule(keep_days: int) -> dg.ScheduleDefinition:
    """Return the daily schedule of the pruning."""
    return dg.ScheduleDefinition(
        name="maintenance_schedule",
        job=maintenance,
        cron_schedule="20 3 * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        run_config={"ops": {"prune": {"config": {"keep_days": keep_days}}}},
    )


defs = dg.Definitions(jobs=[maintenance])
