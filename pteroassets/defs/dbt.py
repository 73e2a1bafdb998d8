"""The dbt project as assets: staging views, intermediate models, marts and compatibility views.

One build at a time (pool ``dbt``). The project is parsed when the definitions are loaded, if it or the connection
changed, and not in every process: ``DbtProject.prepare_if_dev`` would parse it again in each run worker. Builds
use what was parsed, since dagster-dbt finds it in the folder that ``DBT_TARGET_PATH`` names.
"""

import shutil
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslatorSettings, DbtCliResource, DbtProject, dbt_assets

from pteroassets.defs.dbt_project import DBT_PROJECT, prepare_manifest, target_folder
from pteroassets.defs.dbt_translator import Translator
from pteroassets.defs.private import with_rows_and_columns
from pteroassets.defs.retention import prune_builds

_FAILED_KEPT = 10
_UNDER_WAY = timedelta(hours=2)  # as long as a run may take, see dagster.yaml


def dbt_models() -> dg.AssetsDefinition:
    """Return the models as one set of assets; the project is parsed first if it changed."""

    @dbt_assets(
        manifest=prepare_manifest(),
        project=DbtProject(DBT_PROJECT, profiles_dir=DBT_PROJECT, target_path=target_folder()),
        name="dbt_models",
        dagster_dbt_translator=Translator(
            settings=DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True, enable_code_references=True)
        ),
        pool="dbt",
        # a killed worker's dbt runs on for a while, and its build can collide with the next one
        retry_policy=dg.RetryPolicy(max_retries=1, delay=20),
    )
    def models(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        """Build and test the selected models."""
        # the context has only the selected checks
        yield from _build(context, dbt, every_check=models.check_specs)

    return models


def _build(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, *, every_check: Iterable[dg.AssetCheckSpec]
) -> Iterator[Any]:
    # unit tests check the code and not the data: make test runs them
    arguments = ["build", "--exclude-resource-type", "unit_test"]
    if tests := _tests_of_assets_left_out(context, every_check):
        arguments += ["--exclude", " ".join(tests)]
    invocation = dbt.cli(arguments, context=context)
    # The fetchers wait for each event in a busy loop, which would take a core from dbt and Postgres: so dbt
    # finishes first. They would also look up columns for each test, which has none.
    stream = invocation.stream()
    events, failure = _all_of(stream)
    described = with_rows_and_columns(invocation, stream, [event for event in events if isinstance(event, dg.Output)])
    for event in events:
        yield next(described) if isinstance(event, dg.Output) else event
    failed = [
        str(event.check_name)
        for event in events
        if isinstance(event, dg.AssetCheckResult) and not event.passed and event.severity is dg.AssetCheckSeverity.ERROR
    ]
    if failure is not None:
        # of a failed build they show what was asked, and the next ones may fail as well
        prune_builds(target_folder(), keep=_FAILED_KEPT, calm=_UNDER_WAY)
    if failure is not None and failed:
        # the same rows would fail again
        raise dg.Failure(f"checks of the data failed: {', '.join(sorted(failed))}", allow_retries=False) from failure
    if failure is not None:
        raise failure
    # some megabytes, every few minutes
    shutil.rmtree(invocation.target_path)


def run_without_assets(dbt: DbtCliResource, arguments: list[str]) -> None:
    """Run dbt only for its exit status, and leave no files; its output is printed by the run."""
    invocation = dbt.cli(arguments)
    try:
        invocation.wait()
    finally:
        if invocation.target_path.exists():  # missing if dbt refused its arguments
            shutil.rmtree(invocation.target_path)


def _tests_of_assets_left_out(context: dg.AssetExecutionContext, checks: Iterable[dg.AssetCheckSpec]) -> list[str]:
    """Return the tests that read a selected model but are checks of an asset that is not: dbt would run them too.

    Their results would be nowhere in the UI, since a run reports only the checks of its own assets.
    """
    return [
        spec.name
        for spec in checks
        if spec.key not in context.selected_asset_check_keys
        and any(dependency.asset_key in context.selected_asset_keys for dependency in spec.additional_deps)
    ]


def _all_of(events: Iterator[Any]) -> tuple[list[Any], Exception | None]:
    """Return all *events*, and the exception that ended them."""
    come: list[Any] = []
    try:
        for event in events:  # not extend: it would lose the events before a failure
            come.append(event)  # noqa: PERF402
    except Exception as error:  # noqa: BLE001 - raised after the events that came before it
        return come, error
    return come, None
