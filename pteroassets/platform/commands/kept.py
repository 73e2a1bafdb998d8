"""The commands of ``pteroassets samples``, ``players`` and ``customers``: what is kept, of whom, and who may see it."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pteroassets.platform.commands import HOME

if TYPE_CHECKING:
    from uuid import UUID


@click.group()
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


@click.group()
def players() -> None:
    """Do what a player asks of what is kept about them."""


@players.command("forget")
@click.argument("who", metavar="NAME_OR_UUID")
@click.option("--server", type=click.UUID, help="Uuid of the only server on which the player is forgotten.")
@click.option("--erase", is_flag=True, help="Do it; without this the command only says what it would remove.")
def forget_player(*, who: str, server: UUID | None, erase: bool) -> None:
    """Replace a player's names and UUIDs in every layer by pseudonyms, now and in all that is read later.

    It prints how much each layer held: rows, stored logs, pages and their past editions. The exit status is 1 while
    something is left. Run it again after an interruption.
    """
    from rich.console import Console

    from pteroassets.platform.players import run_forget
    from pteroassets.settings import read_settings

    found = run_forget(read_settings(), Console(), who, server=server, do_erase=erase)
    sys.exit(1 if erase and not found.is_done else 0)


_PASSWORD = "PTEROASSETS_CUSTOMER_PASSWORD"  # noqa: S105 - the variable's name


@click.group()
def customers() -> None:
    """Make logins with which customers read the figures of their own servers in Postgres."""


@customers.command("add")
@click.argument("login")
@click.argument("users", nargs=-1, required=True, metavar="USER...")
@HOME
def add_customer(*, login: str, users: tuple[str, ...], home: Path | None) -> None:
    """Make LOGIN, which sees the servers of each USER of the panel, a username or a UUID, and nothing else.

    A login that is there gets these users and the new password. The password comes from the variable
    PTEROASSETS_CUSTOMER_PASSWORD, or is asked for; it is not printed.
    """
    from rich.console import Console

    from pteroassets.platform.customers import run_add
    from pteroassets.settings import read_settings

    password = os.environ.get(_PASSWORD) or click.prompt("Password", hide_input=True, confirmation_prompt=True)
    run_add(read_settings(), Console(), login, users, password, home=home)


@customers.command("remove")
@click.argument("login")
@HOME
def remove_customer(*, login: str, home: Path | None) -> None:
    """End LOGIN."""
    from rich.console import Console

    from pteroassets.platform.customers import run_remove
    from pteroassets.settings import read_settings

    run_remove(read_settings(), Console(), login, home=home)


@customers.command("list")
@HOME
def list_customers(*, home: Path | None) -> None:
    """List the logins of customers, and how many servers each sees."""
    from rich.console import Console

    from pteroassets.platform.customers import run_list
    from pteroassets.settings import read_settings

    run_list(read_settings(), Console(), home=home)
