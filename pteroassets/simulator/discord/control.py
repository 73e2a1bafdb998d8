"""The handle on the fake below ``/_test``: what members do, what goes wrong, and what came of it.

Each is ``POST /_test/NAME`` with a JSON object; ``state``, ``messages``, ``requests`` and ``interaction`` take GET too.
Members, channels and guilds go by name or id; the guild is the first one unless it is named.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from pteroassets.simulator.discord import interactions, members
from pteroassets.simulator.discord.core import GUILD_ID, Discord
from pteroassets.simulator.discord.guilds import EVERYTHING, PERMISSIONS, Channel, Guild, Member, Role
from pteroassets.simulator.discord.interactions import Interaction
from pteroassets.simulator.discord.messages import Message
from pteroassets.simulator.discord.refusals import Refusal

_WAIT: Final = 5.0


class Control:
    """What a test or the page asks of the fake; every method named in `ACTIONS` takes and returns JSON."""

    def __init__(self, discord: Discord) -> None:
        self._discord = discord

    async def respond(self, request: HttpRequest, name: str) -> Response:
        """Answer one request of the handle."""
        given: dict[str, Any] = dict(request.query_params)
        if request.method == "POST":
            # a page of another site cannot send this type without asking first
            if not request.headers.get("content-type", "").startswith("application/json"):
                return _json(415, {"error": "send JSON"})
            given |= json.loads(await request.body() or b"{}")
        status, body = await self.do(name, given)
        return _json(status, body)

    async def do(self, name: str, given: dict[str, Any]) -> tuple[int, Any]:
        """Return status and body of one action."""
        if name not in ACTIONS:
            return 404, {"error": f"no such action; there are {', '.join(ACTIONS)}"}
        try:
            return 200, await getattr(self, f"_{name}")(given)
        except (members.NotPossible, LookupError, TypeError, ValueError) as error:
            return 422, {"error": f"{name}: {error}"}
        except Refusal as refused:
            return refused.status, refused.body

    # ------------------------------------------------------------------ finding

    def _guild(self, given: dict[str, Any]) -> Guild:
        wanted = str(given.get("guild", GUILD_ID))
        for guild in self._discord.guilds.values():
            if wanted in {guild.name, str(guild.id)}:
                return guild
        raise members.NotPossible(f"there is no guild {wanted}")

    def _channel(self, given: dict[str, Any]) -> Channel:
        wanted = str(given["channel"])
        own = self._guild(given).channels.values()
        for channel in [*own, *self._discord.channels.values()]:
            if wanted in {channel.name, str(channel.id)}:
                return channel
        raise members.NotPossible(f"there is no channel {wanted}")

    def _member(self, given: dict[str, Any], guild: Guild) -> Member:
        wanted = str(given["as"])
        for member in guild.members.values():
            if wanted in {member.user.name, str(member.user.id)}:
                return member
        raise members.NotPossible(f"{wanted} is no member of {guild.name}")

    def _message(self, given: dict[str, Any]) -> Message:
        found = self._discord.messages.get(int(given["message"]))
        if found is None:
            raise members.NotPossible(f"there is no message {given['message']}")
        return found

    # ------------------------------------------------------------------ what members do

    async def _slash(self, given: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(given)
        member = self._member(given, self._discord.guilds[channel.guild_id])
        data = members.command_data(self._discord, channel, member, str(given["command"]), given.get("options") or {})
        return await self._done(interactions.COMMAND, member, channel, data, given)

    async def _autocomplete(self, given: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(given)
        member = self._member(given, self._discord.guilds[channel.guild_id])
        focused = str(given["focused"])
        options = {focused: "", **(given.get("options") or {})}
        data = members.command_data(self._discord, channel, member, str(given["command"]), options, focused=focused)
        return await self._done(interactions.AUTOCOMPLETE, member, channel, data, given)

    async def _click(self, given: dict[str, Any]) -> dict[str, Any]:
        return await self._press(given, members.button_data)

    async def _select(self, given: dict[str, Any]) -> dict[str, Any]:
        return await self._press(given, members.select_data)

    async def _press(self, given: dict[str, Any], make: Any) -> dict[str, Any]:
        message = self._message(given)
        channel = self._discord.channels[message.channel_id]
        member = self._member(given, self._discord.guilds[channel.guild_id])
        members.check_sees(self._discord, message, member)
        data = make(message, given)
        return await self._done(interactions.COMPONENT, member, channel, data, given, message)

    async def _modal(self, given: dict[str, Any]) -> dict[str, Any]:
        asked = self._interaction_of(given)
        if asked.modal is None:
            raise members.NotPossible(f"interaction {asked.id} was not answered with a modal")
        channel = self._discord.channels[asked.channel_id]
        member = self._discord.guilds[asked.guild_id].members[asked.user_id]
        data = members.modal_data(asked.modal, given.get("values") or {})
        message = self._discord.messages.get(asked.message_id or 0)
        return await self._done(interactions.MODAL, member, channel, data, given, message)

    async def _done(
        self,
        kind: int,
        member: Member,
        channel: Channel,
        data: dict[str, Any],
        given: dict[str, Any],
        message: Message | None = None,
    ) -> dict[str, Any]:
        """Let *member* do it, and wait until it is answered: for the message itself, unless ``until`` is ``answer``."""
        discord = self._discord
        if not discord.gateway.is_connected:
            raise members.NotPossible("no bot is connected")
        one = interactions.begin(
            discord, kind, user_id=member.user.id, channel_id=channel.id, data=data, message=message
        )
        wants_message = given.get("until", "message") == "message"
        await discord.wait_for(
            lambda: one.answer is not None and not (wants_message and one.is_waiting(discord)),
            float(given.get("wait", _WAIT)),
        )
        return one.to_json(discord)

    async def _say(self, given: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(given)
        member = self._member(given, self._discord.guilds[channel.guild_id])
        self._discord.channel(channel.id, "send_messages", user_id=member.user.id)
        now = self._discord.clock.now()
        message = Message(
            id=self._discord.ids.at(now),
            channel_id=channel.id,
            guild_id=channel.guild_id,
            author=member.user.to_json(),
            created_at=now,
            content=str(given["content"])[:2000],
        )
        self._discord.add_message(message)
        return message.to_json()

    # ------------------------------------------------------------------ what an administrator does

    async def _members(self, given: dict[str, Any]) -> dict[str, Any]:
        guild = self._guild(given)
        member = self._discord.add_member(guild, str(given["name"]), tuple(given.get("roles") or ()))
        self._discord.touch()
        return member.to_json()

    async def _roles(self, given: dict[str, Any]) -> dict[str, Any]:
        guild = self._guild(given)
        now = self._discord.clock.now()
        role = Role(
            id=self._discord.ids.at(now),
            name=str(given["name"]),
            permissions=_bits(given.get("permissions") or []),
            position=len(guild.roles),
            is_mentionable=bool(given.get("mentionable", True)),
        )
        guild.roles[role.id] = role
        self._discord.gateway.dispatch(
            "GUILD_ROLE_CREATE", {"guild_id": str(guild.id), "role": role.to_json()}, intent=1
        )
        return role.to_json()

    async def _guilds(self, given: dict[str, Any]) -> dict[str, Any]:
        guild = self._discord.add_guild(str(given["name"]), channels=tuple(given.get("channels") or ("general",)))
        self._discord.gateway.dispatch("GUILD_CREATE", guild.created_event(self._discord.bot.id), intent=1)
        self._discord.touch()
        return {"id": str(guild.id), "channels": {one.name: str(one.id) for one in guild.channels.values()}}

    async def _channels(self, given: dict[str, Any]) -> dict[str, Any]:
        guild = self._guild(given)
        channel = self._discord.add_channel(guild, str(given["name"]))
        self._discord.gateway.dispatch("CHANNEL_CREATE", channel.to_json(guild), intent=1)
        self._discord.touch()
        return channel.to_json(guild)

    async def _webhooks(self, given: dict[str, Any]) -> dict[str, Any]:
        webhook = self._discord.add_webhook(self._channel(given), str(given.get("name", "alarms")))
        return {**webhook.to_json(), "url": f"{self._discord.base_url}/api/v10/webhooks/{webhook.id}/{webhook.token}"}

    async def _permissions(self, given: dict[str, Any]) -> dict[str, Any]:
        """Allow or deny in a channel: ``who`` is a role's name or id, a member's, or ``bot`` (the default)."""
        channel = self._channel(given)
        guild = self._discord.guilds[channel.guild_id]
        wanted = str(given.get("who", "bot"))
        ids = {"bot": self._discord.bot.id}
        ids |= {role.name: role.id for role in guild.roles.values() if role.bot_id is None}
        ids |= {str(one): one for one in [*guild.roles, *guild.members]}
        allowed, denied = (_bits(given.get(name) or []) for name in ("allow", "deny"))
        channel.overwrites[ids[wanted]] = (allowed, denied)
        self._discord.gateway.dispatch("CHANNEL_UPDATE", channel.to_json(guild), intent=1)
        self._discord.touch()
        return channel.to_json(guild)

    async def _delete(self, given: dict[str, Any]) -> dict[str, Any]:
        """Delete a message, a whole channel (``channel``) or a webhook (``webhook``), as an administrator does."""
        discord = self._discord
        if "message" in given:
            discord.delete_message(self._message(given))
        elif "webhook" in given:
            del discord.webhooks[int(given["webhook"])]
        else:
            channel = self._channel(given)
            guild = discord.guilds[channel.guild_id]
            for message in [one for one in discord.messages.values() if one.channel_id == channel.id]:
                discord.delete_message(message)
            del guild.channels[channel.id], discord.channels[channel.id]
            discord.gateway.dispatch("CHANNEL_DELETE", channel.to_json(guild), intent=1)
        discord.touch()
        return {}

    async def _fault(self, given: dict[str, Any]) -> dict[str, Any]:
        """Let something go wrong.

        Keys: ``drop`` (the code that closes every connection), ``reconnect`` (true), ``invalid_session`` (may it be
        resumed), ``refuse_gateway`` (seconds), ``acknowledge`` (heartbeats), ``requests`` (`faults.Fault`), ``clear``.
        """
        gateway = self._discord.gateway
        for name, value in given.items():
            match name:
                case "drop":
                    gateway.drop(int(value))
                case "reconnect":
                    gateway.ask_to_reconnect()
                case "invalid_session":
                    gateway.invalidate(may_resume=bool(value))
                case "refuse_gateway":
                    gateway.refuses_until = self._discord.seconds() + float(value)
                case "acknowledge":
                    gateway.acknowledges = bool(value)
                case "requests":
                    self._discord.faults.add(value)
                case "clear":
                    self._discord.faults.clear()
                    gateway.acknowledges, gateway.refuses_until = True, 0.0
                case _:
                    raise members.NotPossible(f"there is no fault {name}")
        return {"applied": sorted(given)}

    # ------------------------------------------------------------------ what came of it

    async def _state(self, _: dict[str, Any]) -> dict[str, Any]:
        discord = self._discord
        gateway = discord.gateway
        return {
            "version": discord.version,
            "now": discord.clock.now().isoformat(),
            "gateway": {
                "connected": gateway.is_connected,
                "identifies": gateway.identifies,
                "resumes": gateway.resumes,
                "heartbeats": gateway.heartbeats,
                "presence": gateway.presence,
            },
            "requests": sum(discord.log.routes.values()),
            "routes": dict(discord.log.routes),
            "statuses": {str(status): count for status, count in discord.log.statuses.items()},
            "refused_by_rate": discord.limits.refused,
            "faults_struck": discord.faults.struck,
            "commands": {str(guild or ""): [one["name"] for one in many] for guild, many in discord.commands.items()},
            "guilds": [self._guild_json(guild) for guild in discord.guilds.values()],
            "messages": {
                str(channel): [self._message_json(one) for one in self._in(channel)] for channel in discord.channels
            },
        }

    def _guild_json(self, guild: Guild) -> dict[str, Any]:
        return {
            "id": str(guild.id),
            "name": guild.name,
            "roles": {role.name: str(role.id) for role in guild.roles.values()},
            "members": {
                one.user.name: {"id": str(one.user.id), "roles": [guild.roles[role].name for role in one.roles]}
                for one in guild.members.values()
            },
            "channels": {one.name: str(one.id) for one in guild.channels.values()},
        }

    def _in(self, channel_id: int) -> list[Message]:
        return sorted(
            (one for one in self._discord.messages.values() if one.channel_id == channel_id), key=lambda one: one.id
        )

    def _message_json(self, message: Message) -> dict[str, Any]:
        return {
            **message.to_json(),
            "edits": message.edits,
            "pings": message.pings,
            "private_to": self._discord.users[message.private_to].name if message.private_to is not None else None,
            "digests": [hashlib.sha256(one.content).hexdigest() for one in message.attachments],
        }

    async def _messages(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        return [self._message_json(one) for one in self._in(self._channel(given).id)]

    async def _requests(self, given: dict[str, Any]) -> dict[str, Any]:
        log = self._discord.log
        entries = [
            {"seconds": one.seconds, "at": one.at.isoformat(), "route": one.route, "status": one.status}
            for one in log.entries
        ]
        if given.get("forget"):
            log.clear()
        return {"entries": entries}

    def _interaction_of(self, given: dict[str, Any]) -> Interaction:
        for one in self._discord.interactions.values():
            if str(one.id) == str(given["interaction"]):
                found: Interaction = one
                return found
        raise members.NotPossible(f"there is no interaction {given['interaction']}")

    async def _interaction(self, given: dict[str, Any]) -> dict[str, Any]:
        return self._interaction_of(given).to_json(self._discord)


ACTIONS: Final = (
    "slash",
    "autocomplete",
    "click",
    "select",
    "modal",
    "say",
    "members",
    "roles",
    "guilds",
    "channels",
    "webhooks",
    "permissions",
    "delete",
    "fault",
    "state",
    "messages",
    "requests",
    "interaction",
)


def _bits(names: list[str]) -> int:
    if names == ["everything"]:
        return EVERYTHING
    return sum(PERMISSIONS[name] for name in names)


def _json(status: int, body: Any) -> Response:
    return Response(json.dumps(body), status_code=status, media_type="application/json")
