"""Measure contestants in turns, so that a machine whose speed wanders changes a ratio little."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from benchmarks.frame.meters import Cost, CpuMeter


def in_turns(
    contestants: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    meter: CpuMeter | None = None,
    before: Callable[[], object] | None = None,
) -> dict[str, list[Cost]]:
    """Return what each contestant cost in each round; in a round they run in turn, after an uncounted *before*."""
    meter = meter or CpuMeter()
    costs: dict[str, list[Cost]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            if before is not None:
                before()
            with meter.measured() as cost:
                run()
            costs[name] += cost
    return costs


def median(costs: Sequence[Cost]) -> float:
    """Return the median of the CPU seconds."""
    return statistics.median(cost.cpu for cost in costs)


def median_wall(costs: Sequence[Cost]) -> float:
    """Return the median of the seconds by the clock on the wall."""
    return statistics.median(cost.wall for cost in costs)


def median_ratio(of: Sequence[Cost], to: Sequence[Cost]) -> float:
    """Return the median of the rounds' ratios of CPU seconds."""
    return statistics.median(one.cpu / other.cpu for one, other in zip(of, to, strict=True))


def median_wall_ratio(of: Sequence[Cost], to: Sequence[Cost]) -> float:
    """Return the median of the rounds' ratios of seconds by the clock on the wall."""
    return statistics.median(one.wall / other.wall for one, other in zip(of, to, strict=True))
