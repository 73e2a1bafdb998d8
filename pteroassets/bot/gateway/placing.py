"""Placing a card where somebody asked for it, if the bot may write there."""

from __future__ import annotations

import asyncio
from typing import Any

import discord

from pteroassets.bot.gateway.showing import member_of

_NEEDED = ("view_channel", "send_messages", "embed_links", "attach_files")


async def place(interaction: discord.Interaction[Any], value: str) -> str:
    """Place the card of *value* in the channel of *interaction*, and return what to tell."""
    lacking = [name.replace("_", " ") for name in _NEEDED if not getattr(interaction.app_permissions, name)]
    if lacking:
        return f"I may not write cards here. Give me these permissions in this channel: {', '.join(lacking)}."
    if not interaction.permissions.send_messages:
        return "You may not write in this channel, so you may not place a card in it."
    if interaction.channel_id is None:
        return "This is no channel for cards."
    return await asyncio.to_thread(
        interaction.client.clerk.place, member_of(interaction), interaction.channel_id, value
    )
