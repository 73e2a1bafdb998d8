"""What one pass over the logs may cost, and how that is shared among the servers."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pteroassets.sources.pterodactyl.dialect import PTERODACTYL, Dialect
from pteroassets.sources.pterodactyl.files import requests_for

_Owner = TypeVar("_Owner")


class Listed(Protocol):
    """A file that may be fetched."""

    @property
    def size(self) -> int:
        """Its bytes, as listed."""


_File = TypeVar("_File", bound=Listed)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBudget:
    """The most that one pass may send and fetch.

    Attributes:
        requests: To the panel and its nodes; at most half of them are lists, so that something is fetched as well.
        bytes: As listed; the file that reaches them is still fetched, or one larger than them would never be.
    """

    requests: int = 5_000
    bytes: int = 2 * 1024**3


class Purse:
    """What is left of a budget; what a file costs depends on the panel."""

    def __init__(self, budget: LogBudget, dialect: Dialect = PTERODACTYL) -> None:
        self._dialect = dialect
        self._requests = budget.requests
        self._bytes = budget.bytes

    @property
    def lists(self) -> int:
        """How many folders may be listed."""
        return max(1, self._requests // 2)

    def pay_lists(self, count: int) -> None:
        """Take the requests of *count* lists out, whether they are there or not."""
        self._requests -= count

    def pay(self, size: int) -> bool:
        """Take out what a file of *size* bytes costs, and tell whether that was there."""
        requests = requests_for(size, self._dialect)
        if self._bytes <= 0 or self._requests < requests:
            return False
        self._requests -= requests
        self._bytes -= size
        return True


def share(
    purse: Purse, wanted: Mapping[_Owner, Sequence[_File]]
) -> tuple[dict[_Owner, list[_File]], dict[_Owner, list[_File]]]:
    """Return what each owner gets fetched of the files that it wants, in their order, and what is left of them.

    The next file is always that of the owner who got the fewest bytes until then, so one huge folder delays no other.
    """
    granted: dict[_Owner, list[_File]] = {owner: [] for owner in wanted}
    left: dict[_Owner, list[_File]] = {owner: [] for owner in wanted}
    owners = list(wanted)
    queue = [(0, number, 0) for number, owner in enumerate(owners) if wanted[owner]]
    while queue:
        got, number, index = heapq.heappop(queue)
        owner = owners[number]
        named = wanted[owner][index]
        if not purse.pay(named.size):
            left[owner] = list(wanted[owner][index:])
            continue
        granted[owner].append(named)
        if index + 1 < len(wanted[owner]):
            heapq.heappush(queue, (got + named.size, number, index + 1))
    return granted, left
