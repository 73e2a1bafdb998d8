"""Who may send, and how much: the keys of games, and the rate of each, counted in this process's memory."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

WINDOW_SECONDS: Final = 10
"""Time over which a rate is an average, so that a game may send what it gathered in it at once."""


@dataclass(slots=True, kw_only=True)
class Rate:
    """How many events one key may send: what it does not use is gathered, up to that of `WINDOW_SECONDS`.

    A bucket of tokens. Windows, as the library limits has them, would give a game whose requests fill more than half of
    one a single request in each: half of its rate, and it would never catch up.

    Attributes:
        each_second: How many, as an average.
    """

    each_second: int
    _left: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._left, self._at = self.most, monotonic()

    @property
    def most(self) -> int:
        """Return how many it may send at once, and so in one request."""
        return self.each_second * WINDOW_SECONDS

    def take(self, count: int) -> int | None:
        """Count *count* events, and return None; or count none, and return in how many seconds to send them again."""
        now = monotonic()
        self._left = min(self.most, self._left + (now - self._at) * self.each_second)
        self._at = now
        if count <= self._left:
            self._left -= count
            return None
        return max(1, math.ceil((count - self._left) / self.each_second))

    def give_back(self, count: int) -> None:
        """Count *count* events no more, since they were not stored."""
        self._left = min(self.most, self._left + count)


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
    _made: dict[str, Rate] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of(self, game: str, name: str) -> Rate | None:
        """Return the rate of a key of *game*; what has the same *name* is counted together."""
        rate = self.games.get(game, self.usual)
        if rate is None:
            return None
        return self._made.setdefault(name, Rate(each_second=rate))


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
