"""When a card is written anew: the rules of updating."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRules:
    """What has to become different before a card says it.

    Attributes:
        cpu_points: More percentage points of processor use than this away from what is shown.
        every: The longest that a card stays as it is.
        memory_percent: Memory that comes as near as this to its limit.
    """

    cpu_points: float = 50.0
    every: timedelta = timedelta(minutes=10)
    memory_percent: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What rules compare: of a card what it shows, of a server what is so now. Memory is a part of the limit."""

    state: str
    cpu_percent: float | None = None
    memory_ratio: float | None = None
    at: datetime | None = None


def reason_to_update(shown: Shown | None, now: Shown, rules: UpdateRules) -> str | None:
    """Return why a card that shows *shown* (None at first sight) is to show *now*, or None where it is not."""
    if shown is None or shown.at is None:
        return "first sight"
    if shown.state != now.state:
        return f"state changed from {shown.state} to {now.state}"
    if shown.cpu_percent is not None and now.cpu_percent is not None:
        moved = abs(now.cpu_percent - shown.cpu_percent)
        if moved > rules.cpu_points:
            return f"processor use moved by {moved:.0f} points"
    # leaving is told with the next update, so that a server that swings about the mark says it once
    if _is_near(now, rules) and not _is_near(shown, rules):
        return f"memory is within {rules.memory_percent:g} % of its limit"
    if now.at is not None and now.at - shown.at >= rules.every:
        return f"{rules.every.total_seconds() / 60:g} minutes passed"
    return None


def _is_near(one: Shown, rules: UpdateRules) -> bool:
    return one.memory_ratio is not None and one.memory_ratio >= 1 - rules.memory_percent / 100
