"""Routes of channels and their messages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from pteroassets.simulator.discord.calls import NOTHING, Answer, Call, Route
from pteroassets.simulator.discord.core import Webhook
from pteroassets.simulator.discord.messages import Message
from pteroassets.simulator.discord.refusals import FieldFaults, refusal
from pteroassets.simulator.discord.sending import change_message, make_message, needed_rights

_NONCE_KEPT: Final = timedelta(minutes=5)
_BULK_AGE: Final = timedelta(days=14)


async def _show(call: Call) -> Answer:
    channel = call.discord.channel(call.params["channel"])
    return Answer(body=channel.to_json(call.discord.guilds[channel.guild_id]))


async def _send(call: Call) -> Answer:
    discord, form = call.discord, call.form
    channel = discord.channel(call.params["channel"], *needed_rights(form, call.files))
    if form.get("enforce_nonce") and form.get("nonce") is not None:
        sent = discord.by_nonce(discord.bot.id, form["nonce"])
        if sent is not None and sent.channel_id == channel.id and discord.clock.now() - sent.created_at < _NONCE_KEPT:
            return Answer(body=sent.to_json())
    message = make_message(discord, channel, form, call.files, author=discord.bot.to_json())
    discord.add_message(message)
    return Answer(body=message.to_json())


def _found(call: Call) -> Message:
    channel = call.discord.channel(call.params["channel"])
    return call.discord.message(channel.id, call.params["message"])


async def _read(call: Call) -> Answer:
    call.discord.channel(call.params["channel"], "read_message_history")
    return Answer(body=_found(call).to_json())


async def _edit(call: Call) -> Answer:
    message = _found(call)
    if int(message.author["id"]) != call.discord.bot.id or message.webhook_id is not None:
        raise refusal("not yours")
    change_message(call.discord, message, call.form, call.files)
    call.discord.edited(message)
    return Answer(body=message.to_json())


async def _delete(call: Call) -> Answer:
    message = _found(call)
    if int(message.author["id"]) != call.discord.bot.id:
        call.discord.channel(message.channel_id, "manage_messages")
    call.discord.delete_message(message)
    return NOTHING


async def _history(call: Call) -> Answer:
    channel = call.discord.channel(call.params["channel"], "read_message_history")
    limit = int(call.query.get("limit", "50"))
    if not 1 <= limit <= 100:  # noqa: PLR2004 - Discord's bounds
        faults = FieldFaults()
        faults.add("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
        faults.check()
    stood = sorted(
        (one for one in call.discord.messages.values() if one.channel_id == channel.id and one.private_to is None),
        key=lambda one: one.id,
        reverse=True,
    )
    before, after, around = (
        int(call.query[name]) if name in call.query else None for name in ("before", "after", "around")
    )
    if before is not None:
        chosen = [one for one in stood if one.id < before][:limit]
    elif after is not None:
        chosen = [one for one in stood if one.id > after][-limit:]
    elif around is not None:
        newer = [one for one in stood if one.id > around][-(limit // 2) :]
        chosen = newer + [one for one in stood if one.id <= around][: limit - len(newer)]
    else:
        chosen = stood[:limit]
    return Answer(body=[one.to_json() for one in chosen])


async def _bulk_delete(call: Call) -> Answer:
    discord = call.discord
    channel = discord.channel(call.params["channel"], "manage_messages")
    wanted = [int(one) for one in call.form.get("messages") or []]
    if not 2 <= len(wanted) <= 100:  # noqa: PLR2004 - Discord's bounds
        raise refusal("bulk count")
    found = [discord.messages[one] for one in wanted if one in discord.messages]
    if any(discord.clock.now() - one.created_at > _BULK_AGE for one in found):
        raise refusal("too old")
    for one in found:
        if one.channel_id == channel.id and one.private_to is None:
            discord.delete_message(one)
    return NOTHING


async def _typing(call: Call) -> Answer:
    call.discord.channel(call.params["channel"], "send_messages")
    return NOTHING


async def _make_webhook(call: Call) -> Answer:
    discord = call.discord
    channel = discord.channel(call.params["channel"], "manage_webhooks")
    name: Any = call.form.get("name")
    faults = FieldFaults()
    faults.required("name", name)
    faults.longest("name", name, 80)
    faults.check()
    webhook = discord.add_webhook(channel, name, is_ours=True)
    return Answer(body=webhook.to_json())


async def _webhooks(call: Call) -> Answer:
    channel = call.discord.channel(call.params["channel"], "manage_webhooks")
    found: list[Webhook] = [one for one in call.discord.webhooks.values() if one.channel_id == channel.id]
    return Answer(body=[one.to_json() for one in found])


_MESSAGES: Final = "/channels/{channel}/messages"
ROUTES: Final = (
    Route(method="GET", template="/channels/{channel}", handler=_show),
    Route(method="POST", template=_MESSAGES, handler=_send),
    Route(method="GET", template=_MESSAGES, handler=_history),
    Route(method="POST", template=f"{_MESSAGES}/bulk-delete", handler=_bulk_delete),
    Route(method="GET", template=f"{_MESSAGES}/{{message}}", handler=_read),
    Route(method="PATCH", template=f"{_MESSAGES}/{{message}}", handler=_edit),
    Route(method="DELETE", template=f"{_MESSAGES}/{{message}}", handler=_delete),
    Route(method="POST", template="/channels/{channel}/typing", handler=_typing),
    Route(method="POST", template="/channels/{channel}/webhooks", handler=_make_webhook),
    Route(method="GET", template="/channels/{channel}/webhooks", handler=_webhooks),
)
