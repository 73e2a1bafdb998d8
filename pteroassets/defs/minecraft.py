"""Log files, their events and player sessions, as assets."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from pteroassets.defs.metadata import materializations, table_metadata
from pteroassets.defs.minecraft_checks import CHECKS
from pteroassets.defs.raw import raw_tables
from pteroassets.landing.context import Landing
from pteroassets.landing.minecraft.passes import collect, derive, parse


@dg.multi_asset(
    name="collected_logs",
    specs=[
        raw_tables()[f"raw_minecraft.{table}"].spec(deps=[["pterodactyl", "servers"]])
        for table in ("log_files", "log_reads")
    ],
    pool="logs",
)
def collected_logs(landing: dg.ResourceParam[Landing]) -> Iterator[dg.MaterializeResult]:
    """List every server's logs and fetch what changed."""
    with landing.connect() as connection:
        yield from materializations(connection, [collect(landing, connection)])
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
        for table in ("player_sessions", "server_runs")
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
