"""The commands of ``pteroassets incidents``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

_TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])


@click.group()
def incidents() -> None:
    """Show what is wrong, and try rules out over history before anyone is woken."""


@incidents.command("list")
@click.option("--since", type=_TIME, help="Show also those that were over after this time, in UTC.")
def list_incidents(*, since: datetime | None) -> None:
    """List the open incidents."""
    from rich.console import Console

    from pteroassets.platform.incidents import run_list
    from pteroassets.settings import read_settings

    run_list(read_settings(), Console(), None if since is None else since.replace(tzinfo=UTC))


@incidents.command("replay")
@click.option("--since", type=_TIME, required=True, help="Begin of the history to go through, in UTC.")
@click.option("--until", type=_TIME, help="Its end; now when not given.")
@click.option("--rules", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="File of rules to try out.")
def replay_incidents(*, since: datetime, until: datetime | None, rules: Path | None) -> None:
    """Print which incidents there would have been, by the data of the warehouse; nothing is sent or written."""
    from rich.console import Console

    from pteroassets.platform.incidents import run_replay
    from pteroassets.settings import read_settings

    run_replay(
        read_settings(),
        Console(),
        since=since.replace(tzinfo=UTC),
        until=None if until is None else until.replace(tzinfo=UTC),
        rules=rules,
    )
