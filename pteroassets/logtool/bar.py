"""A progress bar on the terminal, beside what is printed."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn


class Bar:
    """Shows how much was read, and goes away at the end; a context manager."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("Reading logs"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("", total=None)

    def begin(self, total: int) -> None:
        """Take note of how many bytes there are to read; 0 where nobody can tell."""
        self._bar.update(self._task, total=total or None)

    def advance(self, count: int) -> None:
        """Move on by *count* bytes."""
        self._bar.advance(self._task, count)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
