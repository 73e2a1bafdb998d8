"""What the fake Discord remembers: guilds, messages, webhooks, commands, interactions, and what was asked of it."""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pteroassets.clock import Clock
from pteroassets.simulator.discord.faults import Faults
from pteroassets.simulator.discord.gateway import Gateway
from pteroassets.simulator.discord.guilds import (
    OF_BOT,
    OF_EVERYONE,
    PERMISSIONS,
    Channel,
    Guild,
    Ids,
    Member,
    Role,
    User,
)
from pteroassets.simulator.discord.messages import Attachment, Message, attachment_url
from pteroassets.simulator.discord.rates import Limits, Rate
from pteroassets.simulator.discord.refusals import refusal

APPLICATION_ID: Final = 1100000000000000001
OWNER_ID: Final = 1100000000000000002
GUILD_ID: Final = 1200000000000000000
OTHER_GUILD_ID: Final = 1300000000000000000
CHANNELS: Final = ("status", "alarms", "streams", "commands", "replays")
"""Of the guild, in order: their ids follow that of the guild."""
ROLES: Final = ("operators", "moderators", "players")
"""Of the guild, in order: their ids are a hundred above that of the guild, and on."""
MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "owner": (),
    "operator": ("operators",),
    "moderator": ("moderators",),
    "player": ("players",),
    "guest": (),
}
"""Members of the guild with their roles; ids two hundred above that of the guild, and on, but for the owner."""
_KEPT_REQUESTS: Final = 20_000
GUILDS_INTENT: Final = 1 << 0
MESSAGES_INTENT: Final = 1 << 9


@dataclass(slots=True, kw_only=True)
class Webhook:
    """A webhook of a channel; *is_ours* where the bot's application owns it."""

    id: int
    token: str
    channel_id: int
    guild_id: int
    name: str
    is_ours: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the webhook as the API shows it."""
        return {
            "id": str(self.id),
            "type": 1,
            "guild_id": str(self.guild_id),
            "channel_id": str(self.channel_id),
            "name": self.name,
            "avatar": None,
            "token": self.token,
            "application_id": str(APPLICATION_ID) if self.is_ours else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One answered request; *seconds* on the meter of the fake."""

    seconds: float
    at: datetime
    route: str
    path: str
    status: int


@dataclass(slots=True, kw_only=True)
class Log:
    """What was asked."""

    entries: deque[Request] = field(default_factory=lambda: deque(maxlen=_KEPT_REQUESTS))
    routes: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)

    def clear(self) -> None:
        """Forget everything."""
        self.entries.clear()
        self.routes.clear()
        self.statuses.clear()


class Discord:
    """The state of the fake; everything in it belongs to the loop that answers requests.

    Args:
        clock: Dates messages and limits how long interactions may be answered.
        rates: Limits of routes that differ from `rates.RATES`.
        overall: Requests a second for the bot as a whole.
        seconds: The meter of rate limits and faults, in seconds that only grow.
        heartbeat: Seconds between two heartbeats.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        rates: Mapping[str, Rate] | None = None,
        overall: int = 50,
        seconds: Callable[[], float] = time.monotonic,
        heartbeat: float = 41.25,
    ) -> None:
        self.clock = clock
        self.seconds = seconds
        self.ids = Ids()
        self.base_url = ""
        self.token = _token()
        self.verify_key = secrets.token_hex(32)
        self.bot = User(id=APPLICATION_ID, name="pteroassets", shown="pteroassets", is_bot=True)
        self.owner = User(id=OWNER_ID, name="owner", shown="owner")
        self.users: dict[int, User] = {self.bot.id: self.bot, self.owner.id: self.owner}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, Message] = {}
        self.files: dict[int, Attachment] = {}
        self.webhooks: dict[int, Webhook] = {}
        self.commands: dict[int | None, list[dict[str, Any]]] = {None: []}
        self.interactions: dict[str, Any] = {}
        self.limits = Limits(rates, overall=overall, seconds=seconds)
        self.faults = Faults(seconds)
        self.log = Log()
        self.gateway = Gateway(self, heartbeat)
        self.version = 0
        self.is_closing = False
        self._changed = asyncio.Condition()
        self._waking: set[asyncio.Task[None]] = set()
        self._nonces: dict[tuple[int, str], int] = {}
        self._found()

    # ------------------------------------------------------------------ guilds

    def _found(self) -> None:
        guild = self.add_guild("Pteroassets", GUILD_ID, channels=CHANNELS)
        colours = (0xE67E22, 0x3498DB, 0x2ECC71)
        for number, (name, colour) in enumerate(zip(ROLES, colours, strict=True)):
            role = Role(id=GUILD_ID + 100 + number, name=name, colour=colour, position=2 + number)
            guild.roles[role.id] = role
        for number, (name, roles) in enumerate(MEMBERS.items()):
            if name != "owner":
                self.add_member(guild, name, roles, user_id=GUILD_ID + 200 + number)
        self.add_guild("Another guild", OTHER_GUILD_ID, channels=("general",))
        self.add_member(self.guilds[OTHER_GUILD_ID], "stranger", (), user_id=OTHER_GUILD_ID + 200)

    def add_guild(self, name: str, guild_id: int | None = None, *, channels: tuple[str, ...] = ("general",)) -> Guild:
        """Found a guild with the bot and its owner in it."""
        now = self.clock.now()
        made = guild_id or self.ids.at(now)
        guild = Guild(id=made, name=name, owner_id=self.owner.id, created_at=now)
        guild.roles[made] = Role(id=made, name="@everyone", permissions=OF_EVERYONE, position=0, is_mentionable=False)
        own = Role(id=made + 99, name=self.bot.name, permissions=OF_BOT, position=1, bot_id=self.bot.id)
        guild.roles[own.id] = own
        guild.members[self.bot.id] = Member(user=self.bot, roles=[own.id], joined_at=now)
        guild.members[self.owner.id] = Member(user=self.owner, roles=[], joined_at=now)
        self.guilds[made] = guild
        for number, one in enumerate(channels):
            self.add_channel(guild, one, channel_id=made + 1 + number)
        return guild

    def add_channel(self, guild: Guild, name: str, *, channel_id: int | None = None) -> Channel:
        """Make a text channel."""
        channel = Channel(
            id=channel_id or self.ids.at(self.clock.now()), guild_id=guild.id, name=name, position=len(guild.channels)
        )
        guild.channels[channel.id] = self.channels[channel.id] = channel
        return channel

    def add_member(self, guild: Guild, name: str, roles: tuple[str, ...], *, user_id: int | None = None) -> Member:
        """Let somebody join *guild*, with roles by name or id; who is there already gets these roles instead.

        Raises:
            KeyError: The guild has no such role.
        """
        by_name = {role.name: role.id for role in guild.roles.values()}
        held = [by_name[role] if role in by_name else guild.roles[int(role)].id for role in roles]
        user = next((one for one in self.users.values() if one.name == name), None)
        if user is None:
            user = User(id=user_id or self.ids.at(self.clock.now()), name=name, shown=name)
            self.users[user.id] = user
        member = guild.members.get(user.id)
        if member is None:
            member = guild.members[user.id] = Member(user=user, roles=[], joined_at=self.clock.now())
        member.roles = held
        return member

    def channel(self, channel_id: str | int, *needed: str, user_id: int | None = None) -> Channel:
        """Return a channel in which somebody (the bot by default) may do all that is *needed*.

        Raises:
            Refusal: 10003, 50001 or 50013.
        """
        channel = self.channels.get(int(channel_id)) if str(channel_id).isdigit() else None
        if channel is None:
            raise refusal("unknown channel")
        bits = self.guilds[channel.guild_id].permissions(user_id or self.bot.id, channel)
        if not bits & PERMISSIONS["view_channel"]:
            raise refusal("missing access")
        if not all(bits & PERMISSIONS[name] for name in needed):
            raise refusal("missing permissions")
        return channel

    def add_webhook(self, channel: Channel, name: str, *, is_ours: bool = False) -> Webhook:
        """Make a webhook of *channel*."""
        webhook = Webhook(
            id=self.ids.at(self.clock.now()),
            token=secrets.token_urlsafe(48),
            channel_id=channel.id,
            guild_id=channel.guild_id,
            name=name,
            is_ours=is_ours,
        )
        self.webhooks[webhook.id] = webhook
        return webhook

    # ------------------------------------------------------------------ messages

    def message(self, channel_id: int, message_id: str | int, *, with_private: bool = False) -> Message:
        """Return a message of a channel.

        Raises:
            Refusal: 10008.
        """
        found = self.messages.get(int(message_id)) if str(message_id).isdigit() else None
        if found is None or found.channel_id != channel_id or (found.private_to is not None and not with_private):
            raise refusal("unknown message")
        return found

    def by_nonce(self, author_id: int, nonce: Any) -> Message | None:
        """Return the message that somebody sent with *nonce*, while it stands."""
        return self.messages.get(self._nonces.get((author_id, str(nonce)), 0))

    def add_message(self, message: Message) -> None:
        """Let a message stand, and tell the gateway of it."""
        self.messages[message.id] = message
        if message.nonce is not None:
            self._nonces[int(message.author["id"]), str(message.nonce)] = message.id
        if message.private_to is None:
            self.gateway.dispatch("MESSAGE_CREATE", self._event(message), intent=MESSAGES_INTENT)
        self.touch()

    def edited(self, message: Message, *, counts: bool = True) -> None:
        """Note that a message changed."""
        if counts:
            message.edited_at = self.clock.now()
            message.edits += 1
        if message.private_to is None:
            self.gateway.dispatch("MESSAGE_UPDATE", self._event(message), intent=MESSAGES_INTENT)
        self.touch()

    def delete_message(self, message: Message) -> None:
        """Take a message away, with its files."""
        del self.messages[message.id]
        for one in message.attachments:
            self.files.pop(one.id, None)
        if message.private_to is None:
            self.gateway.dispatch(
                "MESSAGE_DELETE",
                {"id": str(message.id), "channel_id": str(message.channel_id), "guild_id": str(message.guild_id)},
                intent=MESSAGES_INTENT,
            )
        self.touch()

    def _event(self, message: Message) -> dict[str, Any]:
        body = {**message.to_json(), "guild_id": str(message.guild_id)}
        if int(message.author["id"]) != self.bot.id:
            # without the intent of reading messages
            body.update(content="", embeds=[], components=[], attachments=[])
        return body

    def keep_file(self, channel_id: int, filename: str, content: bytes, description: str | None) -> Attachment:
        """Serve a file of a message from now on."""
        number = self.ids.at(self.clock.now())
        file = Attachment(
            id=number,
            filename=filename,
            content=content,
            url=attachment_url(self.base_url, channel_id, number, filename),
            description=description,
        )
        self.files[number] = file
        return file

    # ------------------------------------------------------------------ who looks on

    def touch(self) -> None:
        """Wake those who wait for a change."""
        self.version += 1
        task = asyncio.get_running_loop().create_task(self._wake())
        self._waking.add(task)
        task.add_done_callback(self._waking.discard)

    async def close(self) -> None:
        """Let nobody wait any longer: the fake is about to end."""
        self.is_closing = True
        await self._wake()

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def wait_for(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Return whether *condition* came true within *seconds* of this machine."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: condition() or self.is_closing)
        except TimeoutError:
            return condition()
        return condition()


def _token() -> str:
    """Return a token in the form of Discord's: the id, a time, a secret."""
    identity = base64.urlsafe_b64encode(str(APPLICATION_ID).encode()).decode().rstrip("=")
    return f"{identity}.{secrets.token_urlsafe(4)}.{secrets.token_urlsafe(28)}"
