"""Serves the stub of Twitch on loopback, in a thread of its own."""

from __future__ import annotations

from typing import Any, Final

from pteroassets.clock import Clock
from pteroassets.simulator.ports import Answering
from pteroassets.simulator.twitch.stub import CLIENT_ID, Twitch


class FakeTwitch(Answering):
    """A running stub of Twitch; a context manager. `twitch` is its state, `url` stands for both of Twitch's hosts."""

    client_id: Final = CLIENT_ID

    def __init__(self, clock: Clock, **options: Any) -> None:
        self.twitch = Twitch(clock=clock, **options)
        super().__init__(self.twitch, name="stub of Twitch")

    def listening(self, url: str) -> None:
        """Learn the address."""
        super().listening(url)
        self.twitch.base_url = url
