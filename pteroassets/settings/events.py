"""Settings of the collector, to which games push events."""

from __future__ import annotations

import re
from typing import Final

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

_LARGEST_PORT: Final = 65_535
_KEY: Final = re.compile(r"([a-z0-9][a-z0-9_-]{0,31}):([^\s,]{16,})")


class EventSettings(BaseSettings):
    """The settings of pushed events, as a part of all settings."""

    pteroassets_event_keys: SecretStr | None = Field(
        None,
        description="Keys with which games push events, as game:key separated by commas; a game may have several. "
        "A key has 16 characters or more: openssl rand -hex 32. No events are taken when unset.",
        examples=["arena:0123456789abcdef0123456789abcdef"],
    )
    pteroassets_event_port: int = Field(
        8600, ge=1, le=_LARGEST_PORT, description="Port on which the collector listens."
    )
    pteroassets_event_queue: int = Field(
        50_000,
        ge=1,
        description="Events that may wait to be stored; while there are more, games are told to send them again.",
    )
    pteroassets_event_retention_days: int | None = Field(
        None,
        ge=1,
        description="Days of events received that long ago are dropped, and with them what the models say of them; "
        "kept for ever when unset.",
        examples=["400"],
    )

    @field_validator("pteroassets_event_keys")
    @classmethod
    def _keys(cls, value: SecretStr | None) -> SecretStr | None:
        parts = _parts(value)
        if value is not None and not parts:
            raise ValueError("it names no key: leave it unset where no events are pushed")
        for number, part in enumerate(parts, start=1):
            if not _KEY.fullmatch(part):
                raise ValueError(
                    f"number {number} is not game:key, a name of small letters, digits, - and _, and a key of 16 "
                    "characters or more"
                )
        games: dict[str, str] = {}
        for part in parts:
            game, _, key = part.partition(":")
            if games.setdefault(key, game) != game:
                raise ValueError(f"{games[key]} and {game} have the same key, by which games are told apart")
        return value

    def event_keys(self) -> dict[str, str]:
        """Return the game of each key."""
        return {key: game for game, _, key in (part.partition(":") for part in _parts(self.pteroassets_event_keys))}


def _parts(value: SecretStr | None) -> list[str]:
    text = "" if value is None else value.get_secret_value()
    return [part.strip() for part in text.split(",") if part.strip()]
