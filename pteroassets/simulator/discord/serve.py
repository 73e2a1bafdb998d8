"""Serves the fake Discord on loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from pteroassets.clock import Clock, SystemClock
from pteroassets.simulator.discord.control import Control
from pteroassets.simulator.discord.core import CHANNELS, GUILD_ID, ROLES, Discord
from pteroassets.simulator.discord.members import NotPossible
from pteroassets.simulator.discord.rest import Application
from pteroassets.simulator.ports import Answering

_CALL_SECONDS: Final = 60.0


class FakeDiscord(Answering):
    """A running fake of Discord; a context manager.

    Give `url` to what is to believe that it is Discord, and `token` to the bot. What members do and what
    goes wrong is asked with `ask`, by the names of `control.ACTIONS`; a process elsewhere asks ``POST /_test/NAME``.

    Args:
        clock: Dates messages and limits how long interactions may be answered; one that stands still lets a test
            pass three seconds without waiting.
        port: Of loopback; any free one by default.
        options: Further arguments of `core.Discord`: ``rates``, ``overall``, ``seconds``, ``heartbeat``.
    """

    guild_id: Final = GUILD_ID

    def __init__(self, clock: Clock | None = None, *, port: int | None = None, **options: Any) -> None:
        self.discord = Discord(clock or SystemClock(), **options)
        self.control = Control(self.discord)
        super().__init__(Application(self.discord), name="fake Discord", port=port, with_websockets=True)

    def listening(self, url: str) -> None:
        """Learn the address; the API is below ``/api/v10``, the gateway at ``/gateway``."""
        super().listening(url)
        self.discord.base_url = url

    async def closing(self) -> None:
        """Close the gateways."""
        await self.discord.close()

    @property
    def token(self) -> str:
        """The bot's token."""
        return self.discord.token

    @property
    def channels(self) -> dict[str, int]:
        """Ids of the guild's first channels, by name."""
        return {name: GUILD_ID + 1 + number for number, name in enumerate(CHANNELS)}

    @property
    def roles(self) -> dict[str, int]:
        """Ids of the guild's first roles, by name."""
        return {name: GUILD_ID + 100 + number for number, name in enumerate(ROLES)}

    def ask(self, action: str, **given: Any) -> Any:
        """Do what ``POST /_test/ACTION`` does; ``as_`` stands for ``as``, which is a word of Python.

        Raises:
            NotPossible: It cannot be done; the message says why.
        """
        assert self.loop is not None, "the fake is not running"  # noqa: S101 - a fault of the caller
        if "as_" in given:
            given["as"] = given.pop("as_")
        asked = asyncio.run_coroutine_threadsafe(self.control.do(action, given), self.loop)
        status, body = asked.result(_CALL_SECONDS)
        if status != 200:  # noqa: PLR2004 - HTTP's numbers
            raise NotPossible(str(body))
        return body
