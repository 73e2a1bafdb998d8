"""Jobs and schedules, made from the passes that the sources declare."""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any, Literal

import dagster as dg
from dagster_dbt import build_dbt_asset_selection

from pteroassets.defs.backfill import backfill_job
from pteroassets.defs.dbt_run import run_without_assets
from pteroassets.defs.dbt_translator import RHYTHM
from pteroassets.defs.docs import KEY as DOCS
from pteroassets.defs.incidents import FED_BY, incidents
from pteroassets.defs.minecraft import RELOAD_JOB, RELOAD_OF_DAY
from pteroassets.defs.raw import raw_tables
from pteroassets.landing.context import Landing
from pteroassets.landing.minecraft.passes import LOGS_PASS
from pteroassets.landing.passes import Pass, Rhythm
from pteroassets.landing.sources import PASSES
from pteroassets.settings import PresetName, Settings

_LEDGER = "stg_ops__loads"  # each pass writes it
DAILY = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=50), warn_window=timedelta(hours=25))


def running(settings: Settings) -> list[Pass]:
    """Return the passes whose schedules run."""
    return [one for one in PASSES.values() if one.is_on(settings)]


def landed_by(one: Pass) -> dg.AssetSelection:
    """Return the assets of a pass's tables."""
    return dg.AssetSelection.assets(*(raw_tables()[table].key for table in one.tables))


def path_of(one: Pass, dbt_models: dg.AssetsDefinition, *, every_check: bool = False) -> dg.AssetSelection:
    """Return the tables that a pass lands, the incidents found in them, and what of *dbt_models* they feed.

    In the asset graph passes follow one another, since a pass must know the servers first; that gives their order
    but feeds no figure. So models are chosen in dbt's own graph (decision 12).

    Args:
        one: The pass.
        dbt_models: All models.
        every_check: Whether checks that have a schedule of their own are made here, too.
    """
    rare = [] if every_check else [*checks_of("hourly", dbt_models), *checks_of("daily", dbt_models)]
    judged = [incidents.key] if FED_BY & {*one.tables} else []
    chosen = landed_by(one) | dg.AssetSelection.assets(*built_by(one, dbt_models), *judged)
    return chosen - dg.AssetSelection.checks(*rare)


def built_by(one: Pass, dbt_models: dg.AssetsDefinition) -> set[dg.AssetKey]:
    """Return the models that are built after a pass.

    A view is as fresh as what it reads and is left as it is, unless it goes with a table that is replaced (decision
    20). Models of whole windows of days are built once a day (decision 32).
    """
    fed = build_dbt_asset_selection([dbt_models], dbt_select=f"{one.feeds} {_LEDGER}").resolve([dbt_models])
    fed -= _daily(dbt_models)
    return {*fed} - (_views(dbt_models) - _views_that_go(dbt_models, fed))


def checks_of(rhythm: Literal["hourly", "daily"], dbt_models: dg.AssetsDefinition) -> list[dg.AssetCheckKey]:
    """Return the checks with a schedule of their own: tests of dbt with that tag, and hourly those of views."""
    views = _views(dbt_models)
    return [
        spec.key
        for spec in dbt_models.check_specs
        if (spec.metadata or {}).get(RHYTHM, "hourly" if spec.asset_key in views else None) == rhythm
    ]


def _kind(spec: dg.AssetSpec) -> str:
    return str(spec.metadata["dagster-dbt/materialization_type"])


def _views(dbt_models: dg.AssetsDefinition) -> set[dg.AssetKey]:
    return {spec.key for spec in dbt_models.specs if _kind(spec) == "view"}


def _daily(dbt_models: dg.AssetsDefinition) -> set[dg.AssetKey]:
    return {spec.key for spec in dbt_models.specs if "daily" in spec.tags}


def _left(dbt_models: dg.AssetsDefinition, settings: Settings) -> set[dg.AssetKey]:
    """Return the tables that no pass builds, since those that would do not run: they stand, with what they have."""
    built = {key for one in running(settings) for key in built_by(one, dbt_models)}
    return {spec.key for spec in dbt_models.specs} - built - _views(dbt_models) - _daily(dbt_models)


def _views_that_go(dbt_models: dg.AssetsDefinition, built: Collection[dg.AssetKey]) -> set[dg.AssetKey]:
    """Return the views that are dropped with the tables among *built*: those that read one, or such a view."""
    specs = {spec.key: spec for spec in dbt_models.specs}
    gone = {key for key in built if _kind(specs[key]) == "table"}
    tables = set(gone)
    while more := {
        key
        for key, spec in specs.items()
        if _kind(spec) == "view" and key not in gone and any(dep.asset_key in gone for dep in spec.deps)
    }:
        gone |= more
    return gone - tables


def job_of(one: Pass, dbt_models: dg.AssetsDefinition) -> Any:
    """Return the job that runs a pass and builds what it feeds."""
    return dg.define_asset_job(one.name, path_of(one, dbt_models), description=one.description)


def schedule_of(one: Pass, preset: PresetName, timezone: str) -> dg.ScheduleDefinition:
    """Return the schedule of a pass, running by default; the preset stiv uses *timezone*.

    A run that the pass itself leaves out shows as a skipped tick with the reason.
    """
    why_not_now, every = one.why_not_now, one.rhythms[preset].every

    def due(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        landing: Landing = context.resources.landing
        assert why_not_now is not None  # noqa: S101 - else it is not evaluated
        with landing.connect() as connection:
            reason = why_not_now(landing, connection, every)
        return dg.RunRequest() if reason is None else dg.SkipReason(reason)

    return _schedule(
        f"{one.name}_schedule",
        one.name,
        one.rhythms[preset].cron,
        timezone if preset == "stiv" else "UTC",
        **({} if why_not_now is None else {"execution_fn": due, "required_resource_keys": {"landing"}}),
    )


def freshness_policies(
    assets: Iterable[dg.AssetsDefinition],
    dbt_models: dg.AssetsDefinition,
    settings: Settings,
    rhythms: Mapping[str, Rhythm],
) -> dict[dg.AssetKey, dg.FreshnessPolicy]:
    """Return how old each asset may get, by the most frequent of the *rhythms* of passes that build it."""
    assets = list(assets)
    policies: dict[dg.AssetKey, dg.FreshnessPolicy] = dict.fromkeys(
        _views(dbt_models) | _daily(dbt_models) | _left(dbt_models, settings), DAILY
    )
    for one in sorted(running(settings), key=lambda one: rhythms[one.name].stale_after, reverse=True):
        rhythm = rhythms[one.name]
        policy = dg.FreshnessPolicy.time_window(fail_window=rhythm.stale_after, warn_window=rhythm.warn_after)
        policies |= dict.fromkeys(path_of(one, dbt_models).resolve(assets), policy)
    return policies


@dg.op(pool="dbt")
def check_source_freshness(landing: dg.ResourceParam[Landing]) -> None:
    """Compare the ledger of loads with the freshness that each source promises, but for tables that nothing loads."""
    off = [
        f"source:{'.'.join(raw_tables()[table].key.path)}"
        for one in PASSES.values()
        if not one.is_on(landing.settings)
        for table in one.tables
    ]
    run_without_assets(["source", "freshness", *(["--exclude", *off] if off else [])])


@dg.job(description="Fail when a raw table was not loaded for longer than its source promises.")
def source_freshness() -> None:
    """Check the freshness of every dbt source."""
    check_source_freshness()


def definitions(
    dbt_models: dg.AssetsDefinition, shown: Collection[dg.AssetsDefinition], settings: Settings
) -> dg.Definitions:
    """Return the jobs and schedules of every pass that runs; *shown* are the pages and the docs."""
    passes = running(settings)
    everything = dg.define_asset_job(
        "everything",
        reduce(or_, map(landed_by, passes)) | dg.AssetSelection.assets(incidents, dbt_models, *shown),
        description="Every pass once, then every model, then every page and the docs.",
    )
    reload_log_day = dg.define_asset_job(
        RELOAD_JOB,
        path_of(LOGS_PASS, dbt_models, every_check=True),
        config=RELOAD_OF_DAY,
        description="Reload days of logs: write the dates in the files' names under reload_dates in the launchpad.",
    )
    hourly = dg.define_asset_job(
        "hourly_checks",
        dg.AssetSelection.checks(*checks_of("hourly", dbt_models)),
        description="Checks that take too long for each pass, and those of views.",
    )
    daily = dg.define_asset_job(
        "daily_views_and_checks",
        dg.AssetSelection.assets(*_views(dbt_models)).without_checks()
        | dg.AssetSelection.assets(*_daily(dbt_models), *_left(dbt_models, settings), DOCS)
        | dg.AssetSelection.checks(*checks_of("daily", dbt_models)),
        description="Every view, models of whole windows of days, the checks that read all of history, and the docs.",
    )
    return dg.Definitions(
        jobs=[
            *(job_of(one, dbt_models) for one in passes),
            *(backfill_job(one, settings) for one in passes if one.backfill is not None),
            everything,
            reload_log_day,
            hourly,
            daily,
            source_freshness,
        ],
        schedules=[
            *(schedule_of(one, settings.pteroassets_schedules, settings.tz) for one in passes),
            _schedule("hourly_checks_schedule", hourly.name, "25 * * * *", "UTC"),
            _schedule("daily_views_and_checks_schedule", daily.name, "35 4 * * *", "UTC"),
            _schedule("source_freshness_schedule", source_freshness.name, "40 * * * *", "UTC"),
        ],
    )


def _schedule(name: str, job: str, cron: str, timezone: str, **options: Any) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=name,
        job_name=job,
        cron_schedule=cron,
        execution_timezone=timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        **options,
    )
