"""Who may send, and how much: the keys of games, and the rate of each.

Rates are counted by the library limits, in this process's memory, in windows of `WINDOW_SECONDS`.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage

WINDOW_SECONDS: Final = 10
"""Time over which a rate is an average, so that a game may send what it gathered in it at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many events one key may send.

    Attributes:
        most: How many in a window, and so in one request.
        key: Under which they are counted.
        storage: What counts them.
    """

    most: int
    key: str
    storage: MemoryStorage

    def take(self, count: int) -> int | None:
        """Count *count* events, and return None; or count none, and return in how many seconds to send them again."""
        # what the library's strategy of fixed windows does, without a key that is made anew each time
        if self.storage.incr(self.key, WINDOW_SECONDS, count) <= self.most:
            return None
        # what is refused was counted, and would shut out what still fits
        self.storage.decr(self.key, count)
        return max(1, math.ceil(self.storage.get_expiry(self.key) - time.time()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One who sends events.

    Attributes:
        game: Whose events they are.
        rate: How many may be sent; None is any number.
    """

    game: str
    rate: Rate | None = None


class _NoTimer(threading.Timer):
    """In the place of a timer that is under way."""

    def __init__(self) -> None:
        super().__init__(0, lambda: None)

    def is_alive(self) -> bool:
        return True


def _storage() -> MemoryStorage:
    """Return a storage that starts no thread.

    The library's own starts one each 10 ms in which something is counted, to forget counters whose window is over
    (findings/limits-memory-threads.sh). Ours are as many as there are keys, and each begins anew when it is used.
    """
    storage = MemoryStorage()
    storage.timer.cancel()
    storage.timer = _NoTimer()
    return storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What each key may send.

    Attributes:
        usual: Events a second of a key whose game has no rate of its own; None is any number.
        games: Those of games that have one.
    """

    usual: int | None = None
    games: Mapping[str, int] = field(default_factory=dict)
    storage: MemoryStorage = field(default_factory=_storage, repr=False, compare=False)

    def of(self, game: str, name: str) -> Rate | None:
        """Return the rate of a key of *game*, which is counted under *name*."""
        rate = self.games.get(game, self.usual)
        if rate is None:
            return None
        item = RateLimitItemPerSecond(rate * WINDOW_SECONDS, WINDOW_SECONDS)
        return Rate(most=item.amount, key=item.key_for(name), storage=self.storage)


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
