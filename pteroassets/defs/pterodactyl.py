"""The panel's entities and what its servers consume, as assets."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
from pydantic import Field

from pteroassets.defs.metadata import load_metadata, materializations, table_metadata
from pteroassets.defs.pterodactyl_checks import CHECKS
from pteroassets.defs.raw import raw_tables
from pteroassets.landing.context import Landing
from pteroassets.landing.pterodactyl.estate import read_entities
from pteroassets.landing.pterodactyl.list_reads import READS
from pteroassets.landing.pterodactyl.passes import UTILIZATION_PASS
from pteroassets.landing.pterodactyl.upkeep import LISTS, read_upkeep
from pteroassets.landing.pterodactyl.utilization import read_utilization, summed
from pteroassets.landing.servers import land_timezones
from pteroassets.settings import Settings
from pteroassets.sources.pterodactyl.application import ENTITIES
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport

_ZONES = dg.AssetKey(["ops", "server_timezones"])


class EntitiesConfig(dg.Config):
    """What an operator may choose when reading the panel's lists by hand."""

    allow_shrink: bool = Field(default=False, description=Settings.model_fields["pteroassets_allow_shrink"].description)


@dg.multi_asset(
    name="panel_entities",
    specs=[
        *(raw_tables()[f"raw_pterodactyl.{entity}"].spec(skippable=True) for entity in ENTITIES),
        raw_tables()["ops.server_timezones"]
        .spec(deps=[["pterodactyl", entity] for entity in ("servers", "eggs", "nodes")], skippable=True)
        .replace_attributes(group_name="raw_pterodactyl"),
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "read_completely",
            asset=["pterodactyl", entity],
            description="Every page of every list was read, and as many records came as the panel said there were.",
        )
        for entity in ENTITIES
    ],
    can_subset=True,
    pool="entities",
)
def panel_entities(
    context: dg.AssetExecutionContext, config: EntitiesConfig, landing: dg.ResourceParam[Landing]
) -> Iterator[dg.MaterializeResult]:
    """Read the panel's lists once and land a version for each record that changed, and the zone of each server."""
    chosen = tuple(entity for entity in ENTITIES if dg.AssetKey(["pterodactyl", entity]) in context.selected_asset_keys)
    with landing.connect() as connection:
        for entity, report in read_entities(landing, connection, entities=chosen, allow_shrink=config.allow_shrink):
            key = dg.AssetKey(["pterodactyl", entity])
            yield _with_check(connection, key, report)
        if _ZONES in context.selected_asset_keys:
            # written with the servers too, since logs are read by them; an egg or a node may be newer
            changed = land_timezones(connection, landing.zones)
            yield dg.MaterializeResult(
                asset_key=_ZONES,
                metadata={**table_metadata(connection, "ops.server_timezones"), "changed_since_servers": changed},
            )


def _with_check(connection: Connection, key: dg.AssetKey, report: LoadReport) -> dg.MaterializeResult:
    return dg.MaterializeResult(
        asset_key=key,
        metadata=load_metadata(connection, report),
        check_results=[
            dg.AssetCheckResult(
                asset_key=key,
                check_name="read_completely",
                passed=report.is_complete,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={
                    "rows_read": report.rows_read,
                    "rows_expected": report.rows_expected,
                    "unread": dg.JsonMetadataValue([dict(problem) for problem in report.problems]),
                },
            )
        ],
    )


@dg.multi_asset(
    name="panel_upkeep",
    specs=[
        raw_tables()[f"raw_pterodactyl.{table}"].spec(deps=[["pterodactyl", "servers"]], skippable=True)
        for table in (*LISTS, "list_reads")
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "read_completely",
            asset=["pterodactyl", entity],
            description="The list of every server that the panel answers for was read to its end.",
        )
        for entity in LISTS
    ],
    can_subset=True,
    pool="upkeep",
)
def panel_upkeep(
    context: dg.AssetExecutionContext, config: EntitiesConfig, landing: dg.ResourceParam[Landing]
) -> Iterator[dg.MaterializeResult]:
    """Read the backups, schedules and activity of each server, and note of which server a list could not be read."""
    chosen = [entity for entity in LISTS if dg.AssetKey(["pterodactyl", entity]) in context.selected_asset_keys]
    with landing.connect() as connection:
        for report in read_upkeep(landing, connection, lists=chosen, allow_shrink=config.allow_shrink):
            key = raw_tables()[report.table].key
            if report.table != READS:
                yield _with_check(connection, key, report)
            elif key in context.selected_asset_keys:
                yield dg.MaterializeResult(asset_key=key, metadata=load_metadata(connection, report))


@dg.asset(
    key=["pterodactyl", "utilization_samples"],
    **raw_tables()["raw_pterodactyl.utilization_samples"].definition(),
    deps=[["pterodactyl", "servers"]],
    pool="utilization",
)
def utilization_samples(landing: dg.ResourceParam[Landing]) -> dg.MaterializeResult:
    """One row for each server and sampling pass: outcome, state, CPU, memory, disk, network counters and uptime."""
    interval: timedelta = UTILIZATION_PASS.rhythms[landing.settings.pteroassets_schedules].every
    with landing.connect() as connection:
        (result,) = materializations(connection, [summed([*read_utilization(landing, connection, interval)])])
        return result


defs = dg.Definitions(assets=[panel_entities, panel_upkeep, utilization_samples], asset_checks=CHECKS)
