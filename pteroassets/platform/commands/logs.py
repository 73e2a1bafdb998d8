"""The commands of ``pteroassets logs``."""

from __future__ import annotations

import io
import sys
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

if TYPE_CHECKING:
    from uuid import UUID

    from pteroassets.logtool import Report
    from pteroassets.logtool.as_text import Table as ReportTable
    from pteroassets.logtool.finding import Grouping


@click.group()
def logs() -> None:
    """Read Minecraft server logs."""


@logs.command("parse")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="For a person, or for a program.",
)
@click.option(
    "--table",
    type=click.Choice(["sessions", "runs", "files", "events"]),
    default="sessions",
    show_default=True,
    help="Which table csv shows.",
)
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), help="Local day of the first line, for logs without dates.")
@click.option(
    "--dates-from-mtime", is_flag=True, help="Take that day from the file's time, which copying may have changed."
)
@click.option("--timezone", metavar="ZONE", help="IANA zone of the logs: makes lengths right across clock changes.")
@click.option("--separate", is_flag=True, help="Treat every file as a server of its own.")
@click.option("--together", is_flag=True, help="Treat all files as one server's.")
@click.option(
    "--unknown", type=click.IntRange(min=0), default=0, metavar="N", help="List the N most frequent unknown lines."
)
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Processes to parse in; by default 2, where there are two cores."
)
def parse_logs(
    *,
    paths: tuple[str, ...],
    format_: str,
    table: ReportTable,
    date: datetime | None,
    dates_from_mtime: bool,
    timezone: str | None,
    separate: bool,
    together: bool,
    unknown: int,
    jobs: int | None,
) -> None:
    """Print the runs and sessions found in server logs, and a summary; needs no panel and no database.

    PATH is a log, packed or not, a folder or an archive (tar, zip) with logs in it, or - for standard input. Files
    in one folder with names that servers give their logs are read as one history; any other file is its own server.

    The exit status is 1 if a path gave nothing; the others are still read.
    """
    from rich.console import Console

    from pteroassets.logtool import DateRules, parse_paths
    from pteroassets.logtool.as_text import write_csv, write_json
    from pteroassets.logtool.parsing import default_jobs
    from pteroassets.platform.progress import bytes_under_way

    if separate and together:
        raise click.UsageError("--separate and --together cannot be used together")
    if date is not None and dates_from_mtime:
        raise click.UsageError("--date and --dates-from-mtime cannot be used together")
    grouping: Grouping = "separate" if separate else "together" if together else "by_name"
    rules = DateRules(
        zone=_zone(timezone), given=date.date() if date is not None else None, by_modification=dates_from_mtime
    )
    with bytes_under_way(Console(stderr=True), "Reading logs", is_kept=False) as progress:
        report = parse_paths(
            paths,
            grouping=grouping,
            dates=rules,
            unknown=unknown,
            jobs=jobs if jobs is not None else default_jobs(),
            progress=progress,
        )
    # names of players and files may have characters that the terminal's encoding lacks
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if format_ == "json":
        write_json(report, sys.stdout)
    elif format_ == "csv":
        write_csv(report, sys.stdout, table=table)
    else:
        _print_tables(report)
    sys.stdout.flush()
    for problem in report.problems:
        click.echo(f"pteroassets: {problem.path}: {problem.message}", err=True)
    sys.exit(1 if report.problems else 0)


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name is not None else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise click.BadParameter(
            f"{name!r} is not an IANA zone; write it like Europe/Berlin", param_hint="--timezone"
        ) from None


def _print_tables(report: Report) -> None:
    from rich.console import Console

    from pteroassets.logtool.as_tables import print_tables

    print_tables(report, Console(highlight=False))


@logs.command("backfill")
def backfill_logs() -> None:
    """Fetch every log still on the servers, oldest first, and derive sessions; after a kill, run it again to go on."""
    from rich.console import Console

    from pteroassets.platform.backfill import run_backfill
    from pteroassets.settings import read_settings

    run_backfill(read_settings(), Console(), "logs")


@logs.command("reparse")
@click.option("--server", type=click.UUID, help="Uuid of the only server to read again; all when not given.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Local day of the first file to read again.")
def reparse_logs(*, server: UUID | None, since: datetime | None) -> None:
    """Read the collected logs again from the log store, without asking the panel, and derive sessions."""
    from rich.console import Console

    from pteroassets.platform.backfill import run_reparse
    from pteroassets.settings import read_settings

    run_reparse(read_settings(), Console(), server=server, since=None if since is None else since.date())
