"""What is recommended to a server, computed from its samples by the rule as it is told, without SQL."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

DAYS, LEAST_DAYS, LEAST_COVERAGE, HEADROOM = 14, 7, 0.5, 1.2


def percentile(values: Sequence[float], share: float) -> float:
    """Return the percentile with linear interpolation between the two nearest ranks."""
    ordered = sorted(values)
    rank = share * (len(ordered) - 1)
    below = math.floor(rank)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (rank - below)


@dataclass(kw_only=True)
class Used:
    """What a server used in a window: (time, processor in % of a core, memory in MiB) while it ran, and its disk."""

    since: datetime
    until: datetime
    ran: list[tuple[datetime, float, float]] = field(default_factory=list)
    disk: list[float] = field(default_factory=list)

    @property
    def days(self) -> set[date]:
        return {at.astimezone(UTC).date() for at, _, _ in self.ran}

    @property
    def cpu(self) -> list[float]:
        return [cpu for _, cpu, _ in self.ran]

    @property
    def memory(self) -> list[float]:
        return [memory for _, _, memory in self.ran]

    @property
    def peak_at(self) -> datetime | None:
        """Return when memory was last at its most."""
        most = max(self.memory, default=0)
        return max((at for at, _, memory in self.ran if memory == most), default=None)


def figures(values: Sequence[float]) -> tuple[int, float | None, float | None, float | None]:
    """Return how many there are, the 95th and 99th percentile and the most."""
    if not values:
        return 0, None, None, None
    return len(values), percentile(values, 0.95), percentile(values, 0.99), max(values)


def why_not(used: Used, coverage: float | None, *, is_there: bool, is_suspended: bool) -> str | None:
    """Return why no limit is recommended, whichever it is; None where one may be."""
    if not is_there:
        return "gone"
    if is_suspended:
        return "suspended"
    if used.until - used.since < timedelta(days=LEAST_DAYS):
        return "history_too_short"
    return "thinly_sampled" if coverage is None or coverage < LEAST_COVERAGE else None


def recommended(
    used: Used, limits: tuple[int | None, int | None, int | None], crashes: int | None
) -> tuple[tuple[int | None, str | None], ...]:
    """Return the limit or the reason why there is none, of memory, processor and disk, where enough was sampled."""
    memory, cpu, disk = limits
    seldom = "seldom_running" if len(used.days) < LEAST_DAYS else None
    found: list[tuple[int | None, str | None]] = []
    after_crash = memory * HEADROOM if memory is not None and crashes else 0.0
    for values, limit, step, floor, why in (
        (used.memory, memory, 128, max(after_crash, *used.memory, 0.0), seldom),
        (used.cpu, cpu, 10, 0.0, seldom),
        (used.disk, disk, 1024, max(used.disk, default=0.0), None),
    ):
        if why or not values or limit is None:
            found.append((None, why or ("unlimited" if values else "thinly_sampled")))
            continue
        needed = max(percentile(values, 0.99) * HEADROOM, floor)
        # a product of decimals may lie a hair above a step that it is
        found.append((max(math.ceil(round(needed / step, 9)), 1) * step, None))
    return tuple(found)
