"""The command line: ``pteroassets demo | up | check | migrate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from pteroassets.settings import Settings

_STYLES = {"ok": "green", "warning": "yellow", "fault": "red"}


class _Faults(click.Group):
    """A group whose commands end with a message and status 1 on faults that an operator can mend."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        from pteroassets.runtime import OPERATOR_FAULTS

        try:
            return super().invoke(ctx)
        except ValidationError as error:
            for fault in error.errors(include_input=False, include_url=False):
                name = "_".join(str(part) for part in fault["loc"]).upper()
                click.echo(f"{name}: {fault['msg'].removeprefix('Value error, ')}", err=True)
            sys.exit(1)
        except OPERATOR_FAULTS as error:
            click.echo(f"pteroassets: {error}", err=True)
            sys.exit(1)


@click.group(cls=_Faults, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="pteroassets")
def main() -> None:
    """A data platform for hosts of game servers on the Pterodactyl Panel."""


@main.command()
@click.option("--once", is_flag=True, help="Stop when everything is built, instead of serving until Ctrl-C.")
@click.option("--seed", type=int, default=None, help="Another world; only for a new data folder.")
@click.option("--home", type=click.Path(path_type=Path, file_okay=False), help="Data folder of the demo.")
@click.option("--dagster-port", type=int, help="Port of the Dagster UI; a free one when not given.")
@click.option("--docs-port", type=int, help="Port of the dbt docs site; a free one when not given.")
def demo(*, once: bool, seed: int | None, home: Path | None, dagster_port: int | None, docs_port: int | None) -> None:
    """Show the whole platform on a simulated panel with two weeks of history."""
    from pteroassets.demo import DemoOptions, run_demo

    run_demo(
        DemoOptions(once=once, seed=seed, home=home, dagster_port=dagster_port, docs_port=docs_port),
        Settings(),
        Console(),
    )


@main.command()
@click.option("--once", is_flag=True, help="Run every pass and every model once, then stop.")
def up(*, once: bool) -> None:
    """Run the platform against your panel, with the embedded Postgres unless POSTGRES_HOST is set."""
    from pteroassets.up import run_up

    run_up(Settings(), Console(), once=once)


@main.command()
def check() -> None:
    """Check the panel, the keys, the nodes and Postgres, and say for each fault what to do."""
    from pteroassets.up import run_check

    console = Console()
    table = Table("", "What", "Found", "What to do", show_lines=False, box=None)
    faults = 0
    for finding in run_check(Settings()):
        faults += finding.status == "fault"
        table.add_row(
            f"[{_STYLES[finding.status]}]{finding.status}[/]", finding.subject, finding.detail, finding.remedy
        )
    console.print(table)
    console.print("everything is as it should be" if faults == 0 else f"{faults} faults")
    sys.exit(1 if faults else 0)


@main.command()
def migrate() -> None:
    """Create or change the warehouse's schemas and tables in the Postgres of POSTGRES_HOST, and do nothing else."""
    from pteroassets.up import run_migrations

    run_migrations(Settings())
    click.echo("the warehouse is at the newest revision")


if __name__ == "__main__":
    main()
