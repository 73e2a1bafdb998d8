"""How far something is: a bar on a terminal, whole lines where the output is kept in a file."""

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
    """Show that *what* is under way, and say at the end how long it took; give what is told how far it is.

    The bar goes away and leaves one line behind, so that nothing half-drawn stays. Where *console* is no terminal, a
    line says when it begins and one when it ends. The second argument of what is given is the total, None where
    nobody knows it.
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
def bytes_under_way(console: Console, what: str, *, is_kept: bool = True) -> Iterator[Advance]:
    """Show how many bytes are done of what is called *what*; give what is told how many, and the total.

    Only a terminal shows it. With *is_kept* the bar stays there when it is over.
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
