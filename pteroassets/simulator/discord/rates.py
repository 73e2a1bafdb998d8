"""Rate limits: a bucket for each kind of route and place, and fifty requests a second for the bot as a whole.

The windows are seconds of this machine (`time.monotonic` unless told otherwise), since that is what clients sleep on.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pteroassets.simulator.discord.refusals import Refusal

GLOBAL_LIMIT: Final = 50


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds."""

    limit: int
    seconds: float


RATES: Final[Mapping[str, Rate]] = {
    "POST /channels/{channel}/messages": Rate(5, 5.0),
    "PATCH /channels/{channel}/messages/{message}": Rate(5, 5.0),
    "DELETE /channels/{channel}/messages/{message}": Rate(5, 1.0),
    "POST /webhooks/{webhook}/{token}": Rate(5, 2.0),
    "PATCH /webhooks/{webhook}/{token}/messages/{message}": Rate(5, 2.0),
    "DELETE /webhooks/{webhook}/{token}/messages/{message}": Rate(5, 2.0),
}
"""Limits of routes of which people have seen the headers; Discord may change them, and clients are to read them."""
OTHERS: Final = Rate(50, 1.0)


@dataclass(slots=True)
class _Window:
    ends: float
    used: int = 0


class Limits:
    """Counts requests and says when there were too many; for one thread."""

    def __init__(
        self,
        rates: Mapping[str, Rate] | None = None,
        *,
        overall: int = GLOBAL_LIMIT,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rates = {**RATES, **(rates or {})}
        self.overall = overall
        self.refused = 0
        self._seconds = seconds
        self._windows: dict[tuple[str, str], _Window] = {}
        self._overall = _Window(ends=0.0)

    def take(self, route: str, place: str, *, counts_overall: bool) -> dict[str, str]:
        """Count one request of *route* at *place* (its channel, guild or webhook); return the headers of its answer.

        Raises:
            Refusal: 429, with the headers and the wait.
        """
        now = self._seconds()
        if counts_overall:
            self._take_overall(now)
        rate = self.rates.get(route, OTHERS)
        window = self._windows.get((route, place))
        if window is None or window.ends <= now:
            window = self._windows[route, place] = _Window(ends=now + rate.seconds)
        wait = window.ends - now
        headers = {
            "X-RateLimit-Limit": str(rate.limit),
            "X-RateLimit-Remaining": str(max(0, rate.limit - window.used - 1)),
            "X-RateLimit-Reset": f"{time.time() + wait:.3f}",
            "X-RateLimit-Reset-After": f"{wait:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(route.encode()).hexdigest()[:32],
        }
        if window.used >= rate.limit:
            self.refused += 1
            raise too_many(wait, "user", headers)
        window.used += 1
        return headers

    def _take_overall(self, now: float) -> None:
        if self._overall.ends <= now:
            self._overall = _Window(ends=now + 1.0)
        if self._overall.used >= self.overall:
            self.refused += 1
            raise too_many(self._overall.ends - now, "global", {})
        self._overall.used += 1


def too_many(wait: float, scope: str, headers: Mapping[str, str]) -> Refusal:
    """Return the answer 429 with *wait* in seconds; *scope* is ``user``, ``global`` or ``shared``."""
    everywhere = {"X-RateLimit-Global": "true"} if scope == "global" else {}
    return Refusal(
        429,
        0,
        "You are being rate limited.",
        headers={
            **headers,
            **everywhere,
            "Retry-After": str(int(wait) + 1),
            "X-RateLimit-Scope": scope,
            # what stands before Discord; without it clients take the answer for a ban of their address
            "Via": "1.1 google",
        },
        more={"retry_after": round(wait + 0.001, 3), "global": scope == "global"},
    )
