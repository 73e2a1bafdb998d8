"""The buttons of cards and of incidents. What a button does stands in its id, so that it works after a restart."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Self, cast
from uuid import UUID

import discord
from discord.ui import Button, DynamicItem, View

from pteroassets.bot.actions import Signal
from pteroassets.bot.gateway.showing import Interaction, member_of, said_of, tell
from pteroassets.bot.pressing import CONFIRM_SECONDS, Question, Reply

_UUID = r"(?P<server>[0-9a-f-]{36})"
_SIGNAL = r"(?P<signal>start|stop|restart)"


class SignalButton(DynamicItem[Button[Any]], template=f"card:{_SIGNAL}:{_UUID}"):
    """Start, Stop or Restart below a card."""

    def __init__(self, item: Button[Any], signal: Signal, server_uuid: UUID) -> None:
        super().__init__(item)
        self._signal = signal
        self._server_uuid = server_uuid

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], item: Any, match: re.Match[str], /) -> Self:
        """Return the button that *match* names."""
        return cls(item, cast("Signal", match["signal"]), UUID(match["server"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Serve a press: answered at once, since Discord waits three seconds and the panel may take longer."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await _serve(interaction, interaction.client.desk.press, self._signal, self._server_uuid)


class ConfirmButton(
    DynamicItem[Button[Any]], template=rf"confirm:{_SIGNAL}:{_UUID}:(?P<user>\d{{1,20}}):(?P<expires>\d{{1,12}})"
):
    """The second press, shown to one person for a minute."""

    def __init__(self, item: Button[Any], question: Question) -> None:
        super().__init__(item)
        self._question = question

    @classmethod
    def asking(cls, question: Question) -> Self:
        """Return the button for *question*."""
        expires = int(question.expires_at.timestamp())
        button: Button[Any] = Button(
            style=discord.ButtonStyle.danger,
            label=f"{question.signal.capitalize()} anyway",
            custom_id=f"confirm:{question.signal}:{question.server_uuid}:{question.user_id}:{expires}",
        )
        return cls(button, question)

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], item: Any, match: re.Match[str], /) -> Self:
        """Return the button that *match* names."""
        question = Question(
            signal=cast("Signal", match["signal"]),
            server_uuid=UUID(match["server"]),
            user_id=int(match["user"]),
            expires_at=datetime.fromtimestamp(int(match["expires"]), UTC),
        )
        return cls(item, question)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Serve the second press; the button goes away, so that it is pressed once."""
        await interaction.response.edit_message(content="Sending it …", view=None)
        await _serve(interaction, interaction.client.desk.confirm, self._question)


class AddressButton(DynamicItem[Button[Any]], template=f"card:address:{_UUID}"):
    """Show Address below a card."""

    def __init__(self, item: Button[Any], server_uuid: UUID) -> None:
        super().__init__(item)
        self._server_uuid = server_uuid

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], item: Any, match: re.Match[str], /) -> Self:
        """Return the button that *match* names."""
        return cls(item, UUID(match["server"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the address to the person who pressed alone."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await _serve(interaction, interaction.client.desk.address, self._server_uuid)


class AcknowledgeButton(DynamicItem[Button[Any]], template=r"incident:ack:(?P<incident>\d{1,18})"):
    """Acknowledge below an incident."""

    def __init__(self, item: Button[Any], incident_id: int) -> None:
        super().__init__(item)
        self._incident_id = incident_id

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], item: Any, match: re.Match[str], /) -> Self:
        """Return the button that *match* names."""
        return cls(item, int(match["incident"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Take the incident on."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await _serve(interaction, interaction.client.clerk.acknowledge, self._incident_id)


class SnoozeButton(DynamicItem[Button[Any]], template=r"incident:snooze:(?P<incident>\d{1,18}):(?P<minutes>\d{1,6})"):
    """Snooze below an incident."""

    def __init__(self, item: Button[Any], incident_id: int, minutes: int) -> None:
        super().__init__(item)
        self._incident_id = incident_id
        self._minutes = minutes

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], item: Any, match: re.Match[str], /) -> Self:
        """Return the button that *match* names."""
        return cls(item, int(match["incident"]), int(match["minutes"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Let the incident be quiet for a while."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await _serve(interaction, interaction.client.clerk.snooze, self._incident_id, self._minutes)


async def _serve(interaction: Interaction, serve: Callable[..., Reply], *what: Any) -> None:
    """Show the person who pressed what *serve* replies; the library itself would leave them waiting if it failed."""
    try:
        reply = await asyncio.to_thread(serve, member_of(interaction), *what, interaction.channel_id)
    except Exception as error:
        text = said_of(error)
        if text is None:
            await tell(interaction, "This failed; the log of the bot says why.", view=None)
            raise  # the library logs it
        reply = Reply(text=text)
    if reply.question is None:
        await tell(interaction, reply.text, view=None)
        return
    view = View(timeout=CONFIRM_SECONDS)
    view.add_item(ConfirmButton.asking(reply.question))
    await tell(interaction, reply.text, view=view)


BUTTONS: tuple[type[DynamicItem[Any]], ...] = (
    SignalButton,
    ConfirmButton,
    AddressButton,
    AcknowledgeButton,
    SnoozeButton,
)
