"""The code location: the definitions of every source, of dbt, of the pages and of the upkeep, merged whole."""

import os
from datetime import datetime
from importlib import import_module
from typing import Any

import dagster as dg

from pteroassets.clock import ManualClock, SystemClock
from pteroassets.defs import alarms, automation, dbt, docs, incidents, maintenance, outbox, pages, stream, twitch
from pteroassets.defs.raw import raw_tables
from pteroassets.landing.context import Landing
from pteroassets.landing.sources import SOURCES, rhythms
from pteroassets.settings import Settings, read_settings

# every load writes the ledger, the bot its actions, and what is told of replays is noted with its message
_WRITTEN_ELSEWHERE = ("ops.loads", "ops.incident_state", "ops.replay_notices", "raw_discord.actions")


@dg.definitions
def defs() -> dg.Definitions:
    """Return the merged definitions, made with the settings of the environment."""
    settings = read_settings()
    fixed_at = os.environ.get("PTEROASSETS_FIXED_TIME")  # for tests: time stands still there
    sources = [_source(name, settings) for name in SOURCES]
    models, shown = dbt.dbt_models(), pages.page_assets()
    described_by = docs.docs_asset(models)
    merged = dg.Definitions.merge(
        *sources,
        dg.Definitions(assets=[models, *(raw_tables()[name].spec() for name in _WRITTEN_ELSEWHERE)]),
        automation.definitions(models, [shown, described_by], settings),
        incidents.defs,
        pages.definitions(shown),
        docs.definitions(described_by),
        outbox.definitions(),
        maintenance.definitions(settings.pteroassets_run_retention_days),
        twitch.definitions(settings),
        stream.definitions(settings),
        dg.Definitions(
            sensors=[alarms.failure_sensor(secrets=settings.secrets())],
            # a step's own process costs five seconds of imports; the work is waiting and SQL
            executor=dg.in_process_executor,
            resources={
                "landing": Landing(
                    settings=settings,
                    clock=ManualClock(datetime.fromisoformat(fixed_at)) if fixed_at else SystemClock(),
                ),
                "alarms": alarms.Alarms(targets=settings.alarm_targets(), ui_url=settings.pteroassets_ui_url or ""),
            },
        ),
    )
    assets: list[Any] = [*(merged.assets or ())]
    policies = automation.freshness_policies(
        [asset for asset in assets if isinstance(asset, dg.AssetsDefinition)], models, settings, rhythms(settings)
    )
    policies |= pages.freshness_policies() | stream.freshness_policies() | {docs.KEY: automation.DAILY}
    described = dg.map_asset_specs(
        lambda spec: spec.replace_attributes(
            freshness_policy=policies.get(spec.key), owners=spec.owners or settings.owners()
        ),
        assets,
    )
    return dg.Definitions(
        assets=described,
        asset_checks=merged.asset_checks,
        jobs=merged.jobs,
        schedules=merged.schedules,
        sensors=merged.sensors,
        resources=merged.resources,
        executor=merged.executor,
        loggers=merged.loggers,
        metadata=merged.metadata,
    )


def _source(name: str, settings: Settings) -> dg.Definitions:
    """Return what a source brings; of one that no setting names its tables alone, which nothing loads."""
    if any(one.is_on(settings) for one in SOURCES[name]):
        found: dg.Definitions = import_module(f"pteroassets.defs.{name}").defs
        return found
    return dg.Definitions(assets=[raw_tables()[table].spec() for one in SOURCES[name] for table in one.tables])
