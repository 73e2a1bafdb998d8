"""The game of the demo, whose players push events: two weeks of them at once, and then as they play."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Final

from pteroassets.platform.demo_collector import DemoCollector
from pteroassets.platform.events import REFERENCE
from pteroassets.platform.supervisor import Service

_READY_SECONDS: Final = 120


def demo_game(collector: DemoCollector, home: Path, *, seed: int, anchor: datetime) -> Service:
    """Return the service that plays; it is ready once what was played before *anchor* is stored."""
    done = home / "events.pushed"
    return Service(
        name="simulated-game",
        command=[
            sys.executable,
            "-m",
            "pteroassets.simulator.events",
            "--url",
            collector.url.removesuffix("/v1/events"),
            "--seed",
            str(seed),
            "--anchor",
            anchor.isoformat(),
            "--reference",
            str(REFERENCE),
            "--done",
            str(done),
        ],
        environment={"SIMULATED_GAME_KEY": collector.key},
        ready=done.exists,
        ready_seconds=_READY_SECONDS,
    )
