"""Stay within the rate that the panel announces.

The panel counts requests per user in windows of 60 seconds, one count for each API. A window opens with the first
counted request and is neither sliding nor aligned to the clock. Answers carry ``X-RateLimit-Limit`` and
``X-RateLimit-Remaining``; a refusal (429) carries ``Retry-After``. The limit differs between versions of the panel and
is never assumed: until the first answer has told it, requests go out freely.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from pteroassets.clock import Clock

Api = Literal["application", "client"]

# the panel's window opens when our first request arrives, ours when it leaves: one second keeps ours the longer
_WINDOW = timedelta(seconds=61)


class RequestBudget(Protocol):
    """The one budget that everything which talks to a panel draws from; safe to use from many threads."""

    def take(self, api: Api) -> None:
        """Return when one request to *api* may be sent."""
        ...

    def observe(self, api: Api, *, limit: int | None, remaining: int | None, retry_after: float | None) -> None:
        """Note what an answer's headers say; *retry_after* (seconds) is given for a refusal alone."""
        ...


@dataclass(slots=True)
class _Window:
    limit: int | None = None
    ends_at: datetime | None = None
    taken: int = 0


class LocalBudget:
    """A budget for one process.

    Args:
        clock: Tells the windows and is slept on.
        share: Of the announced limit, how much is ours; the rest is left to people and other tools of the same user.
    """

    def __init__(self, clock: Clock, *, share: float = 0.8) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"the share of the rate limit must be above 0 and at most 1, not {share}")
        self._clock = clock
        self._share = share
        self._lock = threading.Lock()
        self._windows: dict[Api, _Window] = {"application": _Window(), "client": _Window()}

    def take(self, api: Api) -> None:
        """Return when one request to *api* may be sent, sleeping on the clock while the window is used up."""
        while True:
            with self._lock:
                window = self._windows[api]
                now = self._clock.now()
                if window.ends_at is None or now >= window.ends_at:
                    window.ends_at = now + _WINDOW
                    window.taken = 0
                if window.limit is None or window.taken < self._allowance(window.limit):
                    window.taken += 1
                    return
                seconds = (window.ends_at - now).total_seconds()
            self._clock.sleep(seconds)

    def observe(self, api: Api, *, limit: int | None, remaining: int | None, retry_after: float | None) -> None:
        """Note what an answer's headers say; a refusal stops every request to *api* for *retry_after* seconds."""
        with self._lock:
            window = self._windows[api]
            if limit is not None:
                window.limit = limit
            known = window.limit
            if retry_after is not None:
                window.limit = known if known is not None else 1
                window.taken = max(window.taken, window.limit)
                window.ends_at = self._clock.now() + timedelta(seconds=retry_after)
            elif known is not None and remaining is not None and remaining <= (known - self._allowance(known)) / 2:
                # others of the same user draw on the window too: half of what is left to them closes it for us
                window.taken = max(window.taken, known)

    def _allowance(self, limit: int) -> int:
        return max(1, int(limit * self._share))
