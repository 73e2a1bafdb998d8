"""Makes messages of payloads and changes them: shared by channels, webhooks and interactions."""

from __future__ import annotations

from typing import Any

from pteroassets.simulator.discord.calls import Upload
from pteroassets.simulator.discord.core import APPLICATION_ID, Discord
from pteroassets.simulator.discord.forms import check_message
from pteroassets.simulator.discord.guilds import Channel
from pteroassets.simulator.discord.messages import EPHEMERAL, LAYOUT, OF_SENDER, Attachment, Message, who_is_called
from pteroassets.simulator.discord.refusals import FieldFaults, refusal


def make_message(
    discord: Discord,
    channel: Channel,
    payload: dict[str, Any],
    files: list[Upload],
    *,
    author: dict[str, Any],
    may_use_components: bool = True,
    webhook_id: int | None = None,
    private_to: int | None = None,
    interaction: dict[str, Any] | None = None,
) -> Message:
    """Return a message made of *payload*; it does not stand yet.

    Args:
        discord: Where.
        channel: Where in it.
        payload: As a request gives it.
        files: Of the request.
        author: The user or webhook that sends.
        may_use_components: The sender is the bot, or a webhook of its own.
        webhook_id: Of the webhook or the application that sends.
        private_to: The one member who is to see it.
        interaction: What it answers, as a message shows that.

    Raises:
        Refusal: 50035 with the faults of the payload, 50006 for nothing to show.
    """
    flags = int(payload.get("flags") or 0)
    check_message(payload, is_layout=bool(flags & LAYOUT))
    now = discord.clock.now()
    message = Message(
        id=discord.ids.at(now),
        channel_id=channel.id,
        guild_id=channel.guild_id,
        author=author,
        created_at=now,
        content=(payload.get("content") or "").strip(),
        embeds=list(payload.get("embeds") or []),
        components=list(payload.get("components") or []) if may_use_components else [],
        flags=(flags & OF_SENDER) | (EPHEMERAL if private_to is not None else 0),
        nonce=payload.get("nonce"),
        webhook_id=webhook_id,
        application_id=APPLICATION_ID if may_use_components else None,
        private_to=private_to,
        interaction=interaction,
        reply_to=_reply(discord, channel, payload),
    )
    message.attachments = _attachments(discord, message, payload, files)
    if message.is_empty():
        raise refusal("empty")
    author_id = None if webhook_id is not None else int(author["id"])
    message.pings, message.mentions = who_is_called(
        message.content, payload.get("allowed_mentions"), discord.guilds[channel.guild_id], channel, author_id
    )
    return message


def change_message(discord: Discord, message: Message, payload: dict[str, Any], files: list[Upload]) -> None:
    """Edit *message*: what *payload* does not name stays.

    Raises:
        Refusal: 50035 with the faults of the payload, 50006 if nothing would be left to show.
    """
    flags = int(payload.get("flags") or 0)
    is_layout = bool((message.flags | flags) & LAYOUT)
    check_message(payload, is_layout=is_layout)
    before = (message.content, message.embeds, message.components, message.attachments, message.flags)
    if "content" in payload:
        message.content = (payload["content"] or "").strip()
    if "embeds" in payload:
        message.embeds = list(payload["embeds"] or [])
    if "components" in payload:
        message.components = list(payload["components"] or [])
    if "flags" in payload:
        # the flag of messages made of components alone cannot be taken back
        message.flags = (message.flags & ~OF_SENDER) | (flags & OF_SENDER) | (message.flags & LAYOUT)
    message.attachments = _attachments(discord, message, payload, files)
    if message.is_empty():
        message.content, message.embeds, message.components, message.attachments, message.flags = before
        raise refusal("empty")
    kept = {one.id for one in message.attachments}
    for one in before[3]:
        if one.id not in kept:
            discord.files.pop(one.id, None)


def _reply(discord: Discord, channel: Channel, payload: dict[str, Any]) -> int | None:
    reference = payload.get("message_reference")
    if not reference:
        return None
    number = int(reference.get("message_id", 0))
    found = discord.messages.get(number)
    if found is None or found.channel_id != channel.id:
        if reference.get("fail_if_not_exists", True):
            faults = FieldFaults()
            faults.add("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
            faults.check()
        return None
    return number


def _attachments(discord: Discord, message: Message, payload: dict[str, Any], files: list[Upload]) -> list[Attachment]:
    """Return the files that *message* has from now on: those that the payload keeps, then those that came with it."""
    said = payload.get("attachments")
    listed = {str(one.get("id")): one for one in said or []}
    kept = [one for one in message.attachments if said is None or str(one.id) in listed]
    known = {str(one.id) for one in message.attachments} | {str(one.number) for one in files}
    faults = FieldFaults()
    for number, key in enumerate(listed):
        if key not in known:
            faults.add(f"attachments.{number}.id", "ATTACHMENT_NOT_FOUND", "Attachment not found")
    faults.check()
    new = [
        discord.keep_file(
            message.channel_id,
            listed.get(str(one.number), {}).get("filename") or one.filename,
            one.content,
            listed.get(str(one.number), {}).get("description"),
        )
        for one in files
    ]
    return kept + new


def needed_rights(payload: dict[str, Any], files: list[Upload]) -> list[str]:
    """Return what a bot must be allowed in a channel to send *payload*."""
    rights = ["send_messages"]
    if payload.get("embeds"):
        rights.append("embed_links")
    if files:
        rights.append("attach_files")
    return rights
