"""The commands of ``pteroassets outbox``."""

from __future__ import annotations

from pathlib import Path

import click

from pteroassets.platform.commands import HOME


@click.group(invoke_without_command=True)
@click.pass_context
def outbox(context: click.Context) -> None:
    """Deliver the messages of the outbox until Ctrl-C; up does so by itself. With a command: look at them."""
    if context.invoked_subcommand is None:
        from pteroassets.platform.outbox import become_outbox
        from pteroassets.settings import read_settings

        become_outbox(read_settings())


@outbox.command("list")
@click.option("--dead", is_flag=True, help="List those that were refused for good, instead of those that wait.")
@HOME
def list_outbox(*, dead: bool, home: Path | None) -> None:
    """List the messages that wait, or those that are dead, and why."""
    from rich.console import Console

    from pteroassets.platform.outbox import list_messages
    from pteroassets.settings import read_settings

    list_messages(read_settings(), Console(), dead=dead, home=home)


@outbox.command("retry")
@click.option("--all", "everything", is_flag=True, help="Try all dead messages again.")
@HOME
@click.argument("ids", nargs=-1, type=click.IntRange(1), metavar="[ID]...")
def retry_outbox(*, everything: bool, ids: tuple[int, ...], home: Path | None) -> None:
    """Try dead messages again, those with the ids that `outbox list --dead` shows, once their cause is mended."""
    from pteroassets.platform.outbox import retry_messages
    from pteroassets.settings import read_settings
    from pteroassets.sources.wording import counted

    if everything == bool(ids):
        raise click.UsageError("give ids of messages, or --all")
    click.echo(f"{counted(retry_messages(read_settings(), ids=ids, home=home), 'message')} will be tried again")
