"""Log files, their events and player sessions, as assets."""

from collections.abc import Iterator
from datetime import date

import dagster as dg
from pydantic import Field, field_validator

from pteroassets.defs.metadata import materializations, table_metadata
from pteroassets.defs.minecraft_checks import CHECKS
from pteroassets.defs.raw import raw_tables
from pteroassets.landing.context import Landing
from pteroassets.landing.minecraft.passes import collect, derive, parse

RELOAD_JOB = "reload_log_day"
# the assets have no partitions, and the job has one for each day (decision 2)
RELOAD_OF_DAY = dg.PartitionedConfig(
    partitions_def=dg.DailyPartitionsDefinition(start_date="2015-01-01", end_offset=1),
    run_config_for_partition_key_fn=lambda day: {"ops": {"collected_logs": {"config": {"reload_dates": [day]}}}},
)


class CollectingConfig(dg.Config):
    """What an operator may say when collecting by hand."""

    reload_dates: list[str] = Field(
        default=[], description='Dates in names of files, as ["2026-03-01"]: these are fetched again, changed or not.'
    )

    @field_validator("reload_dates")
    @classmethod
    def _are_dates(cls, texts: list[str]) -> list[str]:
        for text in texts:
            try:
                date.fromisoformat(text)
            except ValueError as error:
                raise ValueError(f"{text!r} is not a date: write dates as 2026-03-01") from error
        return texts


@dg.multi_asset(
    name="collected_logs",
    specs=[
        raw_tables()[f"raw_minecraft.{table}"].spec(deps=[["pterodactyl", "servers"]])
        for table in ("log_files", "log_reads")
    ],
    pool="logs",
)
def collected_logs(
    context: dg.AssetExecutionContext, config: CollectingConfig, landing: dg.ResourceParam[Landing]
) -> Iterator[dg.MaterializeResult]:
    """List every server's logs and fetch what changed, and the files of dates that are to be reloaded."""
    # a run that was launched with a partition and without config has the date as well
    partition = {context.partition_key} if context.has_partition_key else set()
    dates = sorted({date.fromisoformat(text) for text in (*config.reload_dates, *partition)})
    if context.run.job_name == RELOAD_JOB and not dates:
        raise dg.Failure(
            "no date to reload: open the launchpad of the job, beside Materialize all, and write the dates in names of "
            'files under reload_dates, as ["2026-03-01"]',
            allow_retries=False,
        )
    context.log.info("dates to reload: %s", ", ".join(map(str, dates)) or "none")
    with landing.connect() as connection:
        yield from materializations(connection, [collect(landing, connection, reload_dates=dates)])
        # the figures of the load are those of the files
        yield dg.MaterializeResult(
            asset_key=["minecraft", "log_reads"], metadata=table_metadata(connection, "raw_minecraft.log_reads")
        )


class ParsingConfig(dg.Config):
    """What an operator may choose when parsing by hand."""

    everything: bool = Field(default=False, description="Parse every file again from its first line.")


@dg.asset(
    key=["minecraft", "events"],
    **raw_tables()["raw_minecraft.events"].definition(),
    deps=[["minecraft", "log_files"]],
    pool="logs",
)
def events(config: ParsingConfig, landing: dg.ResourceParam[Landing]) -> dg.MaterializeResult:
    """One row for each recognised line of a log file: when, what kind, which player."""
    with landing.connect() as connection:
        (result,) = materializations(connection, [parse(landing, connection, everything=config.everything)])
        return result


@dg.multi_asset(
    name="derived_sessions",
    specs=[
        raw_tables()[f"derived_minecraft.{table}"].spec(deps=[["minecraft", "events"]])
        for table in ("player_sessions", "server_runs", "name_sightings")
    ],
    pool="logs",
)
def derived_sessions(landing: dg.ResourceParam[Landing]) -> Iterator[dg.MaterializeResult]:
    """Derive sessions and runs again for the servers whose events changed."""
    with landing.connect() as connection:
        yield from materializations(connection, derive(landing, connection))


defs = dg.Definitions(
    assets=[collected_logs, events, derived_sessions],
    asset_checks=CHECKS,
)
