"""What an operator runs by hand: fetch all history, or read the collected history again.

Both may run beside the platform: passes and parsing wait for each other.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from rich.console import Console

from pteroassets.landing.context import Landing
from pteroassets.landing.minecraft.passes import reparse
from pteroassets.landing.sources import PASSES
from pteroassets.platform.environment import RuntimeFault, landing_of
from pteroassets.platform.progress import bytes_under_way
from pteroassets.platform.workers import backfill_on_cores, cores, ready_workers
from pteroassets.settings import Settings
from pteroassets.sources.wording import counted


@contextmanager
def _landing_of_logs(settings: Settings) -> Iterator[Landing]:
    """Give what passes need where what they read is hashed as the platform does.

    Raises:
        RuntimeFault: A setting is missing.
    """
    if settings.pteroassets_pii == "hash" and settings.pteroassets_pii_key is None:
        raise RuntimeFault(
            "PTEROASSETS_PII is hash, which needs a secret in PTEROASSETS_PII_KEY: set the one that the platform uses"
        )
    with landing_of(settings) as landing:
        yield landing


def run_backfill(settings: Settings, console: Console, name: str) -> None:
    """Fetch all history that the source of the pass *name* still has, and derive what follows.

    Raises:
        RuntimeFault: A setting is missing, or the source keeps no history.
        WaitingLogsError: Something is left that no pass fetches.
        PanelError: The list of servers could not be read.
    """
    one = PASSES.get(name)
    if one is None or one.backfill is None:
        able = ", ".join(name for name, one in PASSES.items() if one.backfill is not None)
        why = f"there is no pass {name!r}" if one is None else f"the source of {name} keeps no history to fetch"
        raise RuntimeFault(f"{why}; these can be back-filled: {able}")
    Landing(settings=settings).require(*one.needs)
    with (
        ready_workers(cores() - 1) as ready,  # before anything is opened
        _landing_of_logs(settings) as landing,
        bytes_under_way(console, f"fetching {name}") as advance,
    ):
        groups = backfill_on_cores(landing, name, advance, processes=cores(), ready=ready)
    reports = [report for group in groups for report in group]
    added = sum(report.rows_added for report in reports)
    passes = counted(max(len(group) for group in groups), "pass", "passes")
    requests = counted(sum(report.requests for report in reports), "request")
    console.print(f"{counted(added, 'new row')} in {one.ends_with}, {passes} and {requests}")
    # what went wrong in an earlier pass is mended, or said again by the last
    for problem in [problem for group in groups for report in group[-1:] for problem in report.problems]:
        console.print(f"{problem['scope']}: {problem['reason']}", markup=False)


def run_reparse(settings: Settings, console: Console, *, server: uuid.UUID | None, since: date | None) -> None:
    """Read history again from the log store and derive sessions, without asking the panel.

    Raises:
        RuntimeFault: A setting is missing, or the store lacks files.
    """
    with _landing_of_logs(settings) as landing:
        try:
            with bytes_under_way(console, "reading logs again") as advance:
                reports = reparse(landing, advance, servers=None if server is None else [server], since=since)
        except FileNotFoundError as error:
            raise RuntimeFault(str(error)) from error
    for report in reports:
        console.print(f"{report.table}: {counted(report.rows_read, 'row')}, {report.seconds:.1f} s")
