"""Faults that a test or a person asks of the fake Discord."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Fault:
    """Something that goes wrong with requests whose ``METHOD template`` matches *route*, a regular expression.

    Attributes:
        statuses: Answers in the place of the real ones, one request each.
        status: Answer for a *share* of requests, until *until*.
        times: How many more requests are struck; None for no end.
        slow: Seconds by which the real answer is late.
        loses_answer: The request is obeyed, but its answer never arrives.
    """

    route: str = ""
    statuses: list[int] = field(default_factory=list)
    status: int | None = None
    share: float = 1.0
    until: float | None = None
    times: int | None = None
    slow: float = 0.0
    loses_answer: bool = False

    def strikes(self, route: str, now: float, chance: random.Random) -> bool:
        """Return whether a request of *route* is struck."""
        if self.until is not None and now >= self.until:
            return False
        if self.times is not None and self.times <= 0:
            return False
        return bool(re.search(self.route, route)) and (self.share >= 1.0 or chance.random() < self.share)

    @property
    def is_over(self) -> bool:
        """Whether this fault has struck as often as it may."""
        return self.times is not None and self.times <= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """What befalls one request."""

    status: int | None = None
    slow: float = 0.0
    loses_answer: bool = False


class Faults:
    """The faults that are on; for one thread."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._faults: list[Fault] = []
        self._chance = random.Random(0)
        self.struck = 0

    def add(self, wanted: dict[str, Any]) -> None:
        """Switch a fault on.

        Args:
            wanted: The attributes of `Fault` but ``until``; with ``seconds`` in its place.

        Raises:
            TypeError: An attribute that a fault has not.
        """
        given = dict(wanted)
        seconds = given.pop("seconds", None)
        fault = Fault(**given)
        if fault.statuses:
            fault.times = len(fault.statuses)
        if seconds is not None:
            fault.until = self._seconds() + float(seconds)
        self._faults.append(fault)

    def clear(self) -> None:
        """Switch every fault off."""
        self._faults.clear()

    def take(self, route: str) -> Blow:
        """Return what befalls a request of *route*, and count it."""
        now = self._seconds()
        status, slow, loses = None, 0.0, False
        for fault in self._faults:
            if not fault.strikes(route, now, self._chance):
                continue
            if fault.times is not None:
                fault.times -= 1
            self.struck += 1
            slow = max(slow, fault.slow)
            loses = loses or fault.loses_answer
            if status is None:
                status = fault.statuses.pop(0) if fault.statuses else fault.status
        self._faults = [one for one in self._faults if not one.is_over and (one.until is None or now < one.until)]
        return Blow(status=status, slow=slow, loses_answer=loses)
