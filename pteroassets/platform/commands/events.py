"""The commands of ``pteroassets events``."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click

from pteroassets.platform.commands import HOME

_SHARE: Final = click.FloatRange(0, 1)
_MOST_DAYS: Final = 3650
_DAY_SECONDS: Final = 86_400
_YEARS: Final = (1970, 9998)
"""In which a stream may end: the days before and the late ones after are times too."""


@click.group()
def events() -> None:
    """Push events of a game that is made up, and hold what the models say against what was sent."""


def _mix(_context: click.Context, _option: click.Parameter, value: str | None) -> dict[str, int] | None:
    if value is None:
        return None
    mix: dict[str, int] = {}
    for part in value.split(","):
        name, _, weight = part.strip().partition("=")
        if not weight.isdecimal():
            raise click.BadParameter(f"{part.strip()!r} is not TYPE=WEIGHT, such as kill_enemy=4")
        mix[name] = int(weight)
    return mix


def _finite(_context: click.Context, _option: click.Parameter, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number that can be counted with")
    return value


def _until(_context: click.Context, _option: click.Parameter, value: datetime | None) -> datetime | None:
    if value is not None and not _YEARS[0] <= value.year <= _YEARS[1]:
        raise click.BadParameter(f"the year has to be from {_YEARS[0]} to {_YEARS[1]}, and is {value.year}")
    return value


@events.command("generate")
@click.option("--events", "count", type=int, default=1_000, show_default=True, help="How many events.")
@click.option("--players", type=int, default=50, show_default=True, help="How many players at most.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same stream.")
@click.option("--mix", callback=_mix, metavar="TYPE=WEIGHT,...", help="How often each type comes, in proportion.")
@click.option(
    "--shops", is_flag=True, help="A load that is always the same: 2,130 swords, 2,500 horses, 300 of a guild."
)
@click.option("--duplicates", type=_SHARE, default=0.0, help="Share of events that are sent twice.")
@click.option("--late", type=_SHARE, default=0.0, help="Share of events that are sent long after they happened.")
@click.option("--malformed", type=_SHARE, default=0.0, help="Things sent that are no events, as a share of events.")
@click.option(
    "--days",
    type=click.FloatRange(0, _MOST_DAYS, min_open=True),
    callback=_finite,
    help="Days in which they happened; 1 otherwise.",
)
@click.option(
    "--until",
    type=click.DateTime(),
    callback=_until,
    help="When the last one happened, in UTC; now otherwise, so that ids differ.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    callback=_finite,
    help="Events a second, sent as they happen.",
)
@click.option("--url", help="Where the collector is; on this machine otherwise.")
@click.option("--game", help="Whose key is used; the first one of PTEROASSETS_EVENT_KEYS otherwise.")
@click.option("--batch", type=click.IntRange(1, 5_000), default=500, show_default=True, help="Events of a request.")
@click.option(
    "--totals",
    "kept",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    default=Path("events-totals.json"),
    show_default=True,
    help="File for what is true of the stream.",
)
@HOME
def generate(
    *,
    count: int,
    players: int,
    seed: int,
    mix: dict[str, int] | None,
    shops: bool,
    duplicates: float,
    late: float,
    malformed: float,
    days: float | None,
    until: datetime | None,
    rate: float | None,
    url: str | None,
    game: str | None,
    batch: int,
    kept: Path,
    home: Path | None,
) -> None:
    """Push a stream of events to the collector and print its totals, which are known beforehand.

    Where no key is set it is the collector of the demo.
    """
    from rich.console import Console

    from pteroassets.platform.events import collector_to_push_to, run_generate
    from pteroassets.settings import read_settings
    from pteroassets.simulator.events.stream import Recipe
    from pteroassets.simulator.events.types import USUAL_MIX

    if rate is not None and (days is not None or until is not None):
        raise click.UsageError("--rate sends events as they happen, so that --days and --until say nothing: leave them")
    if shops and mix is not None:
        raise click.UsageError("--shops is always the same: leave --mix")
    if rate is not None and count > rate * _MOST_DAYS * _DAY_SECONDS:
        raise click.UsageError(f"--rate {rate:g} would take more than {_MOST_DAYS:,} days: say a higher one")
    end = until.replace(tzinfo=UTC) if until is not None else datetime.now(tz=UTC)
    span = timedelta(days=days or 1) if rate is None else timedelta(seconds=max(count, 1) / rate)
    recipe = Recipe(
        seed=seed,
        begins_at=end - span if rate is None else end,
        span=span,
        events=count,
        players=players,
        mix=mix or USUAL_MIX,
        duplicates=duplicates,
        late=late,
        malformed=malformed,
        is_live=rate is not None,
        is_shops=shops,
    )
    way = collector_to_push_to(read_settings(), url=url, game=game, home=home)
    run_generate(Console(), recipe, way, batch=batch, kept=kept)


@events.command("reconcile")
@click.argument(
    "kept", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=Path("events-totals.json")
)
@HOME
def reconcile(*, kept: Path, home: Path | None) -> None:
    """Hold what the models say of a stream against the totals that generate kept in a file."""
    from rich.console import Console

    from pteroassets.platform.events import run_reconcile
    from pteroassets.settings import read_settings

    run_reconcile(read_settings(), Console(), kept, home=home)
