"""The page that shows the channels as a person would see them, and what it asks for."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from pteroassets.simulator.discord import members
from pteroassets.simulator.discord.core import Discord
from pteroassets.simulator.discord.guilds import PERMISSIONS, Channel, Guild, Member
from pteroassets.simulator.discord.messages import Message

_FILES: Final = {
    "page.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "text.js": "text/javascript; charset=utf-8",
    "draw.js": "text/javascript; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
}
_WAIT: Final = 20.0
_SHOWN: Final = 100


class Page:
    """Serves the page and what it asks for."""

    def __init__(self, discord: Discord) -> None:
        self._discord = discord

    async def respond(self, request: HttpRequest, path: str) -> Response:
        """Answer one request of a browser."""
        name = path.removeprefix("/") or "page.html"
        if name == "view":
            return await self._view(request)
        if name not in _FILES:
            return Response(f"{path} is not here", status_code=404, media_type="text/plain")
        content = files(__package__).joinpath("browser", name).read_bytes()
        return Response(content, media_type=_FILES[name], headers={"Cache-Control": "no-cache"})

    async def _view(self, request: HttpRequest) -> Response:
        """Answer what a member sees in a channel, once it is newer than the version that the browser has."""
        query = request.query_params
        known = int(query.get("version", "-1"))
        await self._discord.wait_for(lambda: self._discord.version != known, _WAIT)
        channel, member = self._chosen(query.get("guild"), query.get("channel"), query.get("member"))
        body = self._seen(channel, member)
        return Response(json.dumps(body), media_type="application/json", headers={"Cache-Control": "no-store"})

    def _chosen(self, guild_id: str | None, channel_id: str | None, member_id: str | None) -> tuple[Channel, Member]:
        """Return the channel and the member that a browser asks for, or others where those are not there."""
        discord = self._discord
        channel = discord.channels.get(_number(channel_id))
        guild = discord.guilds.get(_number(guild_id) or (channel.guild_id if channel else 0))
        guild = guild or next(iter(discord.guilds.values()))
        people = [one for one in guild.members.values() if not one.user.is_bot]
        # a reader begins as somebody who may press buttons
        first = next((one for one in people if one.roles), people[0])
        member = guild.members.get(_number(member_id)) or first
        seen = [one for one in guild.channels.values() if _sees(guild, one, member)]
        if channel is None or channel not in seen:
            channel = next(iter(seen), next(iter(guild.channels.values())))
        return channel, member

    def _seen(self, channel: Channel, member: Member) -> dict[str, Any]:
        discord = self._discord
        guild = discord.guilds[channel.guild_id]
        mine = [one for one in discord.messages.values() if one.private_to in {None, member.user.id}]
        counts = {one: sum(message.channel_id == one for message in mine) for one in guild.channels}
        here = sorted((one for one in mine if one.channel_id == channel.id), key=lambda one: one.id)[-_SHOWN:]
        return {
            "version": discord.version,
            "bot": discord.bot.name,
            "connected": discord.gateway.is_connected,
            "guild": str(guild.id),
            "channel": str(channel.id),
            "member": str(member.user.id),
            "guilds": [{"id": str(one.id), "name": one.name} for one in discord.guilds.values()],
            "channels": [
                {"id": str(one.id), "name": one.name, "topic": one.topic, "messages": counts[one.id]}
                for one in guild.channels.values()
                if _sees(guild, one, member)
            ],
            "members": [
                {
                    "id": str(one.user.id),
                    "name": one.user.shown,
                    "roles": [guild.roles[role].name for role in one.roles],
                }
                for one in guild.members.values()
                if not one.user.is_bot
            ],
            "names": self._names(guild),
            "called": [
                "everyone",
                "here",
                f"user:{member.user.id}",
                *(f"role:{role}" for role in member.roles),
            ],
            "commands": [
                entry
                for one in members.commands_of(discord, guild)
                if members.may_use(one, guild, channel, member)
                for entry in _paths(one)
            ],
            "messages": [_shown(one) for one in here] if _sees(guild, channel, member) else [],
        }

    def _names(self, guild: Guild) -> dict[str, dict[str, str]]:
        return {
            "users": {str(one.id): one.shown for one in self._discord.users.values()},
            "roles": {str(one.id): one.name for one in guild.roles.values()},
            "channels": {str(one.id): one.name for one in guild.channels.values()},
        }


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _sees(guild: Guild, channel: Channel, member: Member) -> bool:
    return bool(guild.permissions(member.user.id, channel) & PERMISSIONS["view_channel"])


def _shown(message: Message) -> dict[str, Any]:
    return {**message.to_json(), "pings": message.pings}


def _paths(command: dict[str, Any], before: str = "") -> list[dict[str, Any]]:
    """Return what of *command* can be typed: itself, or each of its subcommands."""
    path = f"{before}{command['name']}"
    options = command.get("options") or []
    below = [one for one in options if one["type"] <= members.GROUP]
    if below:
        return [entry for one in below for entry in _paths(one, f"{path} ")]
    return [{"path": path, "description": command.get("description", ""), "options": options}]
