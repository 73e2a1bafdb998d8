"""Our embeds and questions as the Discord library shows them, to one person alone."""

from __future__ import annotations

from typing import Any

import discord
import psycopg

from pteroassets.alarms.outbox import Embed
from pteroassets.bot.permissions import Member
from pteroassets.bot.serving import NOT_BUILT, UnknownServerError

Interaction = discord.Interaction[Any]


def embed_of(embed: Embed) -> discord.Embed:
    """Return *embed* as the library has it."""
    made = discord.Embed(
        title=embed.title or None,
        description=embed.description or None,
        colour=embed.colour,
        url=embed.url,
        timestamp=embed.at,
    )
    for field in embed.fields:
        made.add_field(name=field.name, value=field.value, inline=field.inline)
    if embed.footer:
        made.set_footer(text=embed.footer)
    return made


def member_of(interaction: Interaction) -> Member:
    """Return who pressed; roles are those that Discord sends with the press, never remembered ones."""
    user = interaction.user
    roles = frozenset(role.id for role in user.roles) if isinstance(user, discord.Member) else frozenset()
    return Member(guild_id=interaction.guild_id, user_id=user.id, name=user.display_name, role_ids=roles)


async def tell(interaction: Interaction, text: str = "", **options: Any) -> None:
    """Show something to the person who pressed alone, after the press was deferred."""
    await interaction.edit_original_response(content=text or None, **options)


def said_of(error: BaseException) -> str | None:
    """Return what a person is told of *error*; None where it is none that they can do something about."""
    if isinstance(error, UnknownServerError):
        return str(error)
    return NOT_BUILT if isinstance(error, psycopg.errors.UndefinedTable) else None
