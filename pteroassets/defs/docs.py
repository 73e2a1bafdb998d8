"""The dbt docs and the entity diagram as an asset, made again when the dbt project changed.

They are made with the job ``everything`` and once a day; between these a sensor compares the project with what the docs
describe.
"""

import shutil
from typing import Any

import dagster as dg

from pteroassets.defs.dbt_docs import GENERATE, describes, digest_of_parsed, publish
from pteroassets.defs.dbt_run import new_target, run_dbt_here
from pteroassets.landing.context import Landing

KEY = dg.AssetKey(["pages", "dbt_docs"])
JOB = "dbt_docs"
_MAKE_THEM = (JOB, "everything", "daily_views_and_checks")
_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def docs_asset(dbt_models: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """Return the docs as an asset that follows the marts among *dbt_models*, whose columns they show."""

    @dg.asset(
        key=KEY,
        deps=[key for key in sorted(dbt_models.keys) if key.path[0] == "marts"],
        description="One page that describes each model and each column, and one with the diagram of the marts' keys.",
        group_name="pages",
        kinds={"dbt", "html"},
        pool="dbt",
    )
    def dbt_docs(landing: dg.ResourceParam[Landing]) -> dg.MaterializeResult[Any]:
        """Generate and publish the docs."""
        landing.require("pteroassets_docs")
        folder = landing.settings.pteroassets_docs
        assert folder is not None  # noqa: S101 - it was required
        target = new_target("dbt_docs-0000000")
        digest = digest_of_parsed()
        try:
            run = run_dbt_here(GENERATE, target=target)
            if run.error is not None:
                raise run.error
            publish(target, folder, digest=digest)
        finally:
            shutil.rmtree(target)
        return dg.MaterializeResult(metadata={"folder": dg.MetadataValue.path(folder), "project": digest})

    return dbt_docs


def definitions(docs: dg.AssetsDefinition) -> dg.Definitions:
    """Return the asset with its job and the sensor that starts it."""
    job = dg.define_asset_job(JOB, dg.AssetSelection.assets(KEY), description="Make the dbt docs and the diagram.")

    @dg.sensor(
        name="dbt_docs_sensor",
        job=job,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        required_resource_keys={"landing"},
    )
    def project_changed(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """Make the docs again if the dbt project is another one than they describe, once for each state of it."""
        landing: Landing = context.resources.landing
        folder = landing.settings.pteroassets_docs
        if folder is None or describes(folder, digest_of_parsed()):
            return dg.SkipReason("the docs describe the dbt project as it is")
        with landing.connect() as connection:
            row = connection.execute("select to_regclass('marts.fct_server_daily') is null").fetchone()
        if row is None or row[0]:
            return dg.SkipReason("the models are not built yet")
        for name in _MAKE_THEM:
            if context.instance.get_runs_count(dg.RunsFilter(job_name=name, statuses=_UNDER_WAY)):
                return dg.SkipReason(f"a run of {name} is under way, which makes them")
        return dg.RunRequest(run_key=digest_of_parsed())

    return dg.Definitions(assets=[docs], jobs=[job], sensors=[project_changed])
