"""What Discord's own client lets a member send: commands with their options, presses of buttons, choices, modals."""

from __future__ import annotations

from typing import Any, Final

from pteroassets.simulator.discord.core import Discord
from pteroassets.simulator.discord.forms import BUTTON, LINK, ROW, SELECTS
from pteroassets.simulator.discord.guilds import PERMISSIONS, Channel, Guild, Member
from pteroassets.simulator.discord.messages import Message

SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER = range(1, 11)
_NUMBERS: Final = frozenset({INTEGER, NUMBER})


class NotPossible(Exception):  # noqa: N818 - an answer rather than an error of ours
    """A member cannot do this in Discord's client."""


def commands_of(discord: Discord, guild: Guild) -> list[dict[str, Any]]:
    """Return the chat commands that a guild shows: its own, then those of everywhere."""
    found = [*discord.commands.get(guild.id, []), *discord.commands[None]]
    return [one for one in found if one["type"] == 1]


def may_use(command: dict[str, Any], guild: Guild, channel: Channel, member: Member) -> bool:
    """Return whether the client shows *command* to *member* in *channel*."""
    bits = guild.permissions(member.user.id, channel)
    needed = command.get("default_member_permissions")
    needs = int(needed) if needed is not None else 0
    if needed is not None and needs == 0:
        return bool(bits & PERMISSIONS["administrator"])
    return bool(bits & PERMISSIONS["use_application_commands"]) and bits & needs == needs


def command_data(
    discord: Discord,
    channel: Channel,
    member: Member,
    name: str,
    options: dict[str, Any],
    *,
    focused: str | None = None,
) -> dict[str, Any]:
    """Return the data of an interaction: *name* may hold a group and a subcommand after the command, by spaces.

    Raises:
        NotPossible: No such command was registered, the member does not see it, or an option does not fit.
    """
    guild = discord.guilds[channel.guild_id]
    first, *rest = name.removeprefix("/").split()
    command = next((one for one in commands_of(discord, guild) if one["name"] == first), None)
    if command is None:
        raise NotPossible(f"no command /{first} is registered in {guild.name}")
    if not may_use(command, guild, channel, member):
        raise NotPossible(f"{member.user.name} does not see /{first} in #{channel.name}")
    place = command
    wrappers: list[dict[str, Any]] = []
    for part in rest:
        place = next((one for one in place.get("options") or [] if one["name"] == part and one["type"] <= GROUP), {})
        if not place:
            raise NotPossible(f"/{first} has no {part}")
        wrappers.append({"type": place["type"], "name": part})
    wanted = place.get("options") or []
    if any(one["type"] <= GROUP for one in wanted):
        raise NotPossible(f"/{name} needs one of {', '.join(one['name'] for one in wanted)}")
    resolved: dict[str, Any] = {}
    given = _options(wanted, options, guild, resolved, focused)
    for wrapper in reversed(wrappers):
        given = [{**wrapper, "options": given}]
    return {
        "id": command["id"],
        "name": command["name"],
        "type": 1,
        "options": given,
        **({"guild_id": command["guild_id"]} if "guild_id" in command else {}),
        **({"resolved": resolved} if resolved else {}),
    }


def _options(
    wanted: list[dict[str, Any]],
    options: dict[str, Any],
    guild: Guild,
    resolved: dict[str, Any],
    focused: str | None,
) -> list[dict[str, Any]]:
    unknown = set(options) - {one["name"] for one in wanted}
    if unknown:
        raise NotPossible(f"there is no option {', '.join(sorted(unknown))}")
    given = []
    for one in wanted:
        name = one["name"]
        if name not in options:
            if one.get("required") and focused is None:
                raise NotPossible(f"option {name} is required")
            continue
        if name == focused:
            if not one.get("autocomplete"):
                raise NotPossible(f"option {name} has no autocomplete")
            given.append({"type": one["type"], "name": name, "value": options[name], "focused": True})
            continue
        given.append({"type": one["type"], "name": name, "value": _value(one, options[name], guild, resolved)})
    return given


def _value(option: dict[str, Any], value: Any, guild: Guild, resolved: dict[str, Any]) -> Any:
    kind, name = option["type"], option["name"]
    choices = [one["value"] for one in option.get("choices") or []]
    if kind in _NUMBERS:
        value = int(value) if kind == INTEGER else float(value)
        if value < option.get("min_value", value) or value > option.get("max_value", value):
            raise NotPossible(f"option {name} is out of its bounds")
    elif kind == BOOLEAN:
        value = value if isinstance(value, bool) else str(value).lower() == "true"
    elif kind == STRING:
        value = str(value)
        if not option.get("min_length", 0) <= len(value) <= option.get("max_length", 6000):
            raise NotPossible(f"option {name} is too short or too long")
    else:
        value = _resolve(kind, value, guild, resolved)
    if choices and value not in choices:
        raise NotPossible(f"option {name} is none of {choices}")
    return value


def _resolve(kind: int, value: Any, guild: Guild, resolved: dict[str, Any]) -> str:
    text = str(value)
    if kind in {USER, MENTIONABLE}:
        for member in guild.members.values():
            if text in {member.user.name, str(member.user.id)}:
                number = str(member.user.id)
                shown = {key: part for key, part in member.to_json().items() if key not in {"user", "deaf", "mute"}}
                resolved.setdefault("users", {})[number] = member.user.to_json()
                resolved.setdefault("members", {})[number] = {**shown, "permissions": "0"}
                return number
    if kind in {ROLE, MENTIONABLE}:
        for role in guild.roles.values():
            if text in {role.name, str(role.id)}:
                resolved.setdefault("roles", {})[str(role.id)] = role.to_json()
                return str(role.id)
    if kind == CHANNEL:
        for channel in guild.channels.values():
            if text in {channel.name, str(channel.id)}:
                resolved.setdefault("channels", {})[str(channel.id)] = {**channel.to_json(guild), "permissions": "0"}
                return str(channel.id)
    raise NotPossible(f"{text} cannot be chosen here")


def components_of(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return every button and select of *parts*, in order."""
    found = []
    for part in parts:
        if part.get("type") == BUTTON or part.get("type") in SELECTS:
            found.append(part)
        found += components_of(part.get("components") or [])
        found += components_of([part["accessory"]] if part.get("accessory") else [])
    return found


def check_sees(discord: Discord, message: Message, member: Member) -> None:
    """Make sure that *member* sees *message*.

    Raises:
        NotPossible: It is private to somebody else, or in a channel that the member does not see.
    """
    guild = discord.guilds[message.guild_id]
    bits = guild.permissions(member.user.id, discord.channels[message.channel_id])
    if not bits & PERMISSIONS["view_channel"] or message.private_to not in {None, member.user.id}:
        raise NotPossible(f"{member.user.name} does not see message {message.id}")


def button_data(message: Message, given: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a press: *given* names the button by ``custom_id`` or ``label``.

    Raises:
        NotPossible: There is no such button, or it cannot be pressed.
    """
    for one in components_of(message.components):
        wanted = (
            one.get("custom_id") == given["custom_id"] if "custom_id" in given else one.get("label") == given["label"]
        )
        if one["type"] == BUTTON and wanted:
            if one.get("disabled") or one.get("style") == LINK:
                raise NotPossible(f"button {one.get('label')} cannot be pressed")
            return {"component_type": BUTTON, "custom_id": one["custom_id"], "id": one.get("id", 1)}
    raise NotPossible(f"message {message.id} has no button {given.get('custom_id', given.get('label'))}")


def select_data(message: Message, given: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a choice: *given* has ``values`` and may have the ``custom_id`` of the select.

    Raises:
        NotPossible: There is no such select, or it does not offer these values or so many.
    """
    values = [str(one) for one in given["values"]]
    for one in components_of(message.components):
        if one["type"] not in SELECTS or given.get("custom_id", one["custom_id"]) != one["custom_id"]:
            continue
        if one.get("disabled") or not one.get("min_values", 1) <= len(values) <= one.get("max_values", 1):
            raise NotPossible(f"select {one['custom_id']} does not take {len(values)} values")
        offered = {str(option["value"]) for option in one.get("options") or []}
        if one["type"] != min(SELECTS):
            raise NotPossible("only selects of texts are played here")
        if not set(values) <= offered:
            raise NotPossible(f"select {one['custom_id']} offers {sorted(offered)}")
        return {"component_type": one["type"], "custom_id": one["custom_id"], "values": values, "id": one.get("id", 1)}
    raise NotPossible(f"message {message.id} has no such select")


def modal_data(modal: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
    """Return the data of a modal that was sent with *values*, texts by custom_id.

    Raises:
        NotPossible: A text is required, too short or too long.
    """
    components = []
    for part in modal["components"]:
        inner = part["component"] if "component" in part else (part.get("components") or [{}])[0]
        if not inner.get("custom_id"):
            continue
        given = values.get(inner["custom_id"], inner.get("value") or "")
        if inner["type"] in SELECTS:
            sent = {
                "type": inner["type"],
                "custom_id": inner["custom_id"],
                "values": given if isinstance(given, list) else [given],
            }
        else:
            if not given and inner.get("required", True):
                raise NotPossible(f"{inner['custom_id']} is required")
            if given and not inner.get("min_length", 0) <= len(given) <= inner.get("max_length", 4000):
                raise NotPossible(f"{inner['custom_id']} is too short or too long")
            sent = {"type": inner["type"], "custom_id": inner["custom_id"], "value": given}
        sent["id"] = inner.get("id", 1)
        shape: dict[str, Any] = {"component": sent} if part["type"] != ROW else {"components": [sent]}
        components.append({"type": part["type"], "id": part.get("id", 1), **shape})
    return {"custom_id": modal["custom_id"], "components": components}
