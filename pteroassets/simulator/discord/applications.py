"""Routes of the bot itself, its application and commands, and of the guilds that it is in."""

from __future__ import annotations

import re
from typing import Any, Final

from pteroassets.simulator.discord.calls import NOTHING, Answer, Call, Route
from pteroassets.simulator.discord.gateway import IDENTIFIES_A_DAY
from pteroassets.simulator.discord.guilds import Guild
from pteroassets.simulator.discord.refusals import FieldFaults, refusal

_NAME: Final = re.compile(r"^[-_\w]{1,32}$")
_COMMANDS: Final = 100
_OPTIONS: Final = 25
_CHOICES: Final = 25
SUBCOMMAND, GROUP = 1, 2


async def _me(call: Call) -> Answer:
    discord = call.discord
    more = {"mfa_enabled": True, "verified": True, "email": None, "locale": "en-US", "premium_type": 0}
    return Answer(body={**discord.bot.to_json(), **more})


async def _application(call: Call) -> Answer:
    discord = call.discord
    return Answer(
        body={
            "id": str(discord.bot.id),
            "name": discord.bot.name,
            "icon": None,
            "description": "",
            "bot_public": False,
            "bot_require_code_grant": False,
            "owner": discord.owner.to_json(),
            "team": None,
            "verify_key": discord.verify_key,
            "flags": 0,
            "tags": [],
            "rpc_origins": [],
            "redirect_uris": [],
            "summary": "",
            "type": None,
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "approximate_guild_count": len(discord.guilds),
        }
    )


async def _gateway(call: Call) -> Answer:
    return Answer(body={"url": call.discord.base_url.replace("http://", "ws://") + "/gateway"})


async def _gateway_of_bot(call: Call) -> Answer:
    gateway = call.discord.gateway
    return Answer(
        body={
            "url": call.discord.base_url.replace("http://", "ws://") + "/gateway",
            "shards": 1,
            "session_start_limit": {
                "total": IDENTIFIES_A_DAY,
                "remaining": max(0, IDENTIFIES_A_DAY - gateway.identifies),
                "reset_after": 86_400_000,
                "max_concurrency": 1,
            },
        }
    )


# ---------------------------------------------------------------------- guilds


def _guild(call: Call) -> Guild:
    number = call.params["guild"]
    guild = call.discord.guilds.get(int(number)) if number.isdigit() else None
    if guild is None or not guild.has_bot:
        raise refusal("unknown guild")
    return guild


async def _my_guilds(call: Call) -> Answer:
    found = [guild for guild in call.discord.guilds.values() if guild.has_bot]
    body: list[dict[str, Any]] = [
        {
            "id": str(guild.id),
            "name": guild.name,
            "icon": None,
            "owner": False,
            "permissions": str(guild.permissions(call.discord.bot.id)),
            "features": [],
        }
        for guild in found
    ]
    return Answer(body=body)


async def _show_guild(call: Call) -> Answer:
    guild = _guild(call)
    counts = {"approximate_member_count": len(guild.members), "approximate_presence_count": len(guild.members)}
    return Answer(body={**guild.to_json(), **(counts if call.query.get("with_counts") else {})})


async def _guild_channels(call: Call) -> Answer:
    guild = _guild(call)
    return Answer(body=[channel.to_json(guild) for channel in guild.channels.values()])


async def _guild_roles(call: Call) -> Answer:
    return Answer(body=[role.to_json() for role in _guild(call).roles.values()])


async def _guild_member(call: Call) -> Answer:
    number = call.params["user"]
    member = _guild(call).members.get(int(number)) if number.isdigit() else None
    if member is None:
        raise refusal("unknown member")
    return Answer(body=member.to_json())


async def _guild_members(call: Call) -> Answer:
    _guild(call)
    raise refusal("missing access")  # all members need the intent of members


# ---------------------------------------------------------------------- commands


def _of_guild(call: Call) -> int | None:
    if call.params["application"] != str(call.discord.bot.id):
        raise refusal("missing access")
    return _guild(call).id if "guild" in call.params else None


async def _put_commands(call: Call) -> Answer:
    guild_id = _of_guild(call)
    given = call.payload
    faults = FieldFaults()
    if not isinstance(given, list):
        faults.add("_root", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        faults.check()
    faults.most("_root", given, _COMMANDS)
    for number, command in enumerate(given):
        check_command(command, f"{number}", faults)
    names = [(one.get("type", 1), one.get("name")) for one in given]
    for number, name in enumerate(names):
        if names.index(name) != number:
            faults.add(
                f"{number}.name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique"
            )
    faults.check()
    known = {(one["type"], one["name"]): one for one in call.discord.commands.get(guild_id, [])}
    call.discord.commands[guild_id] = [
        _command(call, guild_id, command, known.get((command.get("type", 1), command["name"]))) for command in given
    ]
    call.discord.touch()
    return Answer(body=call.discord.commands[guild_id])


def _command(call: Call, guild_id: int | None, given: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    now = call.discord.clock.now()
    return {
        "description": "",
        "options": [],
        "default_member_permissions": None,
        "nsfw": False,
        "contexts": None,
        "integration_types": [0],
        "dm_permission": True,
        "name_localizations": None,
        "description_localizations": None,
        **given,
        "type": given.get("type", 1),
        "id": before["id"] if before else str(call.discord.ids.at(now)),
        "version": str(call.discord.ids.at(now)),
        "application_id": str(call.discord.bot.id),
        **({"guild_id": str(guild_id)} if guild_id is not None else {}),
    }


def check_command(command: dict[str, Any], path: str, faults: FieldFaults) -> None:
    """Note the faults of a command, a group or an option."""
    name = command.get("name")
    if faults.required(f"{path}.name", name) and command.get("type", 1) == 1:
        if not isinstance(name, str) or not _NAME.match(name) or name != name.lower():
            faults.add(f"{path}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
        if faults.required(f"{path}.description", command.get("description")):
            faults.longest(f"{path}.description", command["description"], 100)
    options = command.get("options") or []
    faults.most(f"{path}.options", options, _OPTIONS)
    seen_optional = False
    for number, option in enumerate(options):
        where = f"{path}.options.{number}"
        faults.required(f"{where}.description", option.get("description"))
        faults.longest(f"{where}.description", option.get("description"), 100)
        if option.get("type") in {SUBCOMMAND, GROUP}:
            check_command({**option, "type": 1}, where, faults)
            continue
        faults.most(f"{where}.choices", option.get("choices") or [], _CHOICES)
        if option.get("required") and seen_optional:
            faults.add(
                f"{where}.required",
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        seen_optional = seen_optional or not option.get("required")


async def _commands(call: Call) -> Answer:
    return Answer(body=call.discord.commands.get(_of_guild(call), []))


async def _add_command(call: Call) -> Answer:
    guild_id = _of_guild(call)
    faults = FieldFaults()
    check_command(call.form, "_root", faults)
    faults.check()
    mine = call.discord.commands.setdefault(guild_id, [])
    before = next((one for one in mine if one["name"] == call.form["name"]), None)
    made = _command(call, guild_id, call.form, before)
    call.discord.commands[guild_id] = [one for one in mine if one is not before] + [made]
    call.discord.touch()
    return Answer(status=200 if before else 201, body=made)


def _one_command(call: Call) -> dict[str, Any]:
    for one in call.discord.commands.get(_of_guild(call), []):
        if one["id"] == call.params["command"]:
            return one
    raise refusal("unknown command")


async def _show_command(call: Call) -> Answer:
    return Answer(body=_one_command(call))


async def _delete_command(call: Call) -> Answer:
    one = _one_command(call)
    call.discord.commands[_of_guild(call)].remove(one)
    call.discord.touch()
    return NOTHING


def _commands_routes(below: str) -> tuple[Route, ...]:
    return (
        Route(method="GET", template=below, handler=_commands),
        Route(method="PUT", template=below, handler=_put_commands),
        Route(method="POST", template=below, handler=_add_command),
        Route(method="GET", template=f"{below}/{{command}}", handler=_show_command),
        Route(method="DELETE", template=f"{below}/{{command}}", handler=_delete_command),
    )


ROUTES: Final = (
    Route(method="GET", template="/users/@me", handler=_me),
    Route(method="GET", template="/users/@me/guilds", handler=_my_guilds),
    Route(method="GET", template="/oauth2/applications/@me", handler=_application),
    Route(method="GET", template="/applications/@me", handler=_application),
    Route(method="GET", template="/gateway", handler=_gateway, is_open=True),
    Route(method="GET", template="/gateway/bot", handler=_gateway_of_bot),
    Route(method="GET", template="/guilds/{guild}", handler=_show_guild),
    Route(method="GET", template="/guilds/{guild}/channels", handler=_guild_channels),
    Route(method="GET", template="/guilds/{guild}/roles", handler=_guild_roles),
    Route(method="GET", template="/guilds/{guild}/members", handler=_guild_members),
    Route(method="GET", template="/guilds/{guild}/members/{user}", handler=_guild_member),
    *_commands_routes("/applications/{application}/commands"),
    *_commands_routes("/applications/{application}/guilds/{guild}/commands"),
)
