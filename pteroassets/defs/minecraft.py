"""Log files, their events and player sessions, as assets."""

import dataclasses
from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from pteroassets.defs.metadata import OWNERS, load_metadata
from pteroassets.passes.log_collection import collect_logs
from pteroassets.passes.log_parsing import parse_logs
from pteroassets.passes.player_sessions import derive_sessions
from pteroassets.resources import Logs, Panel, Privacy, Time, Warehouse

_GROUP = "minecraft"


@dg.multi_asset(
    name="collected_logs",
    specs=[
        dg.AssetSpec(
            ["minecraft", table],
            description=description,
            group_name=_GROUP,
            kinds={"python", "postgres"},
            owners=OWNERS,
            deps=[["pterodactyl", "servers"]],
            metadata={"dagster/table_name": f"raw_minecraft.{table}"},
        )
        for table, description in (
            (
                "log_files",
                "One row for each log file ever seen on a server; the log store keeps its bytes by digest.",
            ),
            (
                "log_reads",
                "One row for each attempt to list or fetch a server's logs, with its outcome.",
            ),
        )
    ],
    pool="logs",
)
def collected_logs(panel: Panel, warehouse: Warehouse, logs: Logs, time: Time) -> Iterator[dg.MaterializeResult]:
    """List every server's logs and fetch what changed."""
    clock = time.clock()
    with panel.open(warehouse.settings(), clock) as client, warehouse.connect() as connection:
        report = collect_logs(client, connection, logs.store(), clock=clock, zones=logs.zones())
        for table in ("log_files", "log_reads"):
            yield dg.MaterializeResult(
                asset_key=["minecraft", table],
                metadata=load_metadata(connection, dataclasses.replace(report, table=f"raw_minecraft.{table}")),
            )


class ParsingConfig(dg.Config):
    """What an operator may say when parsing by hand."""

    everything: bool = Field(default=False, description="Parse every file again from its first line.")


@dg.asset(
    key=["minecraft", "events"],
    group_name=_GROUP,
    kinds={"python", "postgres"},
    owners=OWNERS,
    deps=[["minecraft", "log_files"]],
    metadata={"dagster/table_name": "raw_minecraft.events"},
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
        dg.AssetSpec(
            ["minecraft", table],
            description=description,
            group_name=_GROUP,
            kinds={"python", "postgres"},
            owners=OWNERS,
            deps=[["minecraft", "events"]],
            metadata={"dagster/table_name": f"raw_minecraft.{table}"},
        )
        for table, description in (
            (
                "player_sessions",
                "One row for each session of a player on a server: how it closed and, where inferred, its bounds.",
            ),
            ("server_runs", "One row for each run of a server, from its start line to its stop, crash or next start."),
        )
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


@dg.asset_check(
    asset=["minecraft", "log_files"],
    description="The zone set for each server's log has the offset that the file listing shows.",
)
def timezone_agrees_with_listing(warehouse: Warehouse) -> dg.AssetCheckResult:
    """Warn of servers whose configured zone disagrees with the zone of the node that lists their files."""
    with warehouse.connect() as connection:
        rows = connection.execute(
            """
            select files.server_uuid::text, zones.timezone, files.listed_utc_offset_seconds,
                extract(epoch from (files.listed_modified_at at time zone zones.timezone)
                    - (files.listed_modified_at at time zone 'UTC'))::integer as set_offset
            from (
                select distinct on (server_uuid) server_uuid, listed_modified_at, listed_utc_offset_seconds
                from raw_minecraft.log_files where is_listed order by server_uuid, listed_modified_at desc
            ) as files
            inner join ops.server_timezones as zones on zones.server_uuid = files.server_uuid
            """
        ).fetchall()
    wrong = [
        {"server": server, "zone": zone, "zone_offset_seconds": ours, "listing_offset_seconds": theirs}
        for server, zone, theirs, ours in rows
        if theirs is not None and theirs != ours
    ]
    return dg.AssetCheckResult(
        passed=not wrong,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "servers_compared": len(rows),
            "disagreeing": dg.JsonMetadataValue(wrong),
            "remedy": "set the zone in PTEROASSETS_LOG_TIMEZONES or PTEROASSETS_LOG_TIMEZONE",
        },
    )


@dg.asset_check(
    asset=["minecraft", "log_files"],
    description="Every server's logs could be listed and every changed file be fetched.",
)
def every_log_was_read(warehouse: Warehouse) -> dg.AssetCheckResult:
    """Fail when the newest pass left a file unread for a reason that is not the server's own state."""
    with warehouse.connect() as connection:
        rows = connection.execute(
            """
            select outcome, count(*), min(reason) from raw_minecraft.log_reads
            where observed_at = (select max(observed_at) from raw_minecraft.log_reads)
                and outcome in ('node_unreachable', 'rate_limited', 'too_large', 'budget_spent', 'error')
            group by outcome order by outcome
            """
        ).fetchall()
    return dg.AssetCheckResult(
        passed=not rows,
        metadata={
            "unread": dg.JsonMetadataValue(
                [{"outcome": outcome, "reads": count, "for_example": reason} for outcome, count, reason in rows]
            )
        },
    )


defs = dg.Definitions(
    assets=[collected_logs, events, derived_sessions],
    asset_checks=[timezone_agrees_with_listing, every_log_was_read],
)
