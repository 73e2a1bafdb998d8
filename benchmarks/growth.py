"""Growth: what each model and test of a path costs with a year of history, against a week of the same density.

After each landed pass dbt builds and tests what the pass feeds, one node after another; a node costs what Postgres and
dbt take between its start and its end. What a whole path costs is measured by the benchmark `year`.
"""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner

from benchmarks.frame.measurement import Measurement, Size
from benchmarks.frame.meters import CpuMeter, postmaster_pid
from benchmarks.made_history import History, made_history
from pteroassets.defs.automation import built_by, checks_of
from pteroassets.defs.dbt import dbt_models, unique_id_of
from pteroassets.defs.dbt_project import DBT_PROJECT
from pteroassets.landing.passes import Pass
from pteroassets.landing.sources import PASSES

SERVERS, DAYS, _WEEK = 100, 365, 7
_ROUNDS = 3
_PATHS = {"utilization": "five-minute", "logs": "quarter-hour"}
_TARGET = 1.2
Costs = dict[str, float]
"""CPU seconds of each model and test."""
_WORTH_A_ROW = 0.1  # CPU seconds of a node; less lies within what is left to chance


def measure(size: Size) -> Iterator[Measurement]:
    """Yield of the models and tests of each path those that cost enough to be told from chance."""
    if size is Size.SHORT:
        why = "takes a year of history: SIZE=full"
        yield Measurement.missing("each model and test of a path", "CPU-s", why=why, target=_TARGET)
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        histories = {kept: stack.enter_context(made_history(SERVERS, kept)) for kept in (_WEEK, DAYS)}
        for kept, history in histories.items():
            node_costs(history, folder / str(kept), "run")
            history.keep_house()
        for path, words in _PATHS.items():
            costs = _costs_of_path(PASSES[path], histories, folder, rounds=_ROUNDS)
            note = f"{SERVERS} servers, {DAYS} days"
            for node in sorted(costs[DAYS]):
                seconds = {kept: found[node] for kept, found in costs.items()}
                if max(seconds.values()) >= _WORTH_A_ROW:
                    yield _against_a_week(f"{words}: {node}", seconds, note)


def _against_a_week(claim: str, seconds: Mapping[int, float], note: str) -> Measurement:
    return Measurement(
        claim=claim,
        unit="CPU-s",
        ours=seconds[max(seconds)],
        baseline="a week's history",
        baseline_value=seconds[_WEEK],
        target=_TARGET,
        note=note,
    )


def _costs_of_path(one: Pass, histories: dict[int, History], folder: Path, *, rounds: int) -> dict[int, Costs]:
    """Return for each history the mean cost of each node over *rounds* passes, in turns; one before is not counted."""
    costs: dict[int, Costs] = {kept: defaultdict(float) for kept in histories}
    nodes = nodes_of(one)
    for number in range(rounds + 1):
        for kept, history in histories.items():
            history.land_samples()
            if one.name == "logs":
                history.land_logs()
            found = node_costs(
                history, folder / str(kept), "build", "--indirect-selection", "empty", "--select", *nodes
            )
            if number > 0:
                for node, seconds in found.items():
                    costs[kept][node] += seconds / rounds
    return costs


def nodes_of(one: Pass) -> list[str]:
    """Return the names of the models that are built after a pass, and of the tests that are made with them."""
    models = dbt_models()
    built = built_by(one, models)
    rare = {*checks_of("hourly", models), *checks_of("daily", models)}
    names = [unique_id_of(spec).rpartition(".")[2] for spec in models.specs if spec.key in built]
    return names + [check.name for check in models.check_specs if check.asset_key in built and check.key not in rare]


def node_costs(history: History, target: Path, *arguments: str) -> Costs:
    """Run dbt in this process, one node at a time, and return the CPU seconds of each node.

    Raises:
        RuntimeError: A model or a test failed.
    """
    os.environ.update(history.settings.environment())
    meter = CpuMeter([postmaster_pid(history.settings)])
    costs: Costs = defaultdict(float)

    def read(event: Any) -> None:
        if event.info.name not in ("NodeStart", "NodeFinished"):
            return
        seconds = meter.seconds()
        costs[event.data.node_info.node_name] += seconds if event.info.name == "NodeFinished" else -seconds

    places = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT), "--target-path", str(target)]
    outcome = dbtRunner(callbacks=[read]).invoke(
        ["--quiet", "--log-level-file", "none", *arguments, "--threads", "1", *places]
    )
    if not outcome.success:
        failed = [f"{one.node.name}: {one.message}" for one in getattr(outcome.result, "results", ()) if one.message]
        raise RuntimeError(f"dbt {' '.join(arguments)} failed: {outcome.exception or failed}")
    return costs
