"""The collector of the demo: a game with a key of its own, and a port that is free."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from pydantic import SecretStr

from pteroassets.platform.environment import generated_key
from pteroassets.platform.loopback import HOST, remembered_port, require_free
from pteroassets.settings import Settings

GAME: Final = "arena"
"""The game that pushes events in the demo."""
KEY_FILE: Final = "arena.key"
"""In the data folder of the demo: the game's key, readable only by its owner."""
PORT_FILE: Final = "collector.port"
"""In the data folder of the demo: the port, where no setting says another."""
_PORT: Final = "pteroassets_event_port"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCollector:
    """Where the demo's game sends its events, and with which key.

    Attributes:
        port: Of 127.0.0.1.
        key: The game's key, which is in no address and no log.
        key_file: Where it is kept.
    """

    port: int
    key: str = field(repr=False)
    key_file: Path

    @classmethod
    def of(cls, settings: Settings, home: Path) -> Self:
        """Return that of the demo in *home*: the port that is set, else the one that it had before if that is free.

        Raises:
            PortHeldError: The port that is set is in use.
        """
        if _PORT in settings.model_fields_set:
            port = settings.pteroassets_event_port
            require_free({_PORT.upper(): port})
        else:
            port = remembered_port(home / PORT_FILE)
        return cls(port=port, key=generated_key(home, KEY_FILE), key_file=home / KEY_FILE)

    @property
    def url(self) -> str:
        """The address that takes in events."""
        return f"http://{HOST}:{self.port}/v1/events"

    def settings_with(self, given: Settings) -> dict[str, Any]:
        """Return the settings by which the platform runs it; what else *given* says of events stays."""
        return {
            _PORT: self.port,
            "pteroassets_event_keys": SecretStr(f"{GAME}:{self.key}"),
            # nobody but this machine reaches it
            "pteroassets_event_compatibility_game": given.pteroassets_event_compatibility_game or GAME,
        }

    def hints(self) -> dict[str, str]:
        """Return how a person sends an event."""
        return {
            "without a key": f"curl -H 'X-Player: somebody' http://{HOST}:{self.port}/kill_enemy/12",
            "its key": f'curl -H "Authorization: Bearer $(cat {self.key_file})"; docs/events.md says what to send',
        }
