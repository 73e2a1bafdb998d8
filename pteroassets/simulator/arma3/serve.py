"""Serves the stub of both sites on loopback, in a thread of its own."""

from __future__ import annotations

from typing import Any

from pteroassets.clock import Clock
from pteroassets.simulator.arma3.stub import Sites
from pteroassets.simulator.ports import Answering


class FakeReplaySites(Answering):
    """A running stub of WOG's site and of an OCAP server, as a context manager; `sites` is its state."""

    def __init__(self, clock: Clock, *, port: int | None = None, **options: Any) -> None:
        self.sites = Sites(clock=clock, **options)
        super().__init__(self.sites, name="stub of replays", port=port)

    def listening(self, url: str) -> None:
        """Learn the address."""
        super().listening(url)
        self.sites.base_url = url
