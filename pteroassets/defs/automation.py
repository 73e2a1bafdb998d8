"""Jobs, schedules and sensors: what runs by itself, and when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import dagster as dg
from dagster_dbt import DbtCliResource, build_dbt_asset_selection

from pteroassets.defs.dbt import run_without_assets
from pteroassets.defs.minecraft import collected_logs, derived_sessions, events
from pteroassets.defs.pterodactyl import panel_entities, utilization_samples
from pteroassets.defs.resources import Logs, Panel, Privacy, Time, Warehouse
from pteroassets.landing.minecraft.parsing import parse_logs
from pteroassets.landing.minecraft.sessions import derive_sessions
from pteroassets.sources.pterodactyl.application import ENTITIES

Path = Literal["entities", "logs", "utilization"]

_LEDGER = "stg_ops__loads"  # each path writes it

# What each path reads, and the models that its data feeds. Passes follow one another in the graph of assets, since a
# pass must know the servers first; that orders them, and feeds no figure. So models are chosen in dbt's own graph.
PASSES: dict[Path, dg.AssetSelection] = {
    "entities": dg.AssetSelection.assets(panel_entities),
    "logs": dg.AssetSelection.assets(collected_logs, events, derived_sessions),
    "utilization": dg.AssetSelection.assets(utilization_samples),
}
_FED: dict[Path, str] = {
    "entities": " ".join([*(f"source:pterodactyl.{entity}+" for entity in ENTITIES), _LEDGER]),
    # zones are those of the logs' clocks; what entities date by them they feed themselves
    "logs": f"source:minecraft+ stg_ops__server_timezones int_host_timezone {_LEDGER}",
    "utilization": f"source:pterodactyl.utilization_samples+ compat_pterodactyl__last_update {_LEDGER}",
}


def paths(dbt_models: dg.AssetsDefinition) -> dict[Path, dg.AssetSelection]:
    """Return what each path builds: its passes, and those of *dbt_models* that their data feeds."""
    return {path: PASSES[path] | build_dbt_asset_selection([dbt_models], dbt_select=_FED[path]) for path in PASSES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """When a path runs, and how old what it builds may get before that is a warning, and a failure."""

    cron: str
    warn_after: timedelta
    stale_after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """The rhythm of each path, and the zone of its times."""

    rhythms: Mapping[Path, Rhythm]
    utilization_interval: timedelta
    timezone: str


def preset(name: Literal["fresh", "stiv"], timezone: str) -> Preset:
    """Return the rhythms of a preset; STIV's times are those of its own zone."""
    if name == "stiv":
        return Preset(
            rhythms={
                # a night of a clock change makes twelve hours thirteen, and a day twenty-five
                "entities": Rhythm(
                    cron="0 6,12,18 * * *",
                    warn_after=timedelta(hours=13, minutes=30),
                    stale_after=timedelta(hours=14),
                ),
                "logs": Rhythm(
                    cron="0 7 * * *",
                    warn_after=timedelta(hours=25, minutes=30),
                    stale_after=timedelta(hours=26),
                ),
                "utilization": Rhythm(
                    cron="*/30 * * * *", warn_after=timedelta(minutes=70), stale_after=timedelta(minutes=95)
                ),
            },
            utilization_interval=timedelta(minutes=30),
            timezone=timezone,
        )
    return Preset(
        rhythms={
            "entities": Rhythm(
                cron="0 * * * *", warn_after=timedelta(hours=2, minutes=15), stale_after=timedelta(hours=3)
            ),
            "logs": Rhythm(cron="*/15 * * * *", warn_after=timedelta(minutes=37), stale_after=timedelta(minutes=50)),
            "utilization": Rhythm(
                cron="*/5 * * * *", warn_after=timedelta(minutes=15), stale_after=timedelta(minutes=20)
            ),
        },
        utilization_interval=timedelta(minutes=5),
        timezone="UTC",
    )


@dg.op(pool="logs", out=dg.Out(dg.Nothing))
def reload_logs_of_day(
    context: dg.OpExecutionContext,
    panel: Panel,
    warehouse: Warehouse,
    logs: Logs,
    privacy: Privacy,
    time: Time,
) -> None:
    """Fetch the files of one date again, parse them from their first line and derive their sessions."""
    clock = time.clock()
    day = context.partition_time_window.start.date()
    with panel.open(warehouse.settings(), clock) as client, warehouse.connect() as connection:
        reports = [
            logs.collect(client, connection, clock, reload_dates={day}),
            parse_logs(
                connection,
                logs.store(),
                clock=clock,
                zones=logs.zones(),
                redactor=privacy.redactor(),
                keep_text=logs.land_text,
            ),
            *derive_sessions(connection, clock=clock),
        ]
    for report in reports:
        context.log.info(
            "%s: %d added, %d changed, %d gone", report.table, report.rows_added, report.rows_changed, report.rows_gone
        )
        context.log_event(
            dg.AssetMaterialization(
                asset_key=["minecraft", report.table.partition(".")[2]],
                metadata={"reloaded_day": day.isoformat(), "added": report.rows_added, "changed": report.rows_changed},
            )
        )


@dg.op(pool="dbt", ins={"reloaded": dg.In(dg.Nothing)})
def rebuild_what_logs_feed(dbt: DbtCliResource) -> None:
    """Build and test the models downstream of the logs."""
    run_without_assets(dbt, ["build", "--select", "source:minecraft+"])


@dg.job(
    partitions_def=dg.DailyPartitionsDefinition(start_date="2015-01-01", end_offset=1),
    description="Reload one day of logs: the partition is the date in the files' names.",
)
def reload_log_day() -> None:
    """Reload one day of logs."""
    rebuild_what_logs_feed(reload_logs_of_day())


@dg.op(pool="dbt")
def check_source_freshness(dbt: DbtCliResource) -> None:
    """Compare the ledger of loads with the freshness each source promises."""
    run_without_assets(dbt, ["source", "freshness"])


@dg.job(description="Fail when a raw table was not loaded for longer than its source promises.")
def source_freshness() -> None:
    """Check the freshness of every dbt source."""
    check_source_freshness()


def jobs(dbt_models: dg.AssetsDefinition) -> list[Any]:
    """Return every job; a run of a path holds its pass and the build of what that feeds."""
    built = paths(dbt_models)
    passes = dg.AssetSelection.assets(
        panel_entities, utilization_samples, collected_logs, events, derived_sessions, dbt_models
    )
    return [
        dg.define_asset_job(
            "entities", built["entities"], description="Read the panel's entities and rebuild what they feed."
        ),
        dg.define_asset_job(
            "utilization",
            built["utilization"],
            description="Sample what every server consumes and rebuild what that feeds.",
        ),
        dg.define_asset_job(
            "logs", built["logs"], description="Collect logs, derive sessions and rebuild what they feed."
        ),
        dg.define_asset_job("everything", passes, description="Every pass once, then every model."),
        reload_log_day,
        source_freshness,
    ]


def schedules(chosen: Preset) -> list[dg.ScheduleDefinition]:
    """Return the schedules of a preset, all of them running by default."""

    def schedule(job: str, cron: str) -> dg.ScheduleDefinition:
        return dg.ScheduleDefinition(
            name=f"{job}_schedule",
            job_name=job,
            cron_schedule=cron,
            execution_timezone=chosen.timezone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )

    return [
        schedule("entities", chosen.rhythms["entities"].cron),
        schedule("utilization", chosen.rhythms["utilization"].cron),
        schedule("logs", chosen.rhythms["logs"].cron),
        schedule("source_freshness", "40 * * * *"),
    ]


def freshness_policies(
    assets: Iterable[dg.AssetsDefinition], built: Mapping[Path, dg.AssetSelection], chosen: Preset
) -> dict[dg.AssetKey, dg.FreshnessPolicy]:
    """Return how old each asset may get: as old as the most frequent of the paths that build it allows."""
    assets = list(assets)
    policies: dict[dg.AssetKey, dg.FreshnessPolicy] = {}
    for path, rhythm in sorted(chosen.rhythms.items(), key=lambda item: item[1].stale_after, reverse=True):
        policy = dg.FreshnessPolicy.time_window(fail_window=rhythm.stale_after, warn_window=rhythm.warn_after)
        policies |= dict.fromkeys(built[path].resolve(assets), policy)
    return policies
