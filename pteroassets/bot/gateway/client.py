"""The connection to Discord: what is checked before it, what it listens to."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any, Final
from urllib.parse import urlsplit

import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from pteroassets.bot.config import BotConfig
from pteroassets.bot.gateway.buttons import BUTTONS
from pteroassets.bot.gateway.commands import COMMANDS, Tree
from pteroassets.bot.pressing import Desk
from pteroassets.bot.serving import Clerk
from pteroassets.settings import DISCORD, SettingsFault

_ROLE_SETTINGS: Final = "PTEROASSETS_DISCORD_POWER_ROLES or PTEROASSETS_DISCORD_ROLES_OF"


class Bot(discord.Client):
    """Serves one guild. Neither intent is privileged: of messages it learns which are gone, not what they say."""

    def __init__(self, config: BotConfig, desk: Desk, clerk: Clerk, log: logging.Logger) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True, guild_messages=True),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
        )
        self.config = config
        self.desk = desk
        self.clerk = clerk
        self.log = log
        self.tree = Tree(self)

    async def setup_hook(self) -> None:
        """Check the guild and the roles, and give Discord the commands, before the gateway is opened."""
        guild = discord.Object(id=self.config.guild_id)
        await self._require_roles()
        for command in COMMANDS:
            self.tree.add_command(command, guild=guild, override=True)
        self.add_dynamic_items(*BUTTONS)
        await self.tree.sync(guild=guild)

    async def _require_roles(self) -> None:
        try:
            known = {int(role["id"]) for role in await self.http.get_roles(self.config.guild_id)}
        except (discord.Forbidden, discord.NotFound) as error:
            raise SettingsFault(
                f"PTEROASSETS_DISCORD_GUILD is {self.config.guild_id}, but the bot is not in it ({error.status}): "
                "invite it with the scopes bot and applications.commands"
            ) from None
        lacking = sorted(self.config.roles.all() - known)
        if lacking:
            raise SettingsFault(
                "\n".join(f"the guild has no role {role}: correct {_ROLE_SETTINGS}" for role in lacking)
            )

    async def on_ready(self) -> None:
        """Say that the guild is served."""
        self.log.info("serving guild %s", self.config.guild_id)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Forget a card whose message somebody deleted."""
        await self._forget(payload.guild_id, payload.channel_id, [payload.message_id])

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Forget cards whose messages somebody deleted at once."""
        await self._forget(payload.guild_id, payload.channel_id, [*payload.message_ids])

    async def _forget(self, guild_id: int | None, channel_id: int, messages: list[int]) -> None:
        if guild_id == self.config.guild_id:
            found = await asyncio.to_thread(self.clerk.message_deleted, channel_id, messages)
            if found:
                self.log.info("%s of channel %s deleted by somebody", f"{found} cards", channel_id)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Forget the cards of a channel that somebody deleted."""
        if channel.guild.id == self.config.guild_id:
            await asyncio.to_thread(self.clerk.channel_deleted, channel.id)

    async def on_error(self, event_method: str, /, *_args: Any, **_options: Any) -> None:
        """Log what went wrong in an event; the next one is served."""
        self.log.error("%s failed", event_method, exc_info=sys.exc_info())


def point_at(api: str) -> None:
    """Have the library talk to *api*, Discord's own or a fake of it on this machine."""
    Route.BASE = f"{api}/api/v10"
    if api != DISCORD:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(f"ws://{urlsplit(api).netloc}/gateway")
