"""``pteroassets replays``: replays of Arma 3 read by hand; it may run beside the platform, since passes wait."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console

from pteroassets.landing.arma3.by_hand import UnknownSiteError, load_replays, reparse
from pteroassets.landing.arma3.tables import REPLAYS
from pteroassets.landing.context import Landing
from pteroassets.platform.environment import RuntimeFault, landing_of
from pteroassets.platform.progress import rows_under_way
from pteroassets.settings import Settings
from pteroassets.sources.wording import counted
from pteroassets.warehouse.load import LoadReport

_SITES = "pteroassets_replay_sites"
_MOST_LINES = 100


def run_load(settings: Settings, console: Console, numbers: Sequence[int], site: str | None = None) -> None:
    """Read replays of a site, or of the first one, by their numbers; end with status 1 if one could not be read.

    Raises:
        MissingSettingError: No site is named.
        RuntimeFault: None of them is *site*.
    """
    _run(settings, console, numbers, site, only_new=False)


def run_backfill(settings: Settings, console: Console, first: int, last: int, site: str | None = None) -> None:
    """Read the replays from *first* to *last* that were not read yet, and end with status 1 if some could not be.

    Raises:
        MissingSettingError: No site is named.
        RuntimeFault: None of them is *site*.
    """
    _run(settings, console, range(first, last + 1), site, only_new=True)


def run_reparse(settings: Settings, console: Console) -> None:
    """Read all replays again from the log store; end with status 1 if one could not be read.

    Raises:
        MissingSettingError: No site is named.
    """
    Landing(settings=settings).require(_SITES)
    with (
        landing_of(settings) as landing,
        landing.connect() as connection,
        rows_under_way(console, "reading replays again") as advance,
    ):
        reports = reparse(landing, connection, advance)
    if _tell(console, reports):
        sys.exit(1)


def _run(settings: Settings, console: Console, numbers: Sequence[int], site: str | None, *, only_new: bool) -> None:
    Landing(settings=settings).require(_SITES)
    try:
        with (
            landing_of(settings) as landing,
            landing.connect() as connection,
            rows_under_way(console, "reading replays") as advance,
        ):
            reports = load_replays(landing, connection, numbers, site=site, only_new=only_new, advance=advance)
    except UnknownSiteError as error:
        raise RuntimeFault(str(error)) from error
    if _tell(console, reports):
        sys.exit(1)


def _tell(console: Console, reports: Sequence[LoadReport]) -> bool:
    """Print what was done; return whether something could not be read."""
    problems = [problem for report in reports for problem in report.problems]
    for report in reports:
        if report.table == REPLAYS:
            read = counted(report.rows_added, "replay")
            console.print(
                f"{read} read, {report.rows_changed} read again, {report.shown['unchanged']} unchanged", highlight=False
            )
    for problem in problems[:_MOST_LINES]:
        console.print(f"{problem['scope']}: {problem['reason']}", markup=False, highlight=False)
    if len(problems) > _MOST_LINES:
        more = f"and {len(problems) - _MOST_LINES:,} more; raw_arma3.replays has the outcome of each that was asked for"
        console.print(more, markup=False, highlight=False)
    return bool(problems)
