"""The commands of ``pteroassets metrics``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pteroassets.platform.commands import HOME

if TYPE_CHECKING:
    from pteroassets.dashboards.computing import Span


@click.group()
def metrics() -> None:
    """Show the registry of metrics, and what a change of a definition changes."""


@metrics.command("list")
def list_metrics() -> None:
    """List each metric with its unit, its grain and the model that computes it."""
    from rich.console import Console

    from pteroassets.platform.metrics import print_list

    print_list(Console())


@metrics.command("show")
@click.argument("name")
def show_metric(name: str) -> None:
    """Print all that the registry says of a metric."""
    from rich.console import Console

    from pteroassets.platform.metrics import print_one

    print_one(name, Console())


@metrics.command("diff")
@click.argument("ref")
@click.option("--metric", "names", multiple=True, metavar="NAME", help="Compare this metric alone; may be repeated.")
@click.option(
    "--by", type=click.Choice(["day", "week", "month"]), help="Compare each day, week or month instead of the whole."
)
@click.option("--all", "everything", is_flag=True, help="Compute those, too, of which nothing changed.")
@HOME
def diff_metrics(*, ref: str, names: tuple[str, ...], by: Span | None, everything: bool, home: Path | None) -> None:
    """Compare metrics as the Git commit REF defines them with those of now, both built on the same raw rows.

    Copies of the raw tables and both builds lie in two databases beside the warehouse, which are dropped at the end:
    there has to be room for twice the raw tables and for the models. The account has to be allowed to make databases.
    """
    from rich.console import Console

    from pteroassets.platform.metrics import run_metrics_diff
    from pteroassets.settings import read_settings

    run_metrics_diff(read_settings(), Console(), ref, names=names, by=by, everything=everything, home=home)
