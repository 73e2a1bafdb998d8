"""The daily job that keeps the platform's own records from growing for ever (decision 15)."""

from datetime import timedelta

import dagster as dg
from psycopg import sql
from pydantic import Field

from pteroassets.alarms.delivery_rows import prune_deliveries, prune_messages
from pteroassets.defs.dbt_project import target_folder
from pteroassets.defs.retention import prune_assets_of_no_code, prune_builds, prune_files, prune_runs
from pteroassets.landing.context import Landing
from pteroassets.warehouse.load import table_identifier
from pteroassets.warehouse.retention import drop_events, drop_samples, prune_changes, prune_loads, prune_reads

_BUILDS_KEPT_FOR = timedelta(hours=6)


class PruneConfig(dg.Config):
    """What is old enough to be removed."""

    keep_days: int | None = Field(
        default=None,
        description="Runs, read attempts and loads older than this go; PTEROASSETS_RUN_RETENTION_DAYS if unset.",
    )


@dg.op(pool="maintenance")
def prune(context: dg.OpExecutionContext, config: PruneConfig, landing: dg.ResourceParam[Landing]) -> None:
    """Remove records of old runs, read attempts and loads, what failed builds left behind, and old samples."""
    keep_days = config.keep_days or landing.settings.pteroassets_run_retention_days
    before = landing.clock.now() - timedelta(days=keep_days)
    runs = prune_runs(context.instance, before)
    folders = prune_files(context.instance, before)
    assets = prune_assets_of_no_code(context.instance, context.repository_def.asset_graph.get_all_asset_keys(), before)
    with landing.connect() as connection:
        reads = prune_reads(connection, before)
        loads = prune_loads(connection, before)
        changes = prune_changes(connection)
        messages = prune_messages(connection, before)
        attempts = prune_deliveries(connection, landing.clock.now())
        for day in drop_events(connection, landing.clock.now(), landing.settings.pteroassets_event_retention_days):
            context.log.info("%s, which is older than PTEROASSETS_EVENT_RETENTION_DAYS", day)
        for table in (
            "raw_minecraft.log_reads",
            "ops.loads",
            "ops.incremental_builds",
            "ops.days_to_build",
            "ops.row_changes",
            "ops.changes_taken",
            "ops.outbox",
            "ops.outbox_images",
            "ops.outbox_deliveries",
        ):
            connection.execute(sql.SQL("vacuum (analyze) {}").format(table_identifier(table)))
    builds = prune_builds(target_folder(), keep=0, calm=_BUILDS_KEPT_FOR)
    context.log.info(
        "pruned %d runs, %d folders of runs, %d assets that the code does not define any more, %d read attempts, "
        "%d loads, %d changes of rows, %d messages, %d attempts to deliver some and %d folders of failed builds",
        runs,
        folders,
        assets,
        reads,
        loads,
        changes,
        messages,
        attempts,
        builds,
    )
    # last: a store that is full or away fails the run, and nothing else of it
    drop_old_samples(context, landing)


def drop_old_samples(context: dg.OpExecutionContext, landing: Landing) -> None:
    """Drop months of samples past their time, each once it is in the archive where there is one.

    Raises:
        SampleArchiveError: The archive cannot be written; the month and later ones stay.
        LogStoreError: It cannot be opened.
    """
    keep_days = landing.settings.pteroassets_sample_retention_days
    with landing.connect() as connection:
        for month in drop_samples(connection, landing.clock.now(), keep_days, landing.sample_archive):
            context.log.info(str(month))


@dg.job(description="Prune old runs, read attempts, loads and leftovers of dbt.")
def maintenance() -> None:
    """Remove old records."""
    prune()


def definitions(keep_days: int) -> dg.Definitions:
    """Return the job and its daily schedule, which removes what is older than *keep_days*."""
    schedule = dg.ScheduleDefinition(
        name="maintenance_schedule",
        job=maintenance,
        cron_schedule="23 3 * * *",  # when no other schedule runs
        default_status=dg.DefaultScheduleStatus.RUNNING,
        run_config={"ops": {"prune": {"config": {"keep_days": keep_days}}}},
    )
    return dg.Definitions(jobs=[maintenance], schedules=[schedule])
