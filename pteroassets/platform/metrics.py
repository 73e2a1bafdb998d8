"""``pteroassets metrics``: the registry on the terminal, and a comparison with an earlier commit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from pteroassets.dashboards.computing import Span
from pteroassets.defs.pages import metrics_of_project
from pteroassets.platform.environment import RuntimeFault
from pteroassets.platform.metrics_diff import diff, show
from pteroassets.platform.sql import warehouse_in
from pteroassets.settings import Settings


def print_list(console: Console) -> None:
    """Print each metric in a line."""
    table = Table(Column("Metric", no_wrap=True), "Unit", "For each", "Computed by", "Source", box=None)
    for metric in metrics_of_project().values():
        table.add_row(metric.name, metric.shown_unit, metric.grain, metric.model, metric.source)
    console.print(table)


def print_one(name: str, console: Console) -> None:
    """Print all that the registry says of the metric *name*.

    Raises:
        RuntimeFault: There is none of this name.
    """
    metrics = metrics_of_project()
    if name not in metrics:
        raise RuntimeFault(f"{name} is no metric: pteroassets metrics list shows all")
    metric = metrics[name]
    table = Table("", "", box=None, show_header=False)
    for what, told in (
        ("Metric", f"{metric.name}: {metric.label}"),
        ("Definition", metric.description),
        ("Unit", metric.shown_unit),
        ("For each", metric.grain),
        ("Computed by", f"{metric.model}: {metric.measure}"),
        ("Source", metric.source),
        ("Owner", metric.owner),
    ):
        table.add_row(what, told)
    console.print(table)


def run_metrics_diff(
    settings: Settings,
    console: Console,
    ref: str,
    *,
    names: Sequence[str],
    by: Span | None,
    everything: bool,
    home: Path | None,
) -> None:
    """Print metrics as the commit *ref* defines them beside those of now; see ``metrics_diff.diff``.

    Raises:
        RuntimeFault: There is no warehouse yet, or the comparison cannot be made.
    """
    with warehouse_in(settings, home) as warehouse:
        show(diff(warehouse, ref, console, names=names, by=by, everything=everything), ref, console, by)
