"""The lake's tables as assets, where there is one: each hour their small files are put together and snapshots expire.

Then the files that are new are held to the list of players who are to be forgotten.

The writer writes into them whether or not this runs.
"""

from datetime import timedelta
from typing import Literal

import dagster as dg

from pteroassets.defs.automation import DAILY
from pteroassets.landing.context import Landing
from pteroassets.settings import Settings

_TableName = Literal["events", "dead_letters"]
_TABLES: dict[_TableName, str] = {
    "events": "One row for each pushed event in the lake, copies included; kept quick by fewer files and snapshots.",
    "dead_letters": "One row for each refusal in the lake; kept quick by fewer files and snapshots.",
}


def _table(name: _TableName, description: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=["lake", name],
        group_name="raw_games",
        kinds={"iceberg", "python"},
        description=description,
        pool="maintenance",
    )
    def upkeep(context: dg.AssetExecutionContext, landing: dg.ResourceParam[Landing]) -> dg.MaterializeResult:
        """Keep one table of the lake quick, and without players who are to be forgotten."""
        from pteroassets.stream.forgetting import hold_to_list  # noqa: PLC0415 - it needs an extra
        from pteroassets.stream.lake import Lake  # noqa: PLC0415 - the same
        from pteroassets.stream.upkeep import keep_up  # noqa: PLC0415 - the same

        lake = Lake(warehouse=landing.warehouse, place=str(landing.settings.pteroassets_lake))
        before = landing.clock.now() - timedelta(hours=landing.settings.pteroassets_lake_snapshot_hours)
        done = keep_up(lake, name, before=before)
        # after what needs no key of the list
        with landing.connect() as connection:
            hidden = landing.opt_outs.of_all(connection)
        erased = hold_to_list(lake, name, hidden)
        context.log.info(
            "%s files became %s; %s snapshots expired", done.files_before, done.files_after, done.snapshots
        )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": done.rows,
                "files": done.files,
                "bytes": done.bytes,
                "files_put_together": done.files_before,
                "files_made_of_them": done.files_after,
                "snapshots_expired": done.snapshots,
                "files_deleted": done.deleted,
                "rows_with_new_pseudonyms": erased,
            }
        )

    return upkeep


KEYS = tuple(dg.AssetKey(["lake", name]) for name in _TABLES)


def definitions(settings: Settings) -> dg.Definitions:
    """Return the tables, their job and its hourly schedule where the settings name a lake."""
    if settings.pteroassets_lake is None:
        return dg.Definitions()
    job = dg.define_asset_job(
        "lake", selection=dg.AssetSelection.assets(*KEYS), description="Keep the tables of the lake quick."
    )
    schedule = dg.ScheduleDefinition(
        name="lake_schedule", job=job, cron_schedule="37 * * * *", default_status=dg.DefaultScheduleStatus.RUNNING
    )
    return dg.Definitions(
        assets=[_table(name, description) for name, description in _TABLES.items()], jobs=[job], schedules=[schedule]
    )


def freshness_policies() -> dict[dg.AssetKey, dg.FreshnessPolicy]:
    """Return how old each may get."""
    return dict.fromkeys(KEYS, DAILY)
