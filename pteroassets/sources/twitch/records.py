"""Records of Twitch as rows: who streams, what, since when, and the clips that viewers made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TwitchUser:
    """An account; *record* is what Twitch said of it, but for its e-mail address, which we have no right to see."""

    user_id: str
    login: str
    record: Mapping[str, Any]

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> TwitchUser:
        """Return the row of a record of ``/helix/users``."""
        kept = {name: value for name, value in record.items() if name != "email"}
        return cls(user_id=record["id"], login=record["login"], record=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A stream that is live; its id is new each time somebody goes live."""

    stream_id: str
    user_id: str
    login: str
    started_at: datetime
    record: Mapping[str, Any]

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Stream:
        """Return the row of a record of ``/helix/streams``."""
        return cls(
            stream_id=record["id"],
            user_id=record["user_id"],
            login=record["user_login"],
            started_at=datetime.fromisoformat(record["started_at"]),
            record=record,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A piece of a stream that a viewer kept."""

    clip_id: str
    user_id: str
    created_at: datetime
    record: Mapping[str, Any]

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Clip:
        """Return the row of a record of ``/helix/clips``."""
        return cls(
            clip_id=record["id"],
            user_id=record["broadcaster_id"],
            created_at=datetime.fromisoformat(record["created_at"]),
            record=record,
        )
