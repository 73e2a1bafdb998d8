"""Messages with their attachments: how they come to be, change and are shown."""

from __future__ import annotations

import copy
import mimetypes
import re
import struct
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from pteroassets.simulator.discord.guilds import PERMISSIONS, Channel, Guild

EPHEMERAL: Final = 1 << 6
LOADING: Final = 1 << 7
SUPPRESS_EMBEDS: Final = 1 << 2
SUPPRESS_NOTIFICATIONS: Final = 1 << 12
LAYOUT: Final = 1 << 15
OF_SENDER: Final = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | LAYOUT
"""Flags that a sender may set."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_MENTION: Final = re.compile(r"<@(&?)!?(\d+)>|@(everyone|here)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of a message; *url* is where it is served."""

    id: int
    filename: str
    content: bytes
    url: str
    description: str | None = None

    @property
    def size_in_pixels(self) -> tuple[int, int] | None:
        """Width and height of a PNG."""
        if not self.content.startswith(_PNG) or len(self.content) < 24:  # noqa: PLR2004 - where the size ends
            return None
        width, height = struct.unpack(">II", self.content[16:24])
        return width, height

    def to_json(self) -> dict[str, Any]:
        """Return the attachment as the API shows it."""
        kind, _ = mimetypes.guess_type(self.filename)
        pixels = self.size_in_pixels
        return {
            "id": str(self.id),
            "filename": self.filename,
            "size": len(self.content),
            "url": self.url,
            "proxy_url": self.url,
            "content_type": kind or "application/octet-stream",
            **({"description": self.description} if self.description else {}),
            **({"width": pixels[0], "height": pixels[1]} if pixels else {}),
        }


@dataclass(slots=True, kw_only=True)
class Message:
    """A message; *private_to* is the one member who sees it, *pings* who was notified when it was sent."""

    id: int
    channel_id: int
    guild_id: int
    author: dict[str, Any]
    created_at: datetime
    content: str = ""
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: int = 0
    edited_at: datetime | None = None
    edits: int = 0
    nonce: Any = None
    webhook_id: int | None = None
    application_id: int | None = None
    private_to: int | None = None
    interaction: dict[str, Any] | None = None
    pings: list[str] = field(default_factory=list)
    mentions: list[dict[str, Any]] = field(default_factory=list)
    reply_to: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the message as the API shows it."""
        roles = [name.removeprefix("role:") for name in self.pings if name.startswith("role:")]
        return {
            "id": str(self.id),
            "channel_id": str(self.channel_id),
            "type": 20 if self.interaction and self.interaction["type"] == 2 else (19 if self.reply_to else 0),  # noqa: PLR2004 - Discord's kinds
            "content": self.content,
            "author": self.author,
            "timestamp": self.created_at.isoformat(),
            "edited_timestamp": self.edited_at.isoformat() if self.edited_at else None,
            "tts": False,
            "mention_everyone": "everyone" in self.pings or "here" in self.pings,
            "mentions": self.mentions,
            "mention_roles": roles,
            "attachments": [one.to_json() for one in self.attachments],
            "embeds": self._embeds(),
            "components": self.components,
            "pinned": False,
            "flags": self.flags,
            **({"nonce": self.nonce} if self.nonce is not None else {}),
            **({"webhook_id": str(self.webhook_id)} if self.webhook_id else {}),
            **({"application_id": str(self.application_id)} if self.application_id else {}),
            **({"interaction_metadata": self.interaction} if self.interaction else {}),
            **(
                {"message_reference": {"type": 0, "message_id": str(self.reply_to), "channel_id": str(self.channel_id)}}
                if self.reply_to
                else {}
            ),
        }

    def _embeds(self) -> list[dict[str, Any]]:
        """Return the embeds with the addresses of the files that they name; a name without a file shows nothing."""
        by_name = {one.filename: one for one in self.attachments}
        shown = []
        for embed in copy.deepcopy(self.embeds):
            for part, key in (("image", "url"), ("thumbnail", "url"), ("author", "icon_url"), ("footer", "icon_url")):
                url = (embed.get(part) or {}).get(key)
                if not url or not url.startswith("attachment://"):
                    continue
                file = by_name.get(url.removeprefix("attachment://"))
                if file is not None:
                    embed[part][key] = embed[part][f"proxy_{key}"] = file.url
                    if file.size_in_pixels and key == "url":
                        embed[part]["width"], embed[part]["height"] = file.size_in_pixels
                elif key == "url":
                    del embed[part]
                else:
                    del embed[part][key]
            shown.append({"type": "rich", **embed})
        return shown

    def is_empty(self) -> bool:
        """Return whether nothing would be shown."""
        return not (self.content.strip() or self.embeds or self.components or self.attachments)


def attachment_url(base_url: str, channel_id: int, attachment_id: int, filename: str) -> str:
    """Return where a file of a message is served."""
    return f"{base_url}/attachments/{channel_id}/{attachment_id}/{quote(filename)}"


def who_is_called(
    content: str, allowed: dict[str, Any] | None, guild: Guild, channel: Channel, author_id: int | None
) -> tuple[list[str], list[dict[str, Any]]]:
    """Return who is notified by *content* (``role:ID``, ``user:ID``, ``everyone``, ``here``), and the users it names.

    Args:
        content: Of the message; embeds notify nobody.
        allowed: ``allowed_mentions``; None lets everything through, as Discord does.
        guild: Where the message stands.
        channel: The same.
        author_id: Who needs the right to call everybody or any role; None for a webhook, which has it.
    """
    may_all = author_id is None or bool(guild.permissions(author_id, channel) & PERMISSIONS["mention_everyone"])
    parse = {"roles", "users", "everyone"} if allowed is None else set(allowed.get("parse") or [])
    named = {kind: {str(one) for one in (allowed or {}).get(kind) or []} for kind in ("roles", "users")}
    pings: list[str] = []
    users: list[dict[str, Any]] = []
    for is_role, number, word in _MENTION.findall(content):
        if word:
            called = word if may_all and "everyone" in parse else None
        elif is_role:
            role = guild.roles.get(int(number))
            may = role is not None and (role.is_mentionable or may_all)
            called = f"role:{number}" if may and ("roles" in parse or number in named["roles"]) else None
        else:
            member = guild.members.get(int(number))
            if member is not None and member.user.to_json() not in users:
                users.append(member.user.to_json())
            called = f"user:{number}" if member and ("users" in parse or number in named["users"]) else None
        if called and called not in pings:
            pings.append(called)
    return pings, users
