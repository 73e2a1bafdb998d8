"""What Discord's answers say about how often it may be asked, and until when it may not.

Nothing is assumed of a route: each answer names its bucket, what is left in it and when it is filled again
(https://discord.com/developers/docs/topics/rate-limits). A bucket counts for one channel, guild or webhook each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

# Discord's limit is 50 a second for a bot, and the bot's own process takes part of it
_CALLS_A_SECOND = 40
_SECOND = timedelta(seconds=1)
_FORGET_ABOVE = 2_000  # windows that are over are dropped when there are more


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request's route for the limits: *template* with what it counts for, such as a channel."""

    template: str
    major: str


@dataclass(slots=True)
class _Window:
    remaining: int
    resets_at: datetime


class DiscordRates:
    """Keeps the windows that Discord announced."""

    def __init__(self) -> None:
        self._buckets: dict[str, str] = {}
        self._windows: dict[tuple[str, str], _Window] = {}
        self._all_until: datetime | None = None
        self._calls: deque[datetime] = deque(maxlen=_CALLS_A_SECOND)

    def closed_until(self, call: Call, now: datetime) -> datetime | None:
        """Return until when *call* must not be made; None: it may be made now."""
        if self._all_until is not None and self._all_until > now:
            return self._all_until
        if len(self._calls) == _CALLS_A_SECOND and self._calls[0] + _SECOND > now:
            return self._calls[0] + _SECOND
        window = self._windows.get(self._key(call))
        if window is not None and window.remaining <= 0 and window.resets_at > now:
            return window.resets_at
        return None

    def note_call(self, call: Call, now: datetime) -> None:
        """Record that *call* is about to be made."""
        self._calls.append(now)
        window = self._windows.get(self._key(call))
        if window is not None:
            window.remaining -= 1

    def note_answer(self, call: Call, headers: Mapping[str, str], now: datetime) -> None:
        """Record what the headers of an answer say."""
        bucket = headers.get("X-RateLimit-Bucket")
        remaining, after = _number(headers, "X-RateLimit-Remaining"), _number(headers, "X-RateLimit-Reset-After")
        if bucket is None or remaining is None or after is None:
            return
        self._buckets[call.template] = bucket
        self._windows[self._key(call)] = _Window(int(remaining), now + timedelta(seconds=after))
        if len(self._windows) > _FORGET_ABOVE:
            self._windows = {key: window for key, window in self._windows.items() if window.resets_at > now}

    def note_refusal(self, call: Call, *, seconds: float, is_global: bool, now: datetime) -> None:
        """Record a 429: nothing may be asked for *seconds*, on this route or on any."""
        until = now + timedelta(seconds=seconds)
        if is_global:
            self._all_until = until
        else:
            self._windows[self._key(call)] = _Window(0, until)

    def _key(self, call: Call) -> tuple[str, str]:
        return self._buckets.get(call.template, call.template), call.major


def _number(headers: Mapping[str, str], name: str) -> float | None:
    try:
        return float(headers[name])
    except (KeyError, ValueError):
        return None
