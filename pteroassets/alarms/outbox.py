"""Messages to people, written where their cause is written.

Path of a message::

    asset, sensor, service --put--> ops.outbox --delivery--> Discord, mail, ntfy, Slack, a webhook

A row is one message at one target and holds what it ought to say now. Who puts it again changes the row, and the
delivery makes the target agree: it posts, edits or deletes. So nothing is lost when a process is killed, and a message
that changed three times meanwhile is edited once (decision 0037).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec
from psycopg.types.json import Jsonb

from pteroassets.warehouse.connection import Connection

Severity = Literal["info", "warning", "critical"]
ButtonStyle = Literal["primary", "secondary", "success", "danger"]
#: What an attempt to make a target agree came to.
Outcome = Literal["sent", "edited", "deleted", "adopted", "double_removed", "kept", "missing", "deferred", "dead"]
#: Whether a message was refused for good for what it says, or for where it goes.
DeadOf = Literal["message", "target"]
#: What Postgres notifies of when a message was put or withdrawn; the payload is its target.
NOTIFICATION = "outbox"

_TARGET = re.compile(r"discord:\d{1,20}|(webhook|channel):[a-z0-9][a-z0-9_-]{0,39}")
_MENTION = re.compile(r"(role|user):\d{1,20}|here")
_IMAGE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}\.png")
#: How long the key of a message may be.
LONGEST_KEY = 200
_LONGEST_CUSTOM_ID = 100
_LONGEST_LABEL = 80
_LARGEST_ROW = 5
_IMAGES = 10
_MARKDOWN = re.compile(r"([\\*_~`|<>\[\]()#@:])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A name and a value in an embed; beside its neighbours if *inline*."""

    name: str
    value: str
    inline: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Embed:
    """A block of a message.

    Attributes:
        colour: Of the block's edge, as 0xRRGGBB.
        image: Name of one of the message's images.
        at: Instant that the block shows in the reader's own zone.
    """

    title: str = ""
    description: str = ""
    url: str | None = None
    colour: int | None = None
    fields: tuple[Field, ...] = ()
    footer: str = ""
    image: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """What a reader may press; *custom_id* comes back with the press and says what was pressed."""

    custom_id: str
    label: str
    style: ButtonStyle = "secondary"
    disabled: bool = False
    emoji: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one message ought to say at one target.

    Texts may be of any length: the delivery splits and shortens them to what the target takes, and says what is left
    out. Names of players, servers and the like go through `escaped` first.

    Attributes:
        key: Of the message; a second one with the same key and target replaces it.
        target: ``discord:<channel id>`` (by the bot), ``webhook:<name>`` (a webhook of Discord's) or
            ``channel:<name>`` (mail, ntfy, Slack, a plain webhook). Addresses stand in the settings, under these names.
        buttons: Rows of them. Only messages of the bot may have any.
        images: PNG files by name, such as ``chart.png``.
        mentions: Who is told: ``role:<id>``, ``user:<id>`` or ``here``. Nothing else in the message tells anybody.
        text: The message in plain words, for targets that take no embeds; made of the embeds when empty.
        facts: What a plain webhook gets beside the text, as fields of its JSON.
        announce: Targets that cannot edit get this version as a new message. The first version they get always.
        expires_at: A message that was not sent by then is not sent any more.
    """

    key: str
    target: str
    content: str = ""
    embeds: tuple[Embed, ...] = ()
    buttons: tuple[tuple[Button, ...], ...] = ()
    images: Mapping[str, bytes] = field(default_factory=dict)
    mentions: tuple[str, ...] = ()
    severity: Severity = "info"
    text: str = ""
    facts: Mapping[str, str | None] = field(default_factory=dict)
    announce: bool = False
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What of a message is stored as ``ops.outbox.body``; *images* are digests by name."""

    content: str = ""
    embeds: tuple[Embed, ...] = ()
    buttons: tuple[tuple[Button, ...], ...] = ()
    images: dict[str, str] = field(default_factory=dict)
    mentions: tuple[str, ...] = ()
    text: str = ""
    facts: dict[str, str | None] = field(default_factory=dict)


def put(connection: Connection, message: Message, *, at: datetime) -> int:
    """Write what *message* ought to say, in the caller's transaction; return its version.

    The version grows only if the message changed or had been withdrawn, so putting it again costs nothing.

    Args:
        connection: To the warehouse.
        message: To be written.
        at: Now, by the caller's clock.

    Raises:
        ValueError: No target can take such a message; the text says what is wrong with it.
    """
    _require_sound(message)
    digests = {name: hashlib.sha256(png).hexdigest() for name, png in sorted(message.images.items())}
    for name, digest in digests.items():
        connection.execute(
            """
            insert into ops.outbox_images (digest, png, used_at) values (%s, %s, %s)
            on conflict (digest) do update set used_at = greatest(ops.outbox_images.used_at, excluded.used_at)
            """,
            (digest, message.images[name], at),
        )
    body = Body(
        content=message.content,
        embeds=message.embeds,
        buttons=message.buttons,
        images=digests,
        mentions=message.mentions,
        text=message.text,
        facts=dict(message.facts),
    )
    _part_from_withdrawn(connection, message)
    row = connection.execute(
        """
        insert into ops.outbox as mine (
            key, target, body, body_digest, image_digests, version, announced_version, severity, created_at, changed_at,
            expires_at
        ) values (
            %(key)s, %(target)s, %(body)s, %(digest)s, %(images)s, 1, 1, %(severity)s, %(at)s, %(at)s, %(expires_at)s
        )
        on conflict (key, target) do update set
            body = excluded.body,
            body_digest = excluded.body_digest,
            image_digests = excluded.image_digests,
            version = mine.version + 1,
            announced_version = case
                when %(announce)s or mine.withdrawn_at is not null then mine.version + 1
                else mine.announced_version
            end,
            severity = excluded.severity,
            changed_at = excluded.changed_at,
            expires_at = excluded.expires_at,
            withdrawn_at = null,
            -- what was wrong with the old text need not be wrong with the new one; a target stays out of reach
            attempts = case when mine.dead_of = 'message' then 0 else mine.attempts end,
            not_before = case when mine.dead_of = 'message' then null else mine.not_before end,
            dead_at = case when mine.dead_of = 'target' then mine.dead_at end,
            dead_reason = case when mine.dead_of = 'target' then mine.dead_reason end,
            dead_of = case when mine.dead_of = 'target' then mine.dead_of end
        where mine.body_digest <> excluded.body_digest or mine.withdrawn_at is not null
        returning version
        """,
        {
            "key": message.key,
            "target": message.target,
            "body": Jsonb(_as_json(body)),
            "digest": _digest(body, message.severity),
            "images": sorted(set(digests.values())),
            "severity": message.severity,
            "at": at,
            "expires_at": message.expires_at,
            "announce": message.announce,
        },
    ).fetchone()
    if row is None:
        row = connection.execute(
            "select version from ops.outbox where key = %s and target = %s", (message.key, message.target)
        ).fetchone()
    else:
        connection.execute("select pg_notify(%s, %s)", (NOTIFICATION, message.target))
    assert row is not None  # noqa: S101 - it was inserted, or was there before
    return int(row[0])


def _part_from_withdrawn(connection: Connection, message: Message) -> None:
    """Give a message that is yet to be deleted a key of its own, lest it be edited to say the new one and ping nobody.

    The new one has no nonce of the old one's either, by which Discord would take it for what was just deleted.
    """
    connection.execute(
        """
        update ops.outbox set key = 'withdrawn/' || id
        where key = %s and target = %s and target not like 'channel:%%' and withdrawn_at is not null
            and dead_at is null and sent_version is distinct from version
            and (message_id is not null or sending_since is not null)
        """,
        (message.key, message.target),
    )


def withdraw(connection: Connection, key: str, target: str | None = None, *, at: datetime) -> bool:
    """Have the message deleted where that is possible, or all of *key*; return whether there was one to withdraw."""
    found = connection.execute(
        """
        update ops.outbox set withdrawn_at = %(at)s, changed_at = %(at)s, version = version + 1
        where key = %(key)s and (%(target)s::text is null or target = %(target)s) and withdrawn_at is null
        returning target
        """,
        {"key": key, "target": target, "at": at},
    ).fetchall()
    for (of,) in found:
        connection.execute("select pg_notify(%s, %s)", (NOTIFICATION, of))
    return bool(found)


def body_of(stored: Any) -> Body:
    """Return the body that ``ops.outbox.body`` holds."""
    return msgspec.convert(stored, Body)


def escaped(name: str) -> str:
    """Return *name* so that Discord shows it as it is: no markdown, no link, no mention, one line.

    For contents, titles, descriptions and fields. A footer is shown as it is anyway.
    """
    text = _MARKDOWN.sub(r"\\\1", " ".join(name.split()))
    # at the beginning of a line these make a list
    return re.sub(r"^([-+]|\d+(?=\.))", lambda found: f"\\{found[0]}" if found[0] in "-+" else f"{found[0]}\\", text)


def _as_json(body: Body) -> Any:
    """Return *body* as JSON's types, without what is empty."""
    plain = msgspec.to_builtins(body)
    return {name: _storable(value) for name, value in plain.items() if value}


def _storable(value: Any) -> Any:
    """Return *value* without the characters that Postgres's JSON does not hold; names in logs may have them."""
    match value:
        case str():
            return value.replace("\x00", "").encode(errors="replace").decode()
        case list() | tuple():
            return [_storable(one) for one in value]
        case dict():
            return {name: _storable(one) for name, one in value.items()}
        case _:
            return value


def _digest(body: Body, severity: Severity) -> str:
    return hashlib.sha256(msgspec.json.encode((severity, _as_json(body)), order="sorted")).hexdigest()


def _require_sound(message: Message) -> None:
    faults = [*_faults(message)]
    if faults:
        raise ValueError(f"the message {message.key!r} for {message.target!r} cannot be sent: {'; '.join(faults)}")


def _faults(message: Message) -> list[str]:
    faults = []
    if not 0 < len(message.key) <= LONGEST_KEY:
        faults.append(f"its key must have 1 to {LONGEST_KEY} characters")
    if not _TARGET.fullmatch(message.target):
        faults.append("its target must be discord:<channel id>, webhook:<name> or channel:<name>")
    if not (message.content or message.embeds or message.text or message.images):
        faults.append("it is empty")
    faults += [f"it mentions {who!r}" for who in message.mentions if not _MENTION.fullmatch(who)]
    faults += [
        f"its image {name!r} needs a name such as chart.png"
        for name in message.images
        if not _IMAGE_NAME.fullmatch(name)
    ]
    shown = [embed.image for embed in message.embeds if embed.image is not None]
    faults += [f"it shows {name!r}, which is none of its images" for name in shown if name not in message.images]
    if len(message.images) > _IMAGES:
        faults.append(f"it has more than {_IMAGES} images")
    return faults + _faults_of_buttons(message)


def _faults_of_buttons(message: Message) -> list[str]:
    buttons = [button for row in message.buttons for button in row]
    faults = []
    if buttons and not message.target.startswith("discord:"):
        faults.append("only a message of the bot can have buttons")
    if len(message.buttons) > _LARGEST_ROW or any(not 0 < len(row) <= _LARGEST_ROW for row in message.buttons):
        faults.append(f"it must have at most {_LARGEST_ROW} rows of 1 to {_LARGEST_ROW} buttons")
    if len({button.custom_id for button in buttons}) < len(buttons):
        faults.append("two of its buttons have the same custom_id")
    faults += [
        f"its button {button.custom_id!r} needs a custom_id of 1 to {_LONGEST_CUSTOM_ID} characters and a label of at "
        f"most {_LONGEST_LABEL}, or an emoji"
        for button in buttons
        if not 0 < len(button.custom_id) <= _LONGEST_CUSTOM_ID
        or len(button.label) > _LONGEST_LABEL
        or not (button.label or button.emoji)
    ]
    return faults
