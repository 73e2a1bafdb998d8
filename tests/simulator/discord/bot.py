"""A small bot of the real library, in a thread, connected to the fake."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

import discord
import yarl
from discord import app_commands

from pteroassets.simulator.discord.serve import FakeDiscord

T = TypeVar("T")


class Restart(discord.ui.View):
    """One button, for operators alone."""

    def __init__(self, operators: int) -> None:
        super().__init__(timeout=None)
        self._operators = operators

    @discord.ui.button(label="Restart", custom_id="restart:1", style=discord.ButtonStyle.danger)
    async def restart(self, interaction: discord.Interaction, _: discord.ui.Button[Restart]) -> None:
        if not any(role.id == self._operators for role in interaction.user.roles):
            await interaction.response.send_message("you may not", ephemeral=True)
            return
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.followup.send("restarted")


class Reason(discord.ui.Modal, title="Why?"):
    why: discord.ui.TextInput[Reason] = discord.ui.TextInput(label="Reason", custom_id="why", max_length=20)

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"because {self.why.value}", ephemeral=True)


class Bot(discord.Client):
    """Ready when `ready` is set; counts its resumes."""

    def __init__(self, fake: FakeDiscord) -> None:
        super().__init__(intents=discord.Intents(guilds=True), allowed_mentions=discord.AllowedMentions.none())
        self.fake = fake
        self.tree = app_commands.CommandTree(self)
        self.ready = threading.Event()
        self.resumes = threading.Semaphore(0)
        self.guild = discord.Object(fake.guild_id)
        self._add_commands()

    def _add_commands(self) -> None:
        @self.tree.command(name="status", description="How a server is", guild=self.guild)
        async def status(interaction: discord.Interaction, server: str, hours: int = 1) -> None:
            await interaction.response.send_message(f"{server} for {hours} h", ephemeral=True)

        @status.autocomplete("server")
        async def servers(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=f"{typed}{n}", value=f"{typed}{n}") for n in range(3)]

        @self.tree.command(name="card", description="Place a card", guild=self.guild)
        async def card(interaction: discord.Interaction) -> None:
            await interaction.response.defer()
            await interaction.followup.send("here", view=Restart(self.fake.roles["operators"]))

        @self.tree.command(name="why", description="Asks for a reason", guild=self.guild)
        async def why(interaction: discord.Interaction) -> None:
            await interaction.response.send_modal(Reason())

        @self.tree.command(name="late", description="Answers when it is told to", guild=self.guild)
        async def late(interaction: discord.Interaction) -> None:
            self.waiting = interaction

    async def setup_hook(self) -> None:
        self.add_view(Restart(self.fake.roles["operators"]))
        await self.tree.sync(guild=self.guild)

    async def on_ready(self) -> None:
        self.ready.set()

    async def on_resumed(self) -> None:
        self.resumes.release()


class Running:
    """The bot in a thread with a loop of its own."""

    def __init__(self, fake: FakeDiscord, kind: type[Bot] = Bot) -> None:
        self._kind = kind
        discord.http.Route.BASE = f"{fake.url}/api/v10"
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"{fake.url.replace('http', 'ws')}/gateway")
        self._fake = fake
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.bot: Bot

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self.bot = self._kind(self._fake)
        self._loop.create_task(self.bot.start(self._fake.token))
        self._loop.run_forever()

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    def channel(self, name: str) -> discord.TextChannel:
        found = self.bot.get_channel(self._fake.channels[name])
        assert isinstance(found, discord.TextChannel)
        return found

    def __enter__(self) -> Self:
        self._thread.start()
        while not hasattr(self, "bot"):
            self._thread.join(0.01)
        assert self.bot.ready.wait(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.do(self.bot.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def picture(text: bytes) -> bytes:
    """Return the beginning of a PNG of 64 by 32, with *text* after it."""
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x40\x00\x00\x00\x20\x08\x02\x00\x00\x00" + text


def file_of(content: bytes, name: str = "chart.png") -> discord.File:
    return discord.File(io.BytesIO(content), filename=name, description="CPU and memory")
