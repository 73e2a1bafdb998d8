"""The commands of the guild. Each is answered to the person alone, but for what they place."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
from discord import app_commands

from pteroassets.bot.asking import label_of
from pteroassets.bot.gateway.picker import Picker
from pteroassets.bot.gateway.placing import place
from pteroassets.bot.gateway.showing import embed_of, member_of, said_of, tell
from pteroassets.bot.pressing import OTHER_GUILD
from pteroassets.bot.serving import RANGES

Interaction = discord.Interaction[Any]
_SUGGESTIONS = 25


class Tree(app_commands.CommandTree[Any]):
    """The commands, refused in any other guild and answered when something fails."""

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """Refuse another guild than the one that is served."""
        if interaction.guild_id == interaction.client.config.guild_id:
            return True
        if interaction.type is not discord.InteractionType.autocomplete:
            await interaction.response.send_message(OTHER_GUILD, ephemeral=True)
        return False

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """Tell the person that it failed; the reason goes to the log, unless it is theirs."""
        cause = getattr(error, "original", error)
        if isinstance(error, app_commands.CheckFailure):
            return
        text = said_of(cause)
        if text is None:
            interaction.client.log.error("a command failed", exc_info=cause)
            text = "This failed; the log of the bot says why."
        if interaction.response.is_done():
            await tell(interaction, text)
        else:
            await interaction.response.send_message(text, ephemeral=True)


async def _suggest(interaction: Interaction, text: str) -> list[app_commands.Choice[str]]:
    found = await asyncio.to_thread(interaction.client.clerk.choices, text)
    return [app_commands.Choice(name=label_of(one), value=one.value) for one in found[:_SUGGESTIONS]]


async def _suggest_server(interaction: Interaction, text: str) -> list[app_commands.Choice[str]]:
    found = await asyncio.to_thread(interaction.client.clerk.choices, text)
    servers = [one for one in found if one.value.startswith("server:")]
    return [app_commands.Choice(name=label_of(one), value=one.value) for one in servers[:_SUGGESTIONS]]


@app_commands.command(description="Show how all servers are, and place the card of one in this channel.")
@app_commands.describe(server="A server, a network or all servers; type a part of its name, egg or node.")
@app_commands.autocomplete(server=_suggest)
async def server_status(interaction: Interaction, server: str | None = None) -> None:
    """Place a card, or show the totals with a menu of what to place."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    if server is not None:
        await tell(interaction, await place(interaction, server))
        return
    totals, found = await asyncio.to_thread(interaction.client.clerk.overview)
    await tell(interaction, embed=embed_of(totals), view=Picker(found))


@app_commands.command(description="Write all cards of this guild anew.")
async def refresh(interaction: Interaction) -> None:
    """Have all cards written anew."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    text = await asyncio.to_thread(interaction.client.clerk.refresh, member_of(interaction), interaction.channel_id)
    await tell(interaction, text)


@app_commands.command(description="Remove the cards of this channel.")
@app_commands.describe(everywhere="Remove those of all channels.")
async def purge(interaction: Interaction, everywhere: bool = False) -> None:  # noqa: FBT001, FBT002 - an option
    """Remove cards."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    text = await asyncio.to_thread(
        interaction.client.clerk.purge,
        member_of(interaction),
        interaction.channel_id,
        everywhere=everywhere,
        may_manage=interaction.permissions.manage_messages,
        may_manage_guild=interaction.permissions.manage_guild,
    )
    await tell(interaction, text)


@app_commands.command(description="Show who is online, and since when.")
@app_commands.describe(server="One server; all when not given.")
@app_commands.autocomplete(server=_suggest_server)
async def who(interaction: Interaction, server: str | None = None) -> None:
    """Show who is online."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    await tell(interaction, embed=embed_of(await asyncio.to_thread(interaction.client.clerk.who, server)))


@app_commands.command(description="Show who played most.")
@app_commands.describe(days="In how many days; 7 when not given.", server="On one server; on all when not given.")
@app_commands.choices(
    days=[app_commands.Choice(name=f"{days} days" if days > 1 else "today", value=days) for days in RANGES]
)
@app_commands.autocomplete(server=_suggest_server)
async def top(interaction: Interaction, days: int = 7, server: str | None = None) -> None:
    """Show who played most."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    await tell(interaction, embed=embed_of(await asyncio.to_thread(interaction.client.clerk.top, days, server)))


@app_commands.command(description="Show what is wrong now.")
async def incidents(interaction: Interaction) -> None:
    """Show the open incidents."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    await tell(interaction, embed=embed_of(await asyncio.to_thread(interaction.client.clerk.incidents)))


COMMANDS: tuple[app_commands.Command[Any, ..., None], ...] = (server_status, refresh, purge, who, top, incidents)
