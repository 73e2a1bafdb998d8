"""Log files, their events and player sessions, as assets."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from pteroassets.defs.metadata import load_metadata, table_metadata
from pteroassets.defs.minecraft_checks import CHECKS
from pteroassets.defs.raw import raw_tables
from pteroassets.defs.resources import Logs, Panel, Privacy, Time, Warehouse
from pteroassets.landing.minecraft.parsing import parse_logs
from pteroassets.landing.minecraft.sessions import derive_sessions


@dg.multi_asset(
    name="collected_logs",
    specs=[
        raw_tables()[f"raw_minecraft.{table}"].spec("minecraft", deps=[["pterodactyl", "servers"]])
        for table in ("log_files", "log_reads")
    ],
    pool="logs",
)
def collected_logs(panel: Panel, warehouse: Warehouse, logs: Logs, time: Time) -> Iterator[dg.MaterializeResult]:
    """List every server's logs and fetch what changed."""
    clock = time.clock()
    with panel.open(warehouse.settings(), clock) as client, warehouse.connect() as connection:
        report = logs.collect(client, connection, clock)
        yield dg.MaterializeResult(asset_key=["minecraft", "log_files"], metadata=load_metadata(connection, report))
        # the figures of the load are those of the files
        yield dg.MaterializeResult(
            asset_key=["minecraft", "log_reads"], metadata=table_metadata(connection, "raw_minecraft.log_reads")
        )


class ParsingConfig(dg.Config):
    """What an operator may say when parsing by hand."""

    everything: bool = Field(default=False, description="Parse every file again from its first line.")


@dg.asset(
    key=["minecraft", "events"],
    **raw_tables()["raw_minecraft.events"].definition(),
    deps=[["minecraft", "log_files"]],
    pool="logs",
)
def events(
    config: ParsingConfig, warehouse: Warehouse, logs: Logs, privacy: Privacy, time: Time
) -> dg.MaterializeResult:
    """One row for each recognised line of a log file: when, what kind, which player."""
    with warehouse.connect() as connection:
        report = parse_logs(
            connection,
            logs.store(),
            clock=time.clock(),
            zones=logs.zones(),
            redactor=privacy.redactor(),
            keep_text=logs.land_text,
            everything=config.everything,
        )
        return dg.MaterializeResult(metadata=load_metadata(connection, report))


@dg.multi_asset(
    name="derived_sessions",
    specs=[
        raw_tables()[f"derived_minecraft.{table}"].spec("minecraft", deps=[["minecraft", "events"]])
        for table in ("player_sessions", "server_runs")
    ],
    pool="logs",
)
def derived_sessions(warehouse: Warehouse, time: Time) -> Iterator[dg.MaterializeResult]:
    """Derive sessions and runs again for the servers whose events changed."""
    with warehouse.connect() as connection:
        for report in derive_sessions(connection, clock=time.clock()):
            yield dg.MaterializeResult(
                asset_key=["minecraft", report.table.partition(".")[2]], metadata=load_metadata(connection, report)
            )


defs = dg.Definitions(
    assets=[collected_logs, events, derived_sessions],
    asset_checks=CHECKS,
)
