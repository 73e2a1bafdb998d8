"""The dbt project as assets: staging views, intermediate models, marts and compatibility views.

One build at a time (pool ``dbt``). The project is parsed when the definitions are loaded, if it or the connection
changed, and builds use what was parsed (``pteroassets/defs/dbt_run.py``).
"""

import shutil
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import msgspec
from dagster_dbt import DagsterDbtTranslatorSettings, DbtProject, dbt_assets

from pteroassets.defs.dbt_metadata import model_metadata
from pteroassets.defs.dbt_parents import missing_parents
from pteroassets.defs.dbt_project import DBT_PROJECT, prepare_manifest, target_folder
from pteroassets.defs.dbt_run import DbtRun, NodeResult, new_target, run_dbt_here
from pteroassets.defs.dbt_translator import Translator
from pteroassets.defs.retention import prune_builds
from pteroassets.landing.context import Landing

_FAILED_KEPT = 10
_UNDER_WAY = timedelta(hours=2)  # as long as a run may take, see dagster.yaml

# what renders a model or tells where each of its lines came from; nothing here reads it, and each process would hold it
_UNREAD_OF_NODES = (
    "build_path", "compiled_path", "constraints", "contract", "created_at", "doc_blocks", "docs", "file_key_name",
    "patch_path", "raw_code", "unrendered_config",
)  # fmt: skip
_UNREAD_OF_COLUMNS = ("config", "constraints", "doc_blocks", "granularity", "meta", "quote", "tags")
# the registry of metrics is read from the project's own files
_UNREAD_KINDS = ("metric.", "semantic_model.", "unit_test.")


class _Manifest(msgspec.Struct):
    """What assets are made of; the other parts of the file, macros above all, are passed over unread."""

    metadata: dict[str, Any]
    nodes: dict[str, dict[str, Any]]
    sources: dict[str, dict[str, Any]]
    exposures: dict[str, dict[str, Any]]
    groups: dict[str, dict[str, Any]]
    selectors: dict[str, Any]
    disabled: dict[str, Any]
    parent_map: dict[str, list[str]]
    child_map: dict[str, list[str]]
    functions: dict[str, dict[str, Any]] = {}


def dbt_models() -> dg.AssetsDefinition:
    """Return the models as one set of assets; the project is parsed first if it changed."""
    manifest = _read_manifest(prepare_manifest())
    translator = Translator(
        settings=DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True, enable_code_references=True)
    )

    project = DbtProject(DBT_PROJECT, profiles_dir=DBT_PROJECT, target_path=target_folder())

    @dbt_assets(
        manifest=manifest,
        project=project,
        name="dbt_models",
        dagster_dbt_translator=translator,
        pool="dbt",
        # a program of the operator's may hold a lock
        retry_policy=dg.RetryPolicy(max_retries=1, delay=20),
    )
    def models(context: dg.AssetExecutionContext, landing: dg.ResourceParam[Landing]) -> Iterator[Any]:
        """Build and test the selected models."""
        keys = {unique_id_of(spec): spec.key for spec in models.specs}
        yield from _build(context, landing, manifest, keys, translator, project)

    return models


def _read_manifest(path: Path) -> dict[str, Any]:
    read = msgspec.json.decode(path.read_bytes(), type=_Manifest)
    for node in (*read.nodes.values(), *read.sources.values()):
        for name in _UNREAD_OF_NODES:
            node.pop(name, None)
        # a new one, for a dictionary keeps its room; most of what may be configured is not
        node["config"] = {name: value for name, value in node["config"].items() if value not in (None, [], {})}
        for column in node["columns"].values():
            for name in _UNREAD_OF_COLUMNS:
                column.pop(name, None)
    for kin in (read.parent_map, read.child_map):
        for unique_id, others in list(kin.items()):
            if unique_id.startswith(_UNREAD_KINDS):
                del kin[unique_id]
            else:
                others[:] = [other for other in others if not other.startswith(_UNREAD_KINDS)]
    unread: dict[str, Any] = {"metrics": {}, "semantic_models": {}, "saved_queries": {}, "unit_tests": {}}
    return {**msgspec.structs.asdict(read), **unread}


def unique_id_of(spec: dg.AssetSpec) -> str:
    """Return dbt's id of a model."""
    return str(spec.metadata["dagster_dbt/unique_id"])


def _build(
    context: dg.AssetExecutionContext,
    landing: Landing,
    manifest: Mapping[str, Any],
    keys: Mapping[str, dg.AssetKey],
    translator: Translator,
    project: DbtProject,
) -> Iterator[Any]:
    selected = [node for node, key in keys.items() if key in context.selected_asset_keys]
    checks = {key.name: key for key in context.selected_asset_check_keys}
    tests = [
        node for node, one in manifest["nodes"].items() if one["resource_type"] == "test" and one["name"] in checks
    ]
    with landing.connect() as connection:
        missing = missing_parents(connection, manifest, {*selected, *tests})
    if missing:
        context.log.info("built first, since they are read and not there yet: %s", ", ".join(map(_name, missing)))
    wanted = [manifest["nodes"][node]["name"] for node in (*selected, *missing)]
    target = new_target(f"dbt_models-{context.run.run_id[:7]}")
    # exactly what was asked for: a test of another asset has no place in this run
    arguments = ["build", "--indirect-selection", "empty", "--no-write-json", "--select", *wanted, *checks]
    run = run_dbt_here(arguments, target=target)
    built = [result for result in run.results if not result.is_test and result.is_ok]
    with landing.connect() as connection:
        described = model_metadata(
            connection,
            manifest,
            [one.unique_id for one in built],
            translator=translator,
            project=project,
            target=target,
        )
    for result in built:
        figures = {"seconds": result.seconds, **described[result.unique_id]}
        key = keys[result.unique_id]
        if key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=key, metadata=figures)
        else:
            context.log_event(dg.AssetMaterialization(asset_key=key, metadata=figures))
    for result in run.results:
        if result.is_test and result.was_run:
            yield _check_result(checks[result.name], result)
    if run.error is None:
        # some megabytes, every few minutes
        shutil.rmtree(target)
        return
    # of a failed build they show what was asked, and the next ones may fail as well
    prune_builds(target_folder(), keep=_FAILED_KEPT, calm=_UNDER_WAY)
    _fail(run)


def _name(unique_id: str) -> str:
    return unique_id.rpartition(".")[2]


def _check_result(key: dg.AssetCheckKey, result: NodeResult) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {"status": result.status, "seconds": result.seconds}
    if result.failures is not None:
        metadata["dagster_dbt/failed_row_count"] = result.failures
    if not result.is_ok:
        metadata["message"] = result.message
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=result.status == "pass",
        severity=dg.AssetCheckSeverity.WARN if result.status == "warn" else dg.AssetCheckSeverity.ERROR,
        metadata=metadata,
    )


def _fail(run: DbtRun) -> None:
    failed = sorted(result.name for result in run.results if result.is_test and result.was_run and not result.is_ok)
    if failed:
        # the same rows would fail again
        raise dg.Failure(f"checks of the data failed: {', '.join(failed)}", allow_retries=False) from run.error
    assert run.error is not None  # noqa: S101 - the caller looked
    raise run.error
