"""The commands of ``pteroassets replays``."""

from __future__ import annotations

from typing import Final

import click

_NUMBER: Final = click.IntRange(1, 2**31 - 1)
_LONGEST_SPAN: Final = 100_000
"""Numbers of one back-fill: with a second between two requests that is a day and a half."""
_SITE: Final = click.option(
    "--site", metavar="HOST", help="Which site, by its host as in PTEROASSETS_REPLAY_SITES; the first one otherwise."
)


@click.group()
def replays() -> None:
    """Read replays of Arma 3 by hand: one, a span of them, or all of them again."""


@replays.command("load")
@click.argument("numbers", nargs=-1, required=True, type=_NUMBER, metavar="NUMBER...")
@_SITE
def load_replays(*, numbers: tuple[int, ...], site: str | None) -> None:
    """Read the replays with these numbers of a site, whether due or not; of WOG also what it does not list.

    The exit status is 1 if one of them could not be read.
    """
    from rich.console import Console

    from pteroassets.platform.replays import run_load
    from pteroassets.settings import read_settings

    run_load(read_settings(), Console(), numbers, site)


@replays.command("backfill")
@click.option("--from", "first", type=_NUMBER, required=True, metavar="NUMBER", help="First number.")
@click.option("--to", "last", type=_NUMBER, required=True, metavar="NUMBER", help="Last number.")
@_SITE
def backfill_replays(*, first: int, last: int, site: str | None) -> None:
    """Read a span of replays that were not read yet; after a kill, run it again to go on."""
    from rich.console import Console

    from pteroassets.platform.replays import run_backfill
    from pteroassets.settings import read_settings

    if first > last:
        raise click.UsageError(f"--to is {last}, before --from, which is {first}")
    if (span := last - first + 1) > _LONGEST_SPAN:
        raise click.UsageError(
            f"--from {first} --to {last} are {span:,} numbers, each of them a request to the site at least: "
            f"ask for {_LONGEST_SPAN:,} at most, such as --to {first + _LONGEST_SPAN - 1}"
        )
    run_backfill(read_settings(), Console(), first, last, site)


@replays.command("reparse")
def reparse_replays() -> None:
    """Read every replay again from the documents in the log store, without asking a site."""
    from rich.console import Console

    from pteroassets.platform.replays import run_reparse
    from pteroassets.settings import read_settings

    run_reparse(read_settings(), Console())
