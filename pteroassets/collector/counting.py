"""What the collector counts of itself, as Prometheus reads it.

The format is https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(slots=True)
class Counts:
    """Counted since the start.

    Attributes:
        requests: By the status of the answer.
        events: Stored as events, by game.
        dead_letters: Stored as dead letters, by reason.
        groups: Commits, by whether they succeeded.
        seconds: Time that they took.
    """

    requests: Counter[int] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def group_stored(self, seconds: float, *, failed: bool) -> None:
        """Count a commit that took *seconds*."""
        self.groups["failed" if failed else "committed"] += 1
        self.seconds += seconds

    def text(self, *, waiting: int) -> str:
        """Return the page of all metrics; *waiting* is how many rows wait to be stored."""
        return "".join(
            (
                _metric("requests_total", "Requests by the status of the answer.", "status", self.requests),
                _metric("events_total", "Events that are stored, copies included.", "game", self.events),
                _metric("dead_letters_total", "What was refused and kept.", "reason", self.dead_letters),
                _metric("commits_total", "Transactions by how they ended.", "outcome", self.groups),
                _metric("commit_seconds_total", "Time that transactions took.", "", {"": round(self.seconds, 6)}),
                _metric("waiting_rows", "Rows that wait to be stored.", "", {"": waiting}, kind="gauge"),
            )
        )


def _metric(
    name: str, told: str, label: str, counts: Mapping[Any, float], *, kind: Literal["counter", "gauge"] = "counter"
) -> str:
    name = f"pteroassets_collector_{name}"
    lines = [f"# HELP {name} {told}", f"# TYPE {name} {kind}"]
    for value, count in sorted(counts.items()):
        lines.append(f'{name}{{{label}="{value}"}} {count}' if label else f"{name} {count}")
    return "\n".join(lines) + "\n"
