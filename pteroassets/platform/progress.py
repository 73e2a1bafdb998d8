"""Progress: a bar on a terminal, whole lines if the output is a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

Advance = Callable[[int, int | None], None]


@contextmanager
def under_way(console: Console, what: str) -> Iterator[Advance]:
    """Show that *what* is running, and at the end how long it took; give a function to report progress to.

    The bar disappears and leaves one line behind. If *console* is not a terminal, one line says that it begins and one
    that it ended. The function's second argument is the total, None if it is unknown.
    """
    begun = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    if not console.is_terminal:
        console.print(f"{what} …", highlight=False, soft_wrap=True)
    outcome = "stopped"
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
        outcome = "done"
    finally:
        seconds = time.monotonic() - begun
        console.print(f"{what}: {outcome} after {seconds:.0f} s", highlight=False, soft_wrap=True)


@contextmanager
def rows_under_way(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function to report to how many rows are done, of about how many; nothing is shown unless it is called."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tenths = -1

        def advance(done: int, total: int) -> None:
            nonlocal tenths
            if tenths < 0:
                bar.add_task(what, total=total)
            bar.update(bar.task_ids[0], completed=done, total=max(done, total))
            reached = 10 * done // max(done, total, 1)
            if reached > tenths and not console.is_terminal:
                console.print(f"{what}: {done:,} of {total:,}", highlight=False, soft_wrap=True)
            tenths = max(reached, tenths)

        yield advance


@contextmanager
def bytes_under_way(console: Console, what: str, *, is_kept: bool = True) -> Iterator[Advance]:
    """Show how many bytes of *what* are done; give a function to report them to, with the total.

    Only a terminal shows it. With *is_kept* the bar stays there at the end.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=not is_kept, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
