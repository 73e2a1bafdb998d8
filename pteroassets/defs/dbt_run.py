"""dbt in this process: what is imported and parsed once serves every run that is forked from it (decision 20)."""

from __future__ import annotations

import importlib
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pteroassets.defs.dbt_project import DBT_PROJECT, prepare_manifest, target_folder

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# what dbt and Dagster import only while they work, and each run would import again
_IMPORTED_LATE = (
    "babel.dates",
    "dbt.adapters.postgres.impl",
    "dbt.task.build",
    "dbt_common.clients.agate_helper",
    "sqlglot.lineage",
    "sqlglot.optimizer",
)
_PRINTED = frozenset({"info", "warn", "error"})
_OK = frozenset({"success", "pass", "warn"})

_kept: list[Manifest] = []


class DbtRunError(Exception):
    """A command of dbt failed; the message names what failed and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeResult:
    """What came of a model or a test.

    *failures* is the number of rows that a test found, None for a model.
    """

    unique_id: str
    name: str
    is_test: bool
    status: str
    seconds: float
    failures: int | None
    message: str

    @property
    def is_ok(self) -> bool:
        """Return whether it was built, or passed at least with a warning."""
        return self.status in _OK

    @property
    def was_run(self) -> bool:
        """Return whether dbt came to it: what follows a failed node is skipped."""
        return self.status != "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtRun:
    """What a command of dbt did; *error* is None if all of it succeeded."""

    results: Sequence[NodeResult]
    error: DbtRunError | None


def keep_project() -> None:
    """Import dbt, parse the project and compile its macros, for the runs that are forked from this process."""
    from dbt_common.clients.jinja import template_cache  # noqa: PLC0415 - dbt, as in _invoke

    for name in _IMPORTED_LATE:
        importlib.import_module(name)
    _kept[:] = [_parsed()]
    # the text of each file, which only parsing it again asks for: a sixth of the manifest
    _kept[0].files.clear()
    # from which nothing is built: the registry of metrics, what tests the models' code, and who reads them
    for unused in (_kept[0].metrics, _kept[0].semantic_models, _kept[0].unit_tests, _kept[0].exposures):
        unused.clear()
    for macro in _kept[0].macros.values():
        template_cache.get_node_template(macro)  # dbt compiles a macro when it is first called


def new_target(name: str) -> Path:
    """Return a new folder for dbt's output, in the target folder of the platform."""
    folder = target_folder() / f"{name}-{uuid.uuid4().hex[:7]}"
    folder.mkdir(parents=True)
    return folder


def run_dbt_here(arguments: Sequence[str], *, target: Path) -> DbtRun:
    """Run dbt with *arguments* on the project, in this process; it prints what it does."""
    # what was parsed is used once, since a run of dbt changes it
    outcome = _invoke([*arguments, "--target-path", str(target)], _kept.pop() if _kept else _parsed())
    raw = outcome.result
    # what runs at the end of a command is among them, and no asset
    results = [_result(one) for one in getattr(raw, "results", ()) if one.node.resource_type != "operation"]
    if outcome.success:
        return DbtRun(results=results, error=None)
    reasons = [f"{one.name}: {one.message}" for one in results if not one.is_ok and one.was_run and not one.is_test]
    if outcome.exception is not None:
        reasons.append(str(outcome.exception))
    return DbtRun(results=results, error=DbtRunError("\n".join(reasons) or "dbt failed; its output says why"))


def run_without_assets(arguments: Sequence[str]) -> None:
    """Run dbt only for whether it succeeds, and leave no files; its output is printed by the run.

    Raises:
        DbtRunError: It failed.
    """
    target = new_target("dbt-0000000")
    try:
        run = run_dbt_here(arguments, target=target)
    finally:
        shutil.rmtree(target)
    if run.error is not None:
        raise run.error


def _parsed() -> Manifest:
    prepare_manifest()
    outcome = _invoke(["parse", "--target-path", str(target_folder()), "--no-write-json"], None)
    if not outcome.success:
        raise DbtRunError(f"the dbt project cannot be parsed: {outcome.exception}")
    manifest: Manifest = outcome.result
    return manifest


def _invoke(arguments: Sequence[str], manifest: Manifest | None) -> Any:
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - a second of imports that only what runs dbt needs

    # we print what it says: its own loggers make a line of all that they then leave out
    flags = ["--no-use-colors", "--log-level", "none", "--log-level-file", "none"]
    places = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    outcome = dbtRunner(manifest=manifest, callbacks=[_print]).invoke([*flags, *arguments, *places])
    if outcome.exception is not None and not isinstance(outcome.exception, Exception):
        raise outcome.exception  # an interrupt, which dbt returns as if it had failed
    return outcome


def _print(event: Any) -> None:
    if event.info.level in _PRINTED:
        click.echo(f"{event.info.ts.ToDatetime():%H:%M:%S}  {event.info.msg}")


def _result(raw: Any) -> NodeResult:
    node = raw.node
    return NodeResult(
        unique_id=node.unique_id,
        name=node.name,
        is_test=node.resource_type == "test",
        status=str(raw.status),
        seconds=round(float(raw.execution_time), 3),
        failures=getattr(raw, "failures", None),
        message=str(raw.message or raw.status),
    )
