"""Readings in few words, for tests of what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pteroassets.alarms.incidents.advance import Step, advance
from pteroassets.alarms.incidents.model import Crash, Incident, Readings, Sample, Server, State
from pteroassets.alarms.incidents.rules import Rules, read_rules
from pteroassets.alarms.outbox import Message

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
PASS = timedelta(minutes=5)
GIB = 1024**3
TARGET = "discord:1"


def server(number: int = 1, node: str = "fra-01", **others: Any) -> Server:
    return Server(
        uuid=f"00000000-0000-4000-8000-{number:012}",
        name=f"Lobby {number}",
        **{
            "node_name": node,
            "egg_name": "Paper",
            "owner_name": "nora",
            "memory_bytes": 4 * GIB,
            "cpu_percent": 200,
            "disk_bytes": 20 * GIB,
            **others,
        },
    )


def sample(of: Server, at: datetime, outcome: str = "ok", **figures: Any) -> Sample:
    usual: dict[str, Any] = {
        "ok": {"state": "running", "memory_bytes": GIB, "cpu_percent": 20.0, "disk_bytes": GIB, "uptime_seconds": 7200},
        "offline": {"state": "offline", "disk_bytes": GIB},
    }.get(outcome, {})
    return Sample(server=of, node_name=of.node_name, outcome=outcome, sampled_at=at, **{**usual, **figures})


def crash(of: Server, at: datetime, back: timedelta | None = None, cause: str | None = "watchdog") -> Crash:
    return Crash(server=of, earliest=at, latest=at, cause=cause, back_at=None if back is None else at + back)


def rules(tmp_path: Path | None = None, text: str = "") -> Rules:
    if tmp_path is None:
        return read_rules()
    path = tmp_path / "rules.toml"
    path.write_text(text)
    return read_rules(path)


class Told:
    """What was evaluated so far: the state, and everything that was said."""

    def __init__(
        self, by: Rules | None = None, state: State | None = None, targets: tuple[str, ...] = (TARGET,)
    ) -> None:
        self.targets = targets
        self.rules = by or read_rules()
        self.state = state or State()
        self.steps: list[Step] = []

    def hear(self, readings: Readings) -> Step:
        step = advance(self.state, readings, self.rules, targets=self.targets)
        self.state = step.state
        self.steps.append(step)
        return step

    def samples(self, at: datetime, *samples: Sample) -> Step:
        return self.hear(Readings(at=at, pass_at=at, samples=samples))

    def crashes(self, at: datetime, *crashes: Crash) -> Step:
        return self.hear(Readings(at=at, crashes=crashes))

    def row(self, of: Sequence[Server], outcomes: str, begin: datetime = NOON, **figures: Any) -> list[Step]:
        """Hear a pass for each letter of *outcomes*: k is ok, o offline, n node_unreachable, e error, s suspended."""
        names = {
            "k": "ok",
            "o": "offline",
            "n": "node_unreachable",
            "e": "error",
            "s": "suspended",
            "r": "rate_limited",
        }
        return [
            self.samples(
                begin + number * PASS,
                *(
                    sample(each, begin + number * PASS, names[letter], **(figures if letter == "k" else {}))
                    for each in of
                ),
            )
            for number, letter in enumerate(outcomes)
        ]

    @property
    def incidents(self) -> list[Incident]:
        return [self.state.incidents[number] for number in sorted(self.state.incidents)]

    @property
    def messages(self) -> list[Message]:
        return [message for step in self.steps for message in step.messages]

    def edit(self, number: int, **values: Any) -> None:
        """Change an incident as somebody does who presses a button."""
        changed = replace(self.state.incidents[number], **values)
        self.state = replace(self.state, incidents={**self.state.incidents, number: changed})
