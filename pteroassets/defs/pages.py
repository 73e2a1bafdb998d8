"""The pages as assets: one for each notebook, each with its own schedule.

A run imports what notebooks need once, in a process of its own, and makes the pages that it was asked for. One that
fails ends the run as failed when the others are made, and the last good page stays.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from pteroassets.dashboards.build import Site, stale_limits
from pteroassets.dashboards.context import Context, PassAge
from pteroassets.dashboards.metrics import Metric, read_metrics
from pteroassets.dashboards.notebook import NOTEBOOKS, Notebook, notebooks
from pteroassets.dashboards.store import Store
from pteroassets.defs.dbt_project import prepare_manifest
from pteroassets.landing.context import Landing
from pteroassets.landing.sources import PASSES, rhythms
from pteroassets.settings import Settings

_GROUP = "pages"


def key_of(notebook: Notebook) -> dg.AssetKey:
    """Return the key of a notebook's pages."""
    return dg.AssetKey([_GROUP, notebook.name])


def model_key(name: str) -> dg.AssetKey:
    """Return the key of the model that a notebook calls *name*."""
    return dg.AssetKey(["staging" if name.startswith("stg_") else "marts", name])


def metrics_of_project() -> dict[str, Metric]:
    """Return the registry of metrics, from the dbt project as it is parsed."""
    return read_metrics(json.loads(prepare_manifest().read_text()))


def site_of(landing: Landing, folder: Path = NOTEBOOKS) -> Site:
    """Return the pages of a platform, made of the notebooks in *folder*.

    Raises:
        MissingSettingError: It is not set where they are published.
    """
    landing.require("pteroassets_pages")
    settings = landing.settings
    return Site(
        store=Store(str(settings.pteroassets_pages)),
        notebooks=notebooks(folder),
        warehouse=landing.warehouse,
        context=Context(now=landing.clock.now(), metrics=metrics_of_project(), passes=ages(settings)),
        edition_days=settings.pteroassets_page_edition_days,
        secrets=settings.secrets(),
    )


def ages(settings: Settings) -> dict[str, PassAge]:
    """Return for each pass when its data count as late."""
    return {
        name: PassAge(
            table=PASSES[name].ends_with,
            warn_after=rhythm.warn_after.total_seconds(),
            stale_after=rhythm.stale_after.total_seconds(),
        )
        for name, rhythm in rhythms(settings).items()
    }


def freshness_policies() -> dict[dg.AssetKey, dg.FreshnessPolicy]:
    """Return how old the pages of each notebook may get."""
    found: dict[dg.AssetKey, dg.FreshnessPolicy] = {}
    for one in notebooks().values():
        warn, stale = stale_limits(one)
        found[key_of(one)] = dg.FreshnessPolicy.time_window(fail_window=stale, warn_window=warn)
    return found


def _spec(notebook: Notebook) -> dg.AssetSpec:
    kind = "page" if notebook.for_each is None else "page of a set"
    return dg.AssetSpec(
        key_of(notebook),
        deps=[model_key(model) for model in notebook.models],
        description=f"One {kind}: {notebook.title}. {notebook.summary}",
        group_name=_GROUP,
        kinds={"jupyter"},
    )


def page_assets(folder: Path = NOTEBOOKS) -> dg.AssetsDefinition:
    """Return the pages of all notebooks in *folder* as one set of assets; a run makes those it is asked for."""
    keys = {one.name: key_of(one) for one in notebooks(folder).values()}

    @dg.multi_asset(
        name=_GROUP,
        specs=[_spec(one) for one in notebooks(folder).values()],
        can_subset=True,
        pool=_GROUP,
    )
    def pages(context: dg.AssetExecutionContext, landing: dg.ResourceParam[Landing]) -> Iterator[Any]:
        """Make and publish the selected pages."""
        chosen = [name for name, key in keys.items() if key in context.selected_asset_keys]
        made = site_of(landing, folder).make(chosen)
        for one in made:
            if one.error is None:
                yield dg.MaterializeResult(
                    asset_key=keys[one.name], metadata={"pages": len(one.pages), "seconds": one.seconds}
                )
        failed = [f"{one.name}: {one.error}" for one in made if one.error is not None]
        if failed:
            raise dg.Failure("pages failed, the last good ones stay. " + "; ".join(failed))

    return pages


def definitions(pages: dg.AssetsDefinition) -> dg.Definitions:
    """Return the job and the schedule of each notebook."""
    found = list(notebooks().values())
    jobs = [
        dg.define_asset_job(
            f"page_{one.name}", dg.AssetSelection.assets(key_of(one)), description=f"Make the page {one.title}."
        )
        for one in found
    ]
    return dg.Definitions(assets=[pages], jobs=jobs, schedules=[_schedule_of(one) for one in found])


def _schedule_of(notebook: Notebook) -> dg.ScheduleDefinition:
    """Return the schedule of a notebook, which waits until all that it reads was built once."""
    tables = [".".join(model_key(model).path) for model in notebook.models]

    def due(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        landing: Landing = context.resources.landing
        with landing.connect() as connection:
            rows = connection.execute(
                "select name from unnest(%s::text[]) as name where to_regclass(name) is null", (tables,)
            ).fetchall()
        return dg.SkipReason(f"not built yet: {', '.join(name for (name,) in rows)}") if rows else dg.RunRequest()

    return dg.ScheduleDefinition(
        name=f"page_{notebook.name}_schedule",
        job_name=f"page_{notebook.name}",
        cron_schedule=notebook.schedule,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        execution_fn=due,
        required_resource_keys={"landing"},
    )
