"""Routes of webhooks: those of channels, and those that an interaction's token stands for."""

from __future__ import annotations

import hmac
from typing import Any, Final

from pteroassets.simulator.discord import interactions
from pteroassets.simulator.discord.calls import NOTHING, Answer, Call, Route
from pteroassets.simulator.discord.core import APPLICATION_ID, Webhook
from pteroassets.simulator.discord.forms import ROW
from pteroassets.simulator.discord.messages import Message
from pteroassets.simulator.discord.refusals import FieldFaults, refusal
from pteroassets.simulator.discord.sending import change_message, make_message


def _webhook(call: Call) -> Webhook:
    number = call.params["webhook"]
    found = call.discord.webhooks.get(int(number)) if number.isdigit() else None
    if found is None:
        raise refusal("unknown webhook")
    if not hmac.compare_digest(found.token.encode(), call.params.get("token", found.token).encode()):
        raise refusal("webhook token")
    return found


def _is_interaction(call: Call) -> bool:
    return call.params["webhook"] == str(APPLICATION_ID)


async def _show(call: Call) -> Answer:
    return Answer(body=_webhook(call).to_json())


async def _remove(call: Call) -> Answer:
    del call.discord.webhooks[_webhook(call).id]
    return NOTHING


async def _send(call: Call) -> Answer:
    discord, form = call.discord, call.form
    if _is_interaction(call):
        one = interactions.by_token(discord, call.params["token"])
        return Answer(body=interactions.follow_up(discord, one, form, call.files).to_json())
    webhook = _webhook(call)
    name = form.get("username") or webhook.name
    faults = FieldFaults()
    faults.longest("username", name, 80)
    if "discord" in str(name).lower():
        faults.add("username", "USERNAME_INVALID_CONTAINS", 'Username cannot contain "discord"')
    faults.check()
    message = make_message(
        discord,
        discord.channels[webhook.channel_id],
        _without_buttons(call, webhook, form),
        call.files,
        author=_author(webhook, str(name)),
        webhook_id=webhook.id,
    )
    message.application_id = APPLICATION_ID if webhook.is_ours else None
    discord.add_message(message)
    return Answer(body=message.to_json()) if call.query.get("wait") in {"true", "True", "1"} else NOTHING


def _author(webhook: Webhook, name: str) -> dict[str, Any]:
    return {
        "id": str(webhook.id),
        "username": name,
        "global_name": None,
        "discriminator": "0000",
        "avatar": None,
        "bot": True,
    }


def _without_buttons(call: Call, webhook: Webhook, form: dict[str, Any]) -> dict[str, Any]:
    """Return *form* as Discord takes it of a webhook: only one that a bot made may send what can be pressed."""
    if webhook.is_ours or "components" not in form:
        return form
    if call.query.get("with_components") not in {"true", "True", "1"}:
        return {name: value for name, value in form.items() if name != "components"}
    if any(part.get("type") == ROW for part in form["components"] or []):
        faults = FieldFaults()
        faults.add("components", "WEBHOOK_COMPONENTS_NOT_INTERACTIVE", "Only application-owned webhooks may send these")
        faults.check()
    return form


def _message(call: Call) -> Message:
    if _is_interaction(call):
        one = interactions.by_token(call.discord, call.params["token"])
        return interactions.message_of(call.discord, one, call.params["message"])
    webhook = _webhook(call)
    found = call.discord.message(webhook.channel_id, call.params["message"])
    if found.webhook_id != webhook.id:
        raise refusal("unknown message")
    return found


async def _read(call: Call) -> Answer:
    return Answer(body=_message(call).to_json())


async def _edit(call: Call) -> Answer:
    message = _message(call)
    if _is_interaction(call):
        return Answer(body=interactions.edit(call.discord, message, call.form, call.files).to_json())
    change_message(call.discord, message, _without_buttons(call, _webhook(call), call.form), call.files)
    call.discord.edited(message)
    return Answer(body=message.to_json())


async def _delete(call: Call) -> Answer:
    call.discord.delete_message(_message(call))
    return NOTHING


_ONE: Final = "/webhooks/{webhook}/{token}"
ROUTES: Final = (
    Route(method="GET", template="/webhooks/{webhook}", handler=_show),
    Route(method="DELETE", template="/webhooks/{webhook}", handler=_remove),
    Route(method="GET", template=_ONE, handler=_show, is_open=True),
    Route(method="DELETE", template=_ONE, handler=_remove, is_open=True),
    Route(method="POST", template=_ONE, handler=_send, is_open=True),
    Route(method="GET", template=f"{_ONE}/messages/{{message}}", handler=_read, is_open=True),
    Route(method="PATCH", template=f"{_ONE}/messages/{{message}}", handler=_edit, is_open=True),
    Route(method="DELETE", template=f"{_ONE}/messages/{{message}}", handler=_delete, is_open=True),
)
