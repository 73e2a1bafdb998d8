"""The commands of ``pteroassets stream``."""

from __future__ import annotations

from typing import Final

import click

_SECONDS: Final = click.option(
    "--seconds", type=click.FloatRange(0.1), default=5.0, show_default=True, help="Longest time between two rounds."
)
_ONCE: Final = click.option("--once", is_flag=True, help="End once all is done that was there, instead of going on.")


@click.group()
def stream() -> None:
    """Bring events from brokers that speak Kafka into the lake, and from there into Postgres."""


@stream.command("write")
@_SECONDS
@_ONCE
@click.option("--accept-gap", is_flag=True, help="Go on where the topic begins, if it no longer has what comes next.")
def write_stream(*, seconds: float, once: bool, accept_gap: bool) -> None:
    """Write the events of the topics into the lake, each once, until SIGTERM; one writer at a time."""
    from pteroassets.platform.stream import run_writer
    from pteroassets.settings import read_settings
    from pteroassets.sources.wording import counted

    written = run_writer(read_settings(), seconds=seconds, until_idle=once, accept_gap=accept_gap)
    click.echo(f"{counted(written, 'message')} written")


@stream.command("load")
@_SECONDS
@_ONCE
def load_stream(*, seconds: float, once: bool) -> None:
    """Load what the lake got into raw_events, each row once, until SIGTERM; the models are made of it."""
    from pteroassets.platform.stream import run_loader
    from pteroassets.settings import read_settings
    from pteroassets.sources.wording import counted

    click.echo(f"{counted(run_loader(read_settings(), seconds=seconds, once=once), 'row')} loaded")


@stream.command("demo")
@click.option("--once", is_flag=True, help="End once the figures are there, instead of going on until Ctrl-C.")
@click.option("--seed", type=int, default=7, show_default=True, help="Number of the stream that is pushed.")
@click.option("--events", type=click.IntRange(1, 100_000), default=5_000, show_default=True, help="How many it has.")
def demo_stream(*, once: bool, seed: int, events: int) -> None:
    """Push one stream through both paths, side by side on this machine, and show that their figures are the same."""
    import sys

    from rich.console import Console

    from pteroassets.platform.stream_demo import run_stream_demo
    from pteroassets.settings import read_settings

    if not run_stream_demo(read_settings(), Console(), once=once, seed=seed, events=events):
        sys.exit(1)
