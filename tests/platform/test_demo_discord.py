"""The demo's simulated Discord is known to the platform, keeps its address, and shows cards once there is a bot."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import discord
import requests
from discord import app_commands
from pydantic import SecretStr

from pteroassets.platform.demo_discord import DemoDiscord
from pteroassets.platform.supervisor import Supervisor
from pteroassets.settings import Settings
from tests.simulator.discord.bot import Bot, Running

PLACED: list[str] = []
DONE = threading.Event()


class CardBot(Bot):
    """Offers a host, three networks and three servers, and notes which were asked for."""

    def _add_commands(self) -> None:
        @self.tree.command(name="server_status", description="Places a card", guild=self.guild)
        async def server_status(interaction: discord.Interaction, server: str) -> None:
            PLACED.append(server)
            await interaction.response.send_message("placed", ephemeral=True)
            if len(PLACED) == 4:
                DONE.set()

        @server_status.autocomplete("server")
        async def servers(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
            values = ["host", *(f"{kind}:{n}" for kind in ("network", "server") for n in range(3))]
            return [app_commands.Choice(name=f"{typed}{value}", value=value) for value in values]


def test_it_is_known_to_the_platform_and_filled_with_cards(tmp_path: Path) -> None:
    with Supervisor(tmp_path / "logs") as supervisor:
        demo = DemoDiscord.start(supervisor, tmp_path)
        assert "<title>Simulated Discord</title>" in requests.get(demo.page, timeout=10).text
        given = {name: _plain(value) for name, value in demo.settings_with(SecretStr("ptlc_one")).items()}
        settings = Settings(_env_file=None, **given)
        assert settings.ways() == ["discord"]
        assert settings.replay_targets() == [f"discord:{demo.state['channels']['replays']}"]
        assert settings.alarm_targets() == (f"discord:{demo.state['channels']['alarms']}",)
        state: dict[str, Any] = dict(demo.state)
        fake = SimpleNamespace(
            url=state["url"], token=state["token"], guild_id=state["guild"], roles=state["roles"], channels={}
        )
        demo.place_cards_once_the_bot_is_there()
        with Running(fake, CardBot):  # type: ignore[arg-type]
            assert DONE.wait(30)
    assert PLACED == ["host", "network:0", "server:0", "server:1"]
    with Supervisor(tmp_path / "logs") as supervisor:
        assert DemoDiscord.start(supervisor, tmp_path).page == demo.page


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
