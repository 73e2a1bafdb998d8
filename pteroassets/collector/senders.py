"""Who may send, and how much: the keys of games, and the rate of each.

Rates are counted by the library limits, in this process's memory, in windows of `WINDOW_SECONDS`.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

WINDOW_SECONDS: Final = 10
"""Time over which a rate is an average, so that a game may send what it gathered in it at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many events one key may send."""

    limiter: FixedWindowRateLimiter
    storage: MemoryStorage
    item: RateLimitItemPerSecond
    name: str

    @property
    def most(self) -> int:
        """Return how many may be sent in a window, and so in one request."""
        return self.item.amount

    def take(self, count: int) -> int | None:
        """Count *count* events, and return None; or count none, and return in how many seconds to send them again."""
        if self.limiter.hit(self.item, self.name, cost=count):
            return None
        # what is refused was counted, and would shut out what still fits
        self.storage.decr(self.item.key_for(self.name), count)
        return max(1, math.ceil(self.limiter.get_window_stats(self.item, self.name).reset_time - time.time()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One who sends events.

    Attributes:
        game: Whose events they are.
        rate: How many may be sent; None is any number.
    """

    game: str
    rate: Rate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What each key may send.

    Attributes:
        usual: Events a second of a key whose game has no rate of its own; None is any number.
        games: Those of games that have one.
    """

    usual: int | None = None
    games: Mapping[str, int] = field(default_factory=dict)
    storage: MemoryStorage = field(default_factory=MemoryStorage, repr=False, compare=False)

    def of(self, game: str, name: str) -> Rate | None:
        """Return the rate of a key of *game*, which is counted under *name*."""
        rate = self.games.get(game, self.usual)
        if rate is None:
            return None
        item = RateLimitItemPerSecond(rate * WINDOW_SECONDS, WINDOW_SECONDS)
        return Rate(limiter=FixedWindowRateLimiter(self.storage), storage=self.storage, item=item, name=name)


class Keys:
    """The keys of games; their digests are compared, so that the time it takes says nothing of a key."""

    def __init__(self, games: Mapping[str, str], rates: Rates | None = None) -> None:
        rates = rates or Rates()
        digests = {hashlib.sha256(key.encode()).digest(): game for key, game in games.items()}
        self._senders = {
            digest: Sender(game=game, rate=rates.of(game, digest.hex())) for digest, game in digests.items()
        }

    def sender_of(self, header: bytes | None) -> Sender | None:
        """Return whose key the header ``Authorization: Bearer <key>`` has, or None."""
        scheme, _, key = (header or b"").partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        return self._senders.get(hashlib.sha256(key.strip()).digest())
