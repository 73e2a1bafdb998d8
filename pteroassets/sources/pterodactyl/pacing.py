"""Stay within the rate that the panel announces.

The panel counts requests per user in windows of 60 seconds, one count for each API. A window opens with the first
counted request and is neither sliding nor aligned to the clock. Answers carry ``X-RateLimit-Limit`` and
``X-RateLimit-Remaining``; a refusal (429) carries ``Retry-After``. The limit differs between versions of the panel and
is never assumed: until the first answer, requests go out freely.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, Protocol

from pteroassets.clock import Clock

Api = Literal["application", "client"]

#: The panel's window opens when our first request arrives, ours before that: one second makes ours longer.
WINDOW = timedelta(seconds=61)


class RequestBudget(Protocol):
    """The one budget for all requests to a panel; safe to use from many threads."""

    def take(self, api: Api) -> None:
        """Return when one request to *api* may be sent."""
        ...

    def observe(self, api: Api, *, limit: int | None, remaining: int | None, retry_after: float | None) -> None:
        """Record an answer's headers; *retry_after* (seconds) is given only for a refusal."""
        ...


class AnnouncedLimits:
    """A budget for one process that follows the panel's own count and records its limits.

    Requests go out freely while the panel says that more than a fifth of its window is left.
    """

    def __init__(self, clock: Clock) -> None:
        self.limits: dict[Api, int] = {}
        self._clock = clock
        self._closed_until: dict[Api, datetime] = {}

    def take(self, api: Api) -> None:
        """Return when one request to *api* may be sent, sleeping on the clock while the window is used up."""
        until = self._closed_until.get(api)
        if until is not None and (seconds := (until - self._clock.now()).total_seconds()) > 0:
            self._clock.sleep(seconds)

    def observe(self, api: Api, *, limit: int | None, remaining: int | None, retry_after: float | None) -> None:
        """Record an answer's headers; a refusal stops every request to *api* for *retry_after* seconds."""
        if limit is not None:
            self.limits[api] = limit
        if retry_after is not None:
            self._closed_until[api] = self._clock.now() + timedelta(seconds=retry_after)
        elif limit is not None and remaining is not None and remaining <= limit / 5:
            self._closed_until[api] = self._clock.now() + WINDOW
