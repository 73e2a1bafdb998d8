"""Settings of the collector, to which games push events."""

from __future__ import annotations

import re
from typing import Final

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

_LARGEST_PORT: Final = 65_535
_GAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_RATE: Final = re.compile(rf"(?:{_GAME.pattern}:)?[1-9][0-9]{{0,8}}")
_KEY: Final = re.compile(rf"({_GAME.pattern}):([^\s,]{{16,}})")


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
    pteroassets_event_compatibility_game: str | None = Field(
        None,
        description="Game whose events the routes take that ask for no key, GET /join_a_guild/3 and the like; there "
        "are none when unset. Whoever reaches the collector can use them.",
        examples=["arena"],
    )
    pteroassets_event_rate: str | None = Field(
        None,
        description="Events a second that a key may send, as an average of 10 seconds: a number, game:number for the "
        "keys of one game, or several separated by commas; any number when unset.",
        examples=["500,arena:2000"],
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

    @field_validator("pteroassets_event_compatibility_game")
    @classmethod
    def _a_game(cls, value: str | None) -> str | None:
        if value is not None and not _GAME.fullmatch(value):
            raise ValueError(f"{value!r} is no name of a game: small letters, digits, - and _")
        return value

    @field_validator("pteroassets_event_rate")
    @classmethod
    def _rates(cls, value: str | None, info: ValidationInfo) -> str | None:
        parts = _parts(value)
        if value is not None and not parts:
            raise ValueError("it names no rate: leave it unset where games may send any number")
        for part in parts:
            if not _RATE.fullmatch(part):
                raise ValueError(f"{part!r} is neither a number from 1 up nor game:number")
        games = [part.rpartition(":")[0] for part in parts]
        if twice := sorted({game or "the number for all" for game in games if games.count(game) > 1}):
            raise ValueError(f"{', '.join(twice)} stands there twice")
        keys = info.data.get("pteroassets_event_keys")
        known = {part.partition(":")[0] for part in _parts(keys)} | {
            info.data.get("pteroassets_event_compatibility_game")
        }
        if keys is not None and (unknown := sorted({*games} - known - {""})):
            raise ValueError(f"no key is set for {', '.join(unknown)}, which PTEROASSETS_EVENT_KEYS would name")
        return value

    def event_rates(self) -> tuple[int | None, dict[str, int]]:
        """Return the rate of a key whose game has none of its own, None being any number, and those of games."""
        rates = {
            game: int(rate) for game, _, rate in (part.rpartition(":") for part in _parts(self.pteroassets_event_rate))
        }
        return rates.pop("", None), rates

    def event_keys(self) -> dict[str, str]:
        """Return the game of each key."""
        return {key: game for game, _, key in (part.partition(":") for part in _parts(self.pteroassets_event_keys))}


def _parts(value: SecretStr | str | None) -> list[str]:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value or ""
    return [part.strip() for part in text.split(",") if part.strip()]
