"""Interactions: their first answer within three seconds, and what may follow for fifteen minutes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pteroassets.simulator.discord.calls import NOTHING, Answer, Call, Route, Upload
from pteroassets.simulator.discord.core import APPLICATION_ID, Discord
from pteroassets.simulator.discord.forms import FILE_BYTES, check_message
from pteroassets.simulator.discord.messages import EPHEMERAL, LOADING, Message
from pteroassets.simulator.discord.refusals import FieldFaults, Refusal, refusal
from pteroassets.simulator.discord.sending import change_message, make_message

FIRST_ANSWER: Final = timedelta(seconds=3)
TOKEN_LIVES: Final = timedelta(minutes=15)
COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
PONG, SAY, DEFER, DEFER_UPDATE, UPDATE, CHOICES, SHOW_MODAL = 1, 4, 5, 6, 7, 8, 9
_MOST_CHOICES: Final = 25


@dataclass(slots=True, kw_only=True)
class Interaction:
    """Something that a member did, and how it was answered; *answer* is the type of the first one."""

    id: int
    token: str
    kind: int
    user_id: int
    guild_id: int
    channel_id: int
    created_at: datetime
    data: dict[str, Any]
    message_id: int | None = None
    answer: int | None = None
    answered_at: datetime | None = None
    original_id: int | None = None
    is_private: bool = False
    modal: dict[str, Any] | None = None
    choices: list[dict[str, Any]] | None = None
    follow_ups: list[int] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)

    def to_json(self, discord: Discord) -> dict[str, Any]:
        """Return what came of it."""
        shown = [self.original_id, *self.follow_ups]
        messages = [discord.messages[one].to_json() for one in shown if one is not None and one in discord.messages]
        return {
            "id": str(self.id),
            "kind": self.kind,
            "answer": self.answer,
            "seconds": (self.answered_at - self.created_at).total_seconds() if self.answered_at else None,
            "is_private": self.is_private,
            "is_waiting": self.is_waiting(discord),
            "messages": messages,
            "modal": self.modal,
            "choices": self.choices,
            "refusals": self.refusals,
        }

    def is_waiting(self, discord: Discord) -> bool:
        """Return whether the member still sees that the bot is thinking."""
        original = discord.messages.get(self.original_id or 0)
        return self.answer is None or (original is not None and bool(original.flags & LOADING))


def begin(
    discord: Discord,
    kind: int,
    *,
    user_id: int,
    channel_id: int,
    data: dict[str, Any],
    message: Message | None = None,
) -> Interaction:
    """Let a member do something, and tell the gateway of it."""
    channel = discord.channels[channel_id]
    guild = discord.guilds[channel.guild_id]
    now = discord.clock.now()
    one = Interaction(
        id=discord.ids.at(now),
        token=secrets.token_urlsafe(100),
        kind=kind,
        user_id=user_id,
        guild_id=guild.id,
        channel_id=channel_id,
        created_at=now,
        data=data,
        message_id=message.id if message else None,
    )
    discord.interactions[one.token] = one
    member = {**guild.members[user_id].to_json(), "permissions": str(guild.permissions(user_id, channel))}
    discord.gateway.dispatch(
        "INTERACTION_CREATE",
        {
            "id": str(one.id),
            "application_id": str(APPLICATION_ID),
            "type": kind,
            "data": data,
            "guild_id": str(guild.id),
            "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
            "channel_id": str(channel_id),
            "channel": channel.to_json(guild),
            "member": member,
            "token": one.token,
            "version": 1,
            "locale": "en-US",
            "guild_locale": "en-US",
            "app_permissions": str(guild.permissions(discord.bot.id, channel)),
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(guild.id)},
            "context": 0,
            "attachment_size_limit": FILE_BYTES,
            **({"message": message.to_json()} if message else {}),
        },
    )
    return one


def _metadata(one: Interaction, discord: Discord) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "type": one.kind,
        "user": discord.users[one.user_id].to_json(),
        "authorizing_integration_owners": {"0": str(one.guild_id)},
        **({"interacted_message_id": str(one.message_id)} if one.message_id else {}),
        **({"name": one.data.get("name", "")} if one.kind == COMMAND else {}),
    }


# ---------------------------------------------------------------------- the first answer


async def _answer(call: Call) -> Answer:
    discord = call.discord
    one: Interaction | None = discord.interactions.get(call.params["token"])
    if one is None or str(one.id) != call.params["interaction"]:
        raise refusal("unknown interaction")
    try:
        _check_first(discord, one, call.form)
        _obey(discord, one, call.form, call.files)
    except Refusal as refused:
        one.refusals.append(int(refused.body["code"]))
        discord.touch()
        raise
    one.answer = int(call.form["type"])
    one.answered_at = discord.clock.now()
    discord.touch()
    if call.query.get("with_response") not in {"true", "True", "1"}:
        return NOTHING
    original = discord.messages.get(one.original_id or 0)
    body: dict[str, Any] = {
        "interaction": {
            "id": str(one.id),
            "type": one.kind,
            "response_message_id": str(original.id) if original else None,
            "response_message_loading": bool(original and original.flags & LOADING),
            "response_message_ephemeral": one.is_private,
        },
        "resource": {"type": one.answer, **({"message": original.to_json()} if original else {})},
    }
    return Answer(body=body)


def _check_first(discord: Discord, one: Interaction, form: dict[str, Any]) -> None:
    if one.answer is not None:
        raise refusal("answered already")
    if discord.clock.now() - one.created_at > FIRST_ANSWER:
        raise refusal("unknown interaction")
    allowed = {
        COMMAND: {SAY, DEFER, SHOW_MODAL},
        COMPONENT: {SAY, DEFER, DEFER_UPDATE, UPDATE, SHOW_MODAL},
        AUTOCOMPLETE: {CHOICES},
        MODAL: {SAY, DEFER, *({DEFER_UPDATE, UPDATE} if one.message_id else ())},
    }[one.kind]
    if form.get("type") not in allowed:
        faults = FieldFaults()
        faults.add("type", "BASE_TYPE_CHOICES", f"Value must be one of {sorted(allowed)}.")
        faults.check()


def _obey(discord: Discord, one: Interaction, form: dict[str, Any], files: list[Upload]) -> None:
    data = form.get("data") or {}
    match form["type"]:
        case 4:
            _say(discord, one, data, files)
        case 5:
            one.is_private = bool(int(data.get("flags") or 0) & EPHEMERAL)
            _think(discord, one)
        case 6:
            one.original_id = one.message_id
        case 7:
            one.original_id = one.message_id
            message = _pressed(discord, one)
            change_message(discord, message, data, files)
            discord.edited(message)
        case 8:
            one.choices = _checked_choices(data)
        case 9:
            one.modal = _checked_modal(data)


def _say(discord: Discord, one: Interaction, data: dict[str, Any], files: list[Upload]) -> None:
    one.is_private = bool(int(data.get("flags") or 0) & EPHEMERAL)
    message = _new_message(discord, one, data, files, is_private=one.is_private)
    discord.add_message(message)
    one.original_id = message.id


def _think(discord: Discord, one: Interaction) -> None:
    """Show that the bot is thinking, as a message that the next answer replaces."""
    message = Message(
        id=discord.ids.at(discord.clock.now()),
        channel_id=one.channel_id,
        guild_id=one.guild_id,
        author=discord.bot.to_json(),
        created_at=discord.clock.now(),
        flags=LOADING | (EPHEMERAL if one.is_private else 0),
        webhook_id=APPLICATION_ID,
        application_id=APPLICATION_ID,
        private_to=one.user_id if one.is_private else None,
        interaction=_metadata(one, discord),
    )
    discord.add_message(message)
    one.original_id = message.id


def _new_message(
    discord: Discord, one: Interaction, data: dict[str, Any], files: list[Upload], *, is_private: bool
) -> Message:
    return make_message(
        discord,
        discord.channels[one.channel_id],
        data,
        files,
        author=discord.bot.to_json(),
        webhook_id=APPLICATION_ID,
        private_to=one.user_id if is_private else None,
        interaction=_metadata(one, discord),
    )


def _pressed(discord: Discord, one: Interaction) -> Message:
    message = discord.messages.get(one.message_id or 0)
    if message is None:
        raise refusal("unknown message")
    return message


def _checked_choices(data: dict[str, Any]) -> list[dict[str, Any]]:
    choices = list(data.get("choices") or [])
    faults = FieldFaults()
    faults.most("data.choices", choices, _MOST_CHOICES)
    for number, choice in enumerate(choices):
        faults.required(f"data.choices.{number}.name", choice.get("name"))
        faults.longest(f"data.choices.{number}.name", choice.get("name"), 100)
        if isinstance(choice.get("value"), str):
            faults.longest(f"data.choices.{number}.value", choice["value"], 100)
    faults.check()
    return choices


def _checked_modal(data: dict[str, Any]) -> dict[str, Any]:
    faults = FieldFaults()
    for key, limit in (("title", 45), ("custom_id", 100)):
        faults.required(f"data.{key}", data.get(key))
        faults.longest(f"data.{key}", data.get(key), limit)
    components = data.get("components") or []
    if not 1 <= len(components) <= 5:  # noqa: PLR2004 - Discord's bounds
        faults.add("data.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    faults.check()
    return data


# ---------------------------------------------------------------------- what follows, by the interaction's token


def by_token(discord: Discord, token: str) -> Interaction:
    """Return the interaction whose token may still be used.

    Raises:
        Refusal: 10015 before the first answer and for a token that never was, 50027 after fifteen minutes.
    """
    one: Interaction | None = discord.interactions.get(token)
    if one is None or one.answer is None:
        raise refusal("unknown webhook")
    if discord.clock.now() - one.created_at > TOKEN_LIVES:
        raise refusal("webhook token")
    return one


def message_of(discord: Discord, one: Interaction, name: str) -> Message:
    """Return the message that a token may read and change under *name*: ``@original`` or an id.

    Raises:
        Refusal: 10008.
    """
    number = one.original_id if name == "@original" else (int(name) if name.isdigit() else 0)
    message = discord.messages.get(number or 0)
    if message is None or message.id not in {one.original_id, *one.follow_ups}:
        raise refusal("unknown message")
    return message


def edit(discord: Discord, message: Message, form: dict[str, Any], files: list[Upload]) -> Message:
    """Edit a message by a token; the first edit of a message that only says "thinking" makes it one."""
    is_thinking = bool(message.flags & LOADING)
    change_message(discord, message, form, files)
    message.flags &= ~LOADING
    discord.edited(message, counts=not is_thinking)
    return message


def follow_up(discord: Discord, one: Interaction, form: dict[str, Any], files: list[Upload]) -> Message:
    """Send another answer; the first after a deferral takes the place of "thinking", and is as private as that was."""
    original = discord.messages.get(one.original_id or 0)
    if original is not None and original.flags & LOADING:
        check_message(form)
        return edit(discord, original, form, files)
    is_private = bool(int(form.get("flags") or 0) & EPHEMERAL)
    message = _new_message(discord, one, form, files, is_private=is_private)
    discord.add_message(message)
    one.follow_ups.append(message.id)
    return message


ROUTES: Final = (
    Route(
        method="POST",
        template="/interactions/{interaction}/{token}/callback",
        handler=_answer,
        is_open=True,
        is_limited=False,
    ),
)
