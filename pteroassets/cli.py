"""The command line: ``pteroassets up``, ``demo``, ``check`` and what else its help names.

Settings, Postgres and Dagster are imported by the commands that need them, so that the others start at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from pteroassets.platform.commands import HOME
from pteroassets.platform.commands.events import events
from pteroassets.platform.commands.incidents import incidents
from pteroassets.platform.commands.kept import customers, players, samples
from pteroassets.platform.commands.logs import logs
from pteroassets.platform.commands.metrics import metrics
from pteroassets.platform.commands.outbox import outbox
from pteroassets.platform.commands.replays import replays
from pteroassets.platform.commands.stream import stream

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


@main.command()
def bot() -> None:
    """Serve a guild of Discord: cards that show servers, commands, and buttons for who may press them."""
    from pteroassets.platform.bot import run_bot
    from pteroassets.settings import read_settings

    run_bot(read_settings())


@main.command()
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address on which it listens.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port, if not that of PTEROASSETS_EVENT_PORT.")
def collector(*, listen: str, port: int | None) -> None:
    """Take in the events that games push, store them in Postgres, and say so once they are committed."""
    from pteroassets.platform.collector import collector_of, run_collector
    from pteroassets.settings import read_settings

    run_collector(collector_of(read_settings(), listen=listen, port=port))


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
@click.argument(
    "name",
    type=click.Choice(["code-server", "daemon", "webserver", "guests", "site", "outbox", "bot", "collector", "build"]),
)
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address on which it listens.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port on which it listens; 4000, 3000, 3001, 8080, 8600.")
@click.option("--code-server", type=_Address(), default=("127.0.0.1", 4000), help="HOST:PORT of the code server.")
@click.option("--webserver", type=_Address(), default=("127.0.0.1", 3000), help="HOST:PORT of the webserver.")
@click.option("--healthy", is_flag=True, help="Only look whether it does its work; the exit status says so.")
def service(
    *, name: Any, listen: str, port: int | None, code_server: tuple[str, int], webserver: tuple[str, int], healthy: bool
) -> None:
    """Be one service of the platform, in a container or a unit of systemd of its own; up starts all of them.

    guests is a webserver that changes nothing, outbox delivers messages, bot serves a guild of Discord,
    collector takes in events of games, build makes what is missing and ends.
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
    from pteroassets.platform.health import ill, silent_bot, silent_daemon, silent_ways

    if name == "build":
        raise click.UsageError("build ends when its work is done: look at how it ended")
    if name in ("daemon", "outbox"):
        from pteroassets.settings import read_settings
        from pteroassets.warehouse.connection import ConnectionSettings

        settings = read_settings()
        warehouse = ConnectionSettings(
            host=settings.postgres_host or "127.0.0.1",
            port=settings.postgres_port,
            username=settings.postgres_username,
            password=settings.postgres_password.get_secret_value(),
            database=settings.postgres_database,
        )
        reason = (
            silent_daemon(warehouse.with_database(settings.pteroassets_dagster_database))
            if name == "daemon"
            else silent_ways(warehouse, settings.ways())
        )
    elif name == "bot":
        from pteroassets.platform.environment import home_of
        from pteroassets.settings import read_settings

        reason = silent_bot(home_of(read_settings()))
    elif name == "collector" and port is None:
        from pteroassets.settings import read_settings

        reason = ill(name, read_settings().pteroassets_event_port)
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
@HOME
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
@HOME
@click.option("--no-browser", is_flag=True, help="Print the address and open no browser.")
def notebook(*, lab: Path, home: Path | None, no_browser: bool) -> None:
    """Open the notebooks of the pages in JupyterLab, on the warehouse; they can only read. See make notebook."""
    from pteroassets.platform.notebook import run_notebook
    from pteroassets.settings import read_settings

    sys.exit(run_notebook(read_settings(), lab=lab, home=home, open_browser=not no_browser))


for group in (customers, events, incidents, logs, metrics, outbox, players, replays, samples, stream):
    main.add_command(group)


if __name__ == "__main__":
    main()
