"""A simulated world with the truth about it, which tests compare marts with."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pteroassets.simulator.history import History
from pteroassets.simulator.truth import Truth
from pteroassets.simulator.world.estate import WorldSize
from pteroassets.simulator.world.plans import Plan

DEFAULT_HISTORY: Final = timedelta(days=14)
"""How long before the anchor a world begins."""


class World(History):
    """Everything that exists and happens, and what is true of it; made by `create`."""

    def __init__(self, seed: int, anchor: datetime, size: WorldSize | Plan, history: timedelta) -> None:
        super().__init__(seed, anchor, size, history)
        self.truth = Truth(self)

    @classmethod
    def create(cls, seed: int, anchor: datetime, size: WorldSize | Plan, history: timedelta = DEFAULT_HISTORY) -> World:
        """Return the world of *seed* whose history of length *history* ends at *anchor* (aware)."""
        return cls(seed, anchor, size, history)


__all__ = ["World", "WorldSize"]
