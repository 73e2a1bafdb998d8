"""The process of the bot: the keeper of the cards and the connection to Discord, each begun again when it fails.

Cards go on while Discord's gateway is away, since they leave through the outbox; buttons go on while samples fail.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import discord
import psycopg

from pteroassets.bot.actions import close_interrupted
from pteroassets.bot.cards.keeping import NOTIFICATION, Cycle, keep
from pteroassets.bot.cards.readings import newest_pass
from pteroassets.bot.config import BotConfig
from pteroassets.bot.gateway.client import Bot, point_at
from pteroassets.bot.pressing import Desk, Power
from pteroassets.bot.serving import Clerk
from pteroassets.clock import Clock
from pteroassets.settings import SettingsFault
from pteroassets.sources.pterodactyl.power import PowerClient
from pteroassets.warehouse.connection import Connection

_LOOK_SECONDS: Final = 10.0
_FULL_SECONDS: Final = 60.0
_SIGN_SECONDS: Final = 15.0
_POLL_SECONDS: Final = 0.1
# 1,000 connections a day are allowed before Discord takes the token away
_FIRST_PAUSE_SECONDS: Final = 5.0
_LONGEST_PAUSE_SECONDS: Final = 300.0
_STEADY_SECONDS: Final = 600.0

log = logging.getLogger("pteroassets.bot")


@dataclass(frozen=True, kw_only=True)
class BotService:
    """What the process works with.

    Attributes:
        config: Of the bot.
        connect: Opens a connection to the warehouse in autocommit mode.
        clock: Of the process.
        alive: File that is touched while both parts work; None for none.
        pause_seconds: First pause after a failure; each next one is twice as long.
    """

    config: BotConfig
    connect: Callable[[], Connection]
    clock: Clock
    alive: Path | None = None
    pause_seconds: float = _FIRST_PAUSE_SECONDS
    _kept_at: list[float] = field(default_factory=lambda: [time.monotonic()])

    def run(self, ended: threading.Event | None = None) -> None:
        """Serve until SIGTERM, Ctrl-C or *ended*."""
        ended = ended or threading.Event()
        keeper = threading.Thread(target=self.keep_cards, args=(ended,), name="cards", daemon=True)
        keeper.start()
        try:
            with self._power() as power, contextlib.suppress(KeyboardInterrupt):  # it ends as with SIGTERM
                asyncio.run(self._serve(power, ended))
        finally:
            ended.set()
            keeper.join(timeout=_LOOK_SECONDS)

    @contextlib.contextmanager
    def _power(self) -> Iterator[Callable[[], Power] | None]:
        key = self.config.power_key
        if key is None:
            log.info("no power key: the bot only reads")
            yield None
            return
        with PowerClient(self.config.panel_url, key, seconds=self.config.power_seconds) as client:
            yield lambda: client

    # ------------------------------------------------------------------ the cards

    def keep_cards(self, ended: threading.Event) -> None:
        """Keep the cards up to date until *ended*; a failure is logged, and it goes on after a pause."""
        failures = 0
        while not ended.is_set():
            try:
                with self.connect() as connection:
                    close_interrupted(connection, self.clock.now(), self.config.patience)
                    connection.execute(f"listen {NOTIFICATION}")
                    for _ in self._cycles(connection, ended):
                        failures = 0
            except Exception:  # the cards outlive whatever fails: the log says it
                failures += 1
                pause = min(self.pause_seconds * 2 ** (failures - 1), _LONGEST_PAUSE_SECONDS)
                log.exception("cards could not be kept; again in %.0f s", pause)
                ended.wait(pause)

    def _cycles(self, connection: Connection, ended: threading.Event) -> Iterator[Cycle]:
        """Yield each cycle: when there are new samples, when somebody asks for it, and once a minute."""
        seen: datetime | None = None
        full_at = 0.0
        woken = True
        while not ended.is_set():
            newest = newest_pass(connection)
            if woken or newest != seen or time.monotonic() >= full_at:
                seen, full_at = newest, time.monotonic() + _FULL_SECONDS
                cycle = keep(connection, self.clock.now(), rules=self.config.rules, log_lag=self.config.log_lag)
                if cycle.waits_for:
                    log.info("cards wait until these are built: %s", ", ".join(cycle.waits_for))
                for key, reason in cycle.updated.items():
                    log.info("%s: %s", key, reason)
                self._kept_at[0] = time.monotonic()
                yield cycle
            # one at a time: what is not taken now is there at the next look
            woken = any(True for _ in connection.notifies(timeout=min(_LOOK_SECONDS, 1.0), stop_after=1))

    # ------------------------------------------------------------------ the gateway

    async def _serve(self, power: Callable[[], Power] | None, ended: threading.Event) -> None:
        """Connect to Discord, again and again with growing pauses, until the process is told to end."""
        point_at(self.config.api)
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, ended.set)
        stopping = asyncio.create_task(_set(ended))
        failures = 0
        while not ended.is_set():
            began = time.monotonic()
            bot = Bot(
                self.config,
                Desk(config=self.config, connect=self.connect, clock=self.clock, power=power),
                Clerk(config=self.config, connect=self.connect, clock=self.clock),
                log,
            )
            serving = asyncio.create_task(self._connected(bot))
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if ended.is_set():
                await bot.close()
                await asyncio.wait({serving}, timeout=_LOOK_SECONDS)
                return
            failures = 1 if time.monotonic() - began > _STEADY_SECONDS else failures + 1
            pause = min(self.pause_seconds * 2 ** (failures - 1), _LONGEST_PAUSE_SECONDS)
            _say_why(serving.exception(), pause)
            with contextlib.suppress(TimeoutError):  # the pause is over
                await asyncio.wait_for(asyncio.shield(stopping), pause)

    async def _connected(self, bot: Bot) -> None:
        async with bot:
            signs = asyncio.create_task(self._signs(bot))
            try:
                await bot.start(self.config.token.get_secret_value())
            finally:
                signs.cancel()

    async def _signs(self, bot: Bot) -> None:
        """Touch the file of life while the gateway is open and the cards are kept."""
        while True:
            await asyncio.sleep(min(_SIGN_SECONDS, 1.0) if not bot.is_ready() else _SIGN_SECONDS)
            is_kept = time.monotonic() - self._kept_at[0] < 3 * _FULL_SECONDS
            if self.alive is not None and bot.is_ready() and is_kept:
                self.alive.touch()


async def _set(event: threading.Event) -> None:
    """Return when *event* is set."""
    while not event.is_set():  # noqa: ASYNC110 - it is set by a signal or by another thread
        await asyncio.sleep(_POLL_SECONDS)


def _say_why(error: BaseException | None, pause: float) -> None:
    """Log why the connection ended, in a line where an operator can do something about it."""
    if isinstance(error, SettingsFault):
        for line in str(error).splitlines():
            log.error("%s", line)
        log.error("the bot tries again in %.0f s", pause)
    elif isinstance(error, discord.LoginFailure):
        log.error("Discord does not know the token of PTEROASSETS_DISCORD_TOKEN; again in %.0f s", pause)
    elif isinstance(error, discord.PrivilegedIntentsRequired):
        log.error("Discord refuses the bot's intents, of which none is privileged; again in %.0f s", pause)
    elif isinstance(error, (OSError, psycopg.OperationalError, discord.DiscordException)):
        log.error("the connection to Discord ended (%s: %s); again in %.0f s", type(error).__name__, error, pause)
    else:
        # also an AttributeError of the library, which has no socket yet where there is no network at the start
        log.error("the connection to Discord ended; again in %.0f s", pause, exc_info=error)
