"""The one clock that everything uses: pacing, sample times and validity.

Only ``_loaded_at`` columns are Postgres's own time.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Gives the time and lets it pass."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return when *seconds* have passed on this clock."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(tz=UTC)

    def sleep(self, seconds: float) -> None:
        """Block for *seconds*."""
        time.sleep(seconds)


class ManualClock:
    """A clock that moves only when it is set; sleeping on it moves it."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant this clock was last moved to."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move on by *seconds* without waiting."""
        self._now += timedelta(seconds=seconds)

    def move_to(self, instant: datetime) -> None:
        """Set the clock to *instant*."""
        self._now = instant.astimezone(UTC)
