"""The simulated Discord of the demo: started, made known to the platform, and filled with a few cards."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import requests
from pydantic import SecretStr

from pteroassets.platform.loopback import remembered_port
from pteroassets.platform.supervisor import Service, Supervisor

#: How many cards of each kind the demo shows; those of servers last, where a reader looks first.
_CARDS: Final = {"host": 1, "network": 1, "server": 2}
_COMMAND: Final = "server_status"
_OPERATOR: Final = "operator"
_CHANNEL: Final = "status"
_PATIENCE_SECONDS: Final = 1800.0
_POLL_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDiscord:
    """The simulated Discord of a demo, in a process of its own; *state* is what it wrote of itself."""

    state: Mapping[str, Any]

    @classmethod
    def start(cls, supervisor: Supervisor, home: Path) -> Self:
        """Start it, on the port that it had before where that is free."""
        state_file = home / "discord.json"
        state_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pteroassets.simulator.discord", "--state-file", str(state_file)]
        command += ["--port", str(remembered_port(home / "discord.port"))]
        supervisor.start(Service(name="simulated-discord", command=command, ready=state_file.exists))
        return cls(state=json.loads(state_file.read_text()))

    @property
    def page(self) -> str:
        """The address of the page that shows the channels."""
        return str(self.state["url"])

    def settings_with(self, power_key: SecretStr) -> dict[str, Any]:
        """Return the settings by which the bot and the outbox use it; *power_key* is the panel's client key."""
        return {
            "pteroassets_discord_api": self.state["url"],
            "pteroassets_discord_token": SecretStr(self.state["token"]),
            "pteroassets_discord_guild": self.state["guild"],
            "pteroassets_discord_power_key": power_key,
            "pteroassets_discord_power_roles": str(self.state["roles"]["operators"]),
            "pteroassets_alarm_targets": f"discord:{self.state['channels']['alarms']}",
            "pteroassets_replay_targets": f"discord:{self.state['channels']['replays']}",
        }

    def place_cards_once_the_bot_is_there(self) -> None:
        """Have a member ask for a few cards as soon as the bot has its commands, in a thread that ends with us."""
        threading.Thread(target=self._place_cards, name="cards of the demo", daemon=True).start()

    def _place_cards(self) -> None:
        try:
            offered = [str(one["value"]) for one in self._offered()]
            for kind, number in _CARDS.items():
                for value in [one for one in offered if one.partition(":")[0] == kind][:number]:
                    self._act("slash", options={"server": value}, until="answer")
        except (requests.RequestException, KeyError, ValueError) as error:
            logging.getLogger(__name__).warning("no cards were placed in the simulated Discord: %s", error)

    def _offered(self) -> list[Any]:
        """Return what the bot's command offers, as soon as the bot is there and knows a server."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            state = self._get("state")
            if state["gateway"]["connected"] and any(_COMMAND in names for names in state["commands"].values()):
                offered: list[Any] = self._act("autocomplete", focused="server")["choices"] or []
                if offered:
                    return offered
            time.sleep(_POLL_SECONDS)
        return []

    def _get(self, name: str) -> Any:
        answer = requests.get(f"{self.page}/_test/{name}", timeout=30)
        answer.raise_for_status()
        return answer.json()

    def _act(self, name: str, **given: Any) -> Any:
        body = {"as": _OPERATOR, "channel": _CHANNEL, "command": _COMMAND, **given}
        answer = requests.post(f"{self.page}/_test/{name}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()
