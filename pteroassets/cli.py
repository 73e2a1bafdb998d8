"""The command line: ``pteroassets up``, ``demo``, ``check`` and what else its help names.

Settings, Postgres and Dagster are imported by the commands that need them, so that the others start at once.
"""

from __future__ import annotations

import io
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

if TYPE_CHECKING:
    from uuid import UUID

    from pteroassets.dashboards.computing import Span
    from pteroassets.logtool import Report
    from pteroassets.logtool.as_text import Table as ReportTable
    from pteroassets.logtool.finding import Grouping

_STYLES = {"ok": "green", "warning": "yellow", "fault": "red"}


class _Faults(click.Group):
    """A group whose commands end with a message and status 1 on faults that an operator can fix."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort, click.ClickException):
            raise
        except Exception as error:  # noqa: BLE001 - what an operator cannot fix is raised again
            _explain(error)
            sys.exit(1)


def _explain(error: Exception) -> None:
    """Print the message of a fault that an operator can fix; raise any other."""
    from pteroassets.platform.environment import OPERATOR_FAULTS
    from pteroassets.settings import SettingsFault

    if isinstance(error, SettingsFault):
        for line in str(error).splitlines():
            click.echo(f"pteroassets: {line}", err=True)
    elif isinstance(error, OPERATOR_FAULTS):
        click.echo(f"pteroassets: {error}", err=True)
    else:
        raise error


@click.group(cls=_Faults, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="pteroassets")
def main() -> None:
    """A data platform for hosts of game servers on the Pterodactyl Panel."""


@main.command()
@click.option("--once", is_flag=True, help="Stop when everything is built, instead of serving until Ctrl-C.")
@click.option("--seed", type=int, default=None, help="Number of another simulated world; only for a new data folder.")
@click.option("--home", type=click.Path(path_type=Path, file_okay=False), help="Data folder of the demo.")
@click.option("--dagster-port", type=int, help="Port of the Dagster UI; a free one when not given.")
@click.option("--docs-port", type=int, help="Port of the dbt docs site; a free one when not given.")
def demo(*, once: bool, seed: int | None, home: Path | None, dagster_port: int | None, docs_port: int | None) -> None:
    """Show the whole platform on a simulated panel with two weeks of history."""
    from rich.console import Console

    from pteroassets.platform.demo import DemoOptions, run_demo
    from pteroassets.settings import read_settings

    run_demo(
        DemoOptions(once=once, seed=seed, home=home, dagster_port=dagster_port, docs_port=docs_port),
        read_settings(),
        Console(),
    )


@main.command()
@click.option("--once", is_flag=True, help="Run every pass and every model once, then stop.")
def up(*, once: bool) -> None:
    """Run the platform against your panel, with the embedded Postgres unless POSTGRES_HOST is set."""
    from rich.console import Console

    from pteroassets.platform.up import run_up
    from pteroassets.settings import read_settings

    run_up(read_settings(), Console(), once=once)


@main.command()
def check() -> None:
    """Check the panel, the keys, the nodes and Postgres, and say what to do about each fault."""
    from rich.console import Console
    from rich.table import Table

    from pteroassets.platform.up import run_check
    from pteroassets.settings import read_settings

    console = Console()
    table = Table("", "What", "Found", "What to do", show_lines=False, box=None)
    faults = warnings = 0
    for finding in run_check(read_settings()):
        faults += finding.status == "fault"
        warnings += finding.status == "warning"
        table.add_row(
            f"[{_STYLES[finding.status]}]{finding.status}[/]", finding.subject, finding.detail, finding.remedy
        )
    console.print(table)
    found = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((faults, "fault"), (warnings, "warning"))
        if count
    ]
    console.print(" and ".join(found) or "everything is as it should be")
    sys.exit(1 if faults else 0)


@main.command()
def plan() -> None:
    """Say how often samples can be taken on your panel, at the panel or at its nodes, and why."""
    from rich.console import Console
    from rich.table import Table

    from pteroassets.platform.plan import plan_rows, run_plan
    from pteroassets.settings import read_settings

    found = run_plan(read_settings())
    table = Table("What", "Value", box=None)
    for row in plan_rows(found):
        table.add_row(*row)
    console = Console()
    console.print(table)
    console.print(f"\n{found.why}", highlight=False)


@main.command()
@click.argument("name", metavar="PASS")
def backfill(name: str) -> None:
    """Fetch all history that the source of a pass still has, such as logs; after a kill, run it again to go on."""
    from rich.console import Console

    from pteroassets.platform.backfill import run_backfill
    from pteroassets.settings import read_settings

    run_backfill(read_settings(), Console(), name)


@main.command()
@click.option("--name", help="What the worker is called in the UI; the machine's name when not given.")
@click.option("--processes", type=click.IntRange(1), default=1, show_default=True, help="Groups of servers at a time.")
def worker(*, name: str | None, processes: int) -> None:
    """Do back-fills that another machine's Dagster gives out through the broker of PTEROASSETS_CELERY_BROKER."""
    from pteroassets.platform.celery_worker import become_worker
    from pteroassets.settings import read_settings

    become_worker(read_settings(), name=name, processes=processes)


class _Address(click.ParamType):  # type: ignore[type-arg] # generic in newer releases of click alone
    """A host and a port."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Return both."""
        if isinstance(value, tuple):
            return value
        host, _, port = str(value).rpartition(":")
        if not host or not port.isdecimal():
            self.fail(f"{value!r} is not HOST:PORT, such as code-server:4000", param, ctx)
        return host, int(port)


@main.command()
@click.argument("name", type=click.Choice(["code-server", "daemon", "webserver", "guests", "site", "build"]))
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address on which it listens.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port on which it listens; 4000, 3000, 3001, 8080.")
@click.option("--code-server", type=_Address(), default=("127.0.0.1", 4000), help="HOST:PORT of the code server.")
@click.option("--webserver", type=_Address(), default=("127.0.0.1", 3000), help="HOST:PORT of the webserver.")
@click.option("--healthy", is_flag=True, help="Only look whether it does its work; the exit status says so.")
def service(
    *, name: Any, listen: str, port: int | None, code_server: tuple[str, int], webserver: tuple[str, int], healthy: bool
) -> None:
    """Be one service of the platform, in a container or a unit of systemd of its own; up starts all of them.

    guests is a webserver that changes nothing, build makes what is missing and ends.
    """
    if healthy:
        _require_health(name, port)
        return
    from rich.console import Console

    from pteroassets.platform.standalone import Addresses, run_service
    from pteroassets.settings import read_settings

    addresses = Addresses(listen=listen, port=port, code_server=code_server, webserver=webserver)
    run_service(name, read_settings(), addresses, Console())


def _require_health(name: Any, port: int | None) -> None:
    """Exit with status 1 and the reason if a service does not do its work."""
    from pteroassets.platform.health import ill, silent_daemon

    if name == "build":
        raise click.UsageError("build ends when its work is done: look at how it ended")
    if name == "daemon":
        from pteroassets.settings import read_settings
        from pteroassets.warehouse.connection import ConnectionSettings

        settings = read_settings()
        reason = silent_daemon(
            ConnectionSettings(
                host=settings.postgres_host or "127.0.0.1",
                port=settings.postgres_port,
                username=settings.postgres_username,
                password=settings.postgres_password.get_secret_value(),
                database=settings.pteroassets_dagster_database,
            )
        )
    else:
        reason = ill(name, port)
    if reason is not None:
        click.echo(f"pteroassets: {reason}", err=True)
        sys.exit(1)


@main.command()
def migrate() -> None:
    """Create or update the warehouse's schemas and tables in the Postgres of POSTGRES_HOST, and nothing else."""
    from rich.console import Console

    from pteroassets.platform.up import run_migrations
    from pteroassets.settings import read_settings

    run_migrations(read_settings(), Console())
    click.echo("the warehouse is at the newest revision")


@main.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option(
    "--home", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Data folder of a demo or of up."
)
@click.option("--csv", is_flag=True, help="Print CSV for a program instead of a table for a person.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PSQL ARGUMENTS]...")
def sql(*, home: Path | None, csv: bool, arguments: tuple[str, ...]) -> None:
    r"""Open psql on the warehouse, read-only: for example pteroassets sql -c "select * from dim_servers".

    What follows is passed to psql: -c runs one statement, -f a file. Without either a shell opens; \d lists the
    tables, \q leaves. Without POSTGRES_HOST it is the embedded Postgres, started if it is not running.
    """
    from pteroassets.platform.sql import run_sql
    from pteroassets.settings import read_settings

    sys.exit(run_sql(read_settings(), ("--csv", *arguments) if csv else arguments, home=home))


@main.command()
@click.option(
    "--lab", type=click.Path(path_type=Path), required=True, help="Program jupyter of an environment with JupyterLab."
)
@click.option(
    "--home", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Data folder of a demo or of up."
)
@click.option("--no-browser", is_flag=True, help="Print the address and open no browser.")
def notebook(*, lab: Path, home: Path | None, no_browser: bool) -> None:
    """Open the notebooks of the pages in JupyterLab, on the warehouse; they can only read. See make notebook."""
    from pteroassets.platform.notebook import run_notebook
    from pteroassets.settings import read_settings

    sys.exit(run_notebook(read_settings(), lab=lab, home=home, open_browser=not no_browser))


@main.group()
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
@click.option(
    "--home", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Data folder of a demo or of up."
)
def diff_metrics(*, ref: str, names: tuple[str, ...], by: Span | None, everything: bool, home: Path | None) -> None:
    """Compare metrics as the Git commit REF defines them with those of now, both built on the same raw rows.

    Copies of the raw tables and both builds lie in two databases beside the warehouse, which are dropped at the end:
    there has to be room for twice the raw tables and for the models. The account has to be allowed to make databases.
    """
    from rich.console import Console

    from pteroassets.platform.metrics import run_metrics_diff
    from pteroassets.settings import read_settings

    run_metrics_diff(read_settings(), Console(), ref, names=names, by=by, everything=everything, home=home)


@main.group()
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


@main.group()
def samples() -> None:
    """Read months of samples back from the archive of PTEROASSETS_SAMPLE_ARCHIVE, and let them go again."""


_MONTH = click.DateTime(["%Y-%m"])


@samples.command("restore")
@click.option("--from", "first", type=_MONTH, required=True, metavar="YYYY-MM", help="First month, in UTC.")
@click.option("--to", "last", type=_MONTH, metavar="YYYY-MM", help="Last month; the first one when not given.")
def restore_samples(*, first: datetime, last: datetime | None) -> None:
    """Put archived months into raw_pterodactyl.restored_samples, which no model reads, until they are released."""
    from rich.console import Console

    from pteroassets.platform.samples import run_restore
    from pteroassets.settings import read_settings

    run_restore(read_settings(), Console(), first.date(), (last or first).date())


@samples.command("release")
@click.option("--from", "first", type=_MONTH, metavar="YYYY-MM", help="First month; all when not given.")
@click.option("--to", "last", type=_MONTH, metavar="YYYY-MM", help="Last month; the first one when not given.")
def release_samples(*, first: datetime | None, last: datetime | None) -> None:
    """Drop restored months from Postgres; the archive keeps them."""
    from rich.console import Console

    from pteroassets.platform.samples import run_release
    from pteroassets.settings import read_settings

    if first is None and last is not None:
        raise click.UsageError("--to needs --from")
    months = None if first is None else (first.date(), (last or first).date())
    run_release(read_settings(), Console(), months)


if __name__ == "__main__":
    main()
