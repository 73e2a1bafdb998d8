"""The private picker: a menu of what a card may be of, in pages where there are more than Discord shows at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
from discord.ui import Button, Select, View

from pteroassets.bot.asking import Choice, label_of, page
from pteroassets.bot.gateway.placing import place
from pteroassets.bot.gateway.showing import tell

_SECONDS = 300


class Picker(View):
    """A menu with a page of *choices*, and buttons to the other pages."""

    def __init__(self, choices: Sequence[Choice], number: int = 0) -> None:
        super().__init__(timeout=_SECONDS)
        self._choices = choices
        self._number = number
        shown, pages = page(choices, number)
        menu: Select[Any] = Select(
            placeholder="Place a card of …" if pages == 1 else f"Place a card of … (page {number + 1} of {pages})",
            options=[
                discord.SelectOption(label=label_of(one), value=one.value, description=one.detail[:100] or None)
                for one in shown
            ],
        )
        menu.callback = self._picked  # type: ignore[method-assign] # how the library wants it
        self._menu = menu
        self.add_item(menu)
        if pages > 1:
            self._turn("Previous", number - 1, disabled=number == 0)
            self._turn("Next", number + 1, disabled=number == pages - 1)

    def _turn(self, label: str, to: int, *, disabled: bool) -> None:
        button: Button[Any] = Button(label=label, disabled=disabled)

        async def turn(interaction: discord.Interaction[Any]) -> None:
            await interaction.response.edit_message(view=Picker(self._choices, to))

        button.callback = turn  # type: ignore[method-assign] # how the library wants it
        self.add_item(button)

    async def _picked(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()
        text = await place(interaction, self._menu.values[0])
        await tell(interaction, text, view=None, embed=None)
