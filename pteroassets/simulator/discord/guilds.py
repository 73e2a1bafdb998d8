"""Guilds with their roles, members and channels, and who may do what in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

EPOCH: Final = datetime(2015, 1, 1, tzinfo=UTC)
"""Where the time in an id of Discord begins."""

PERMISSIONS: Final = {
    "administrator": 1 << 3,
    "manage_channels": 1 << 4,
    "view_channel": 1 << 10,
    "send_messages": 1 << 11,
    "manage_messages": 1 << 13,
    "embed_links": 1 << 14,
    "attach_files": 1 << 15,
    "read_message_history": 1 << 16,
    "mention_everyone": 1 << 17,
    "manage_webhooks": 1 << 29,
    "use_application_commands": 1 << 31,
}
EVERYTHING: Final = (1 << 50) - 1
OF_EVERYONE: Final = sum(
    PERMISSIONS[name]
    for name in ("view_channel", "send_messages", "embed_links", "attach_files", "read_message_history")
) | (1 << 31)
OF_BOT: Final = sum(
    PERMISSIONS[name]
    for name in ("view_channel", "send_messages", "embed_links", "attach_files", "read_message_history")
)


class Ids:
    """Ids as Discord makes them: the time in milliseconds, then a number that counts up."""

    def __init__(self) -> None:
        self._last = 0

    def at(self, now: datetime) -> int:
        """Return an id of *now*, larger than every one before."""
        self._last = max(self._last + 1, int((now - EPOCH).total_seconds() * 1000) << 22)
        return self._last


@dataclass(slots=True, kw_only=True)
class User:
    """An account; *name* is unique, *shown* is what others see."""

    id: int
    name: str
    shown: str
    is_bot: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the account as the API shows it."""
        return {
            "id": str(self.id),
            "username": self.name,
            "global_name": None if self.is_bot else self.shown,
            "discriminator": "0000" if self.is_bot else "0",
            "avatar": None,
            "bot": self.is_bot,
            "public_flags": 0,
            "flags": 0,
        }


@dataclass(slots=True, kw_only=True)
class Role:
    """A role; *permissions* are bits."""

    id: int
    name: str
    permissions: int = 0
    colour: int = 0
    position: int = 1
    is_mentionable: bool = True
    bot_id: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the role as the API shows it."""
        return {
            "id": str(self.id),
            "name": self.name,
            "permissions": str(self.permissions),
            "color": self.colour,
            "colors": {"primary_color": self.colour, "secondary_color": None, "tertiary_color": None},
            "position": self.position,
            "hoist": False,
            "managed": self.bot_id is not None,
            "mentionable": self.is_mentionable,
            "flags": 0,
            **({"tags": {"bot_id": str(self.bot_id)}} if self.bot_id else {}),
        }


@dataclass(slots=True, kw_only=True)
class Member:
    """Somebody in a guild, with the ids of the roles held beside @everyone."""

    user: User
    roles: list[int]
    joined_at: datetime

    def to_json(self) -> dict[str, Any]:
        """Return the member as the API shows it."""
        return {
            "user": self.user.to_json(),
            "nick": None,
            "avatar": None,
            "roles": [str(role) for role in self.roles],
            "joined_at": self.joined_at.isoformat(),
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "pending": False,
            "flags": 0,
            "communication_disabled_until": None,
        }


@dataclass(slots=True, kw_only=True)
class Channel:
    """A text channel; *overwrites* are (allowed, denied) bits by the id of a role or a member."""

    id: int
    guild_id: int
    name: str
    topic: str = ""
    position: int = 0
    overwrites: dict[int, tuple[int, int]] = field(default_factory=dict)

    def to_json(self, guild: Guild) -> dict[str, Any]:
        """Return the channel as the API shows it."""
        return {
            "id": str(self.id),
            "type": 0,
            "guild_id": str(self.guild_id),
            "name": self.name,
            "topic": self.topic or None,
            "position": self.position,
            "permission_overwrites": [
                {"id": str(who), "type": 0 if who in guild.roles else 1, "allow": str(allowed), "deny": str(denied)}
                for who, (allowed, denied) in self.overwrites.items()
            ],
            "parent_id": None,
            "nsfw": False,
            "rate_limit_per_user": 0,
            "last_message_id": None,
            "flags": 0,
        }


@dataclass(slots=True, kw_only=True)
class Guild:
    """A guild; the role of its own id is @everyone."""

    id: int
    name: str
    owner_id: int
    created_at: datetime
    has_bot: bool = True
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)

    def permissions(self, user_id: int, channel: Channel | None = None) -> int:
        """Return the bits of what a member may do, in *channel* if one is given."""
        member = self.members.get(user_id)
        if member is None:
            return 0
        if user_id == self.owner_id:
            return EVERYTHING
        bits = self.roles[self.id].permissions
        for role in member.roles:
            bits |= self.roles[role].permissions
        if bits & PERMISSIONS["administrator"]:
            return EVERYTHING
        if channel is None:
            return bits
        for group in ([self.id], member.roles, [user_id]):
            found = [channel.overwrites[one] for one in group if one in channel.overwrites]
            for _, denied in found:
                bits &= ~denied
            for allowed, _ in found:
                bits |= allowed
        return bits if bits & PERMISSIONS["view_channel"] else 0

    def to_json(self) -> dict[str, Any]:
        """Return the guild as ``GET /guilds/{id}`` shows it."""
        return {
            "id": str(self.id),
            "name": self.name,
            "icon": None,
            "splash": None,
            "discovery_splash": None,
            "description": None,
            "banner": None,
            "owner_id": str(self.owner_id),
            "region": "deprecated",
            "afk_channel_id": None,
            "afk_timeout": 300,
            "verification_level": 1,
            "default_message_notifications": 1,
            "explicit_content_filter": 0,
            "roles": [role.to_json() for role in self.roles.values()],
            "emojis": [],
            "stickers": [],
            "features": [],
            "mfa_level": 0,
            "nsfw_level": 0,
            "application_id": None,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "public_updates_channel_id": None,
            "vanity_url_code": None,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "premium_progress_bar_enabled": False,
            "preferred_locale": "en-US",
            "max_members": 500000,
        }

    def created_event(self, bot_id: int) -> dict[str, Any]:
        """Return the guild as GUILD_CREATE shows it to a bot that may not see its members: itself alone."""
        return {
            **self.to_json(),
            "joined_at": self.members[bot_id].joined_at.isoformat(),
            "large": False,
            "unavailable": False,
            "member_count": len(self.members),
            "members": [self.members[bot_id].to_json()],
            "channels": [channel.to_json(self) for channel in self.channels.values()],
            "threads": [],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }
