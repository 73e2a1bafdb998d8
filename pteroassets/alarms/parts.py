"""Make Discord's messages of a body: within its limits, split where that helps, shortened where it does not.

What is left out is said where it is missing. Limits: https://discord.com/developers/docs/resources/message#embed-object
(2026-08). They are counted in UTF-16 units, which are never fewer than the characters that Discord counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from pteroassets.alarms.outbox import Body, Button, Embed, Field
from pteroassets.alarms.ways import Part
from pteroassets.sources.wording import counted

_CONTENT = 2_000
_TITLE = 256
_DESCRIPTION = 4_096
_FIELDS = 25
_FIELD_NAME = 256
_FIELD_VALUE = 1_024
_FOOTER = 2_048
_EMBEDS = 10
_CHARACTERS = 6_000  # over all embeds of a message
_PARTS = 5  # of ours: who needs more has a page for it
_EMPTY = "\u200b"  # Discord takes no empty field
_STYLES = {"primary": 1, "secondary": 2, "success": 3, "danger": 4}


def parts_of(body: Body, images: Mapping[str, bytes]) -> list[Part]:
    """Return the messages that say what *body* says, at least one and at most five.

    Args:
        body: What is to be said.
        images: Files by the names that *body* uses.
    """
    prefix = " ".join(map(_mention, body.mentions))
    content = body.content or ("" if body.embeds or images else body.text)
    contents = [*_split(_without_everyone(content), _CONTENT, first=_CONTENT - _length(prefix) - 1)]
    if prefix:
        contents = [f"{prefix} {contents[0]}".rstrip() if contents else prefix, *contents[1:]]
    drafts = [_Draft(content=text) for text in contents] or [_Draft()]
    for piece in (piece for embed in body.embeds for piece in _pieces(embed)):
        if not drafts[-1].has_room_for(piece):
            drafts.append(_Draft())
        drafts[-1].embeds.append(piece)
    kept, cut = drafts[:_PARTS], drafts[_PARTS:]
    if cut:
        kept[-1] = _with_loss(kept[-1], cut)
    shown = {embed.image for draft in kept for embed in draft.embeds if embed.image is not None}
    return [
        _part(
            draft,
            body,
            {
                name: png
                for name, png in images.items()
                if name in {embed.image for embed in draft.embeds} or (number == 0 and name not in shown)
            },
            is_last=number == len(kept) - 1,
        )
        for number, draft in enumerate(kept)
    ]


@dataclass(slots=True, kw_only=True)
class _Draft:
    content: str = ""
    embeds: list[Embed] = field(default_factory=list)

    def has_room_for(self, embed: Embed) -> bool:
        size = sum(map(_size, self.embeds)) + _size(embed)
        return len(self.embeds) < _EMBEDS and size <= _CHARACTERS


def shortened(text: str, limit: int) -> str:
    """Return *text* in at most *limit* characters, with the number of those that are left out."""
    text = text.strip()
    if _length(text) <= limit:
        return text
    said = f"… ({len(text):,} characters, shortened)"
    return f"{_cut(text, limit - len(said)).rstrip()}{said}"


def digest_of(message: Mapping[str, Any]) -> str:
    """Return a digest of what a message shows, of one we send and of the same one as Discord gives it back.

    Pictures are left out, since their addresses change, and white space, which Discord trims.
    """
    shown = {
        "content": _words(message.get("content")),
        "embeds": [
            {
                "texts": [_words(embed.get(name)) for name in ("title", "description", "url")],
                "colour": embed.get("color") or 0,
                "fields": [[_words(one["name"]), _words(one["value"])] for one in embed.get("fields") or ()],
                "footer": _words((embed.get("footer") or {}).get("text")),
            }
            for embed in message.get("embeds") or ()
        ],
        "buttons": [
            [button.get("custom_id") for button in row.get("components") or ()]
            for row in message.get("components") or ()
        ],
    }
    return hashlib.sha256(msgspec.json.encode(shown, order="sorted")).hexdigest()


def _words(text: str | None) -> str:
    return " ".join((text or "").replace(_EMPTY, "").split())


def _part(draft: _Draft, body: Body, files: Mapping[str, bytes], *, is_last: bool) -> Part:
    payload: dict[str, Any] = {
        "content": draft.content,
        "embeds": [_embed(embed) for embed in draft.embeds],
        "components": [_row(row) for row in body.buttons] if is_last else [],
        "attachments": [{"id": number, "filename": name} for number, name in enumerate(files)],
        "allowed_mentions": _allowed(body.mentions),
    }
    return Part(payload=payload, files=files, digest=digest_of(payload))


def _mention(who: str) -> str:
    kind, _, number = who.partition(":")
    return {"role": f"<@&{number}>", "user": f"<@{number}>"}.get(kind, "@here")


def _allowed(mentions: tuple[str, ...]) -> dict[str, Any]:
    by_kind = [who.partition(":")[::2] for who in mentions]
    return {
        "parse": ["everyone"] if "here" in mentions else [],
        "roles": [number for kind, number in by_kind if kind == "role"],
        "users": [number for kind, number in by_kind if kind == "user"],
    }


def _without_everyone(text: str) -> str:
    """Return *text* without mentions of all: who may be told "here" may not be told by a name in the text."""
    return text.replace("@everyone", f"@{_EMPTY}everyone").replace("@here", f"@{_EMPTY}here").strip()


def _row(row: tuple[Button, ...]) -> dict[str, Any]:
    return {"type": 1, "components": [_button(button) for button in row]}


def _button(button: Button) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": 2,
        "custom_id": button.custom_id,
        "style": _STYLES[button.style],
        "disabled": button.disabled,
    }
    if button.label:
        made["label"] = button.label
    if button.emoji:
        made["emoji"] = {"name": button.emoji}
    return made


def _embed(embed: Embed) -> dict[str, Any]:
    made: dict[str, Any] = {
        "title": embed.title,
        "description": embed.description,
        "url": embed.url,
        "color": embed.colour,
        "fields": [{"name": one.name, "value": one.value, "inline": one.inline} for one in embed.fields],
        "footer": {"text": embed.footer} if embed.footer else None,
        "image": {"url": f"attachment://{embed.image}"} if embed.image else None,
        "timestamp": embed.at.isoformat() if embed.at else None,
    }
    return {name: value for name, value in made.items() if value or value == 0}


def _pieces(embed: Embed) -> Iterator[Embed]:
    """Yield *embed* in as many pieces as it needs; the first has the title, the last footer, picture and time."""
    texts = [*_split(embed.description.strip(), _DESCRIPTION)] or [""]
    first = Embed(title=shortened(embed.title, _TITLE), description=texts[0], url=embed.url, colour=embed.colour)
    pieces = [first, *(Embed(description=text, colour=embed.colour) for text in texts[1:])]
    footer = shortened(embed.footer, _FOOTER)
    for one in embed.fields:
        trimmed = Field(
            name=shortened(one.name, _FIELD_NAME) or _EMPTY,
            value=shortened(one.value, _FIELD_VALUE) or _EMPTY,
            inline=one.inline,
        )
        last = pieces[-1]
        more = replace(last, fields=(*last.fields, trimmed))
        if len(more.fields) > _FIELDS or _size(more) + _length(footer) > _CHARACTERS:
            pieces.append(Embed(colour=embed.colour, fields=(trimmed,)))
        else:
            pieces[-1] = more
    if _size(pieces[-1]) + _length(footer) > _CHARACTERS:
        pieces.append(Embed(colour=embed.colour))
    pieces[-1] = replace(pieces[-1], footer=footer, image=embed.image, at=embed.at)
    yield from pieces


def _with_loss(draft: _Draft, cut: list[_Draft]) -> _Draft:
    """Return *draft* with a line that says what the parts after it would have held."""
    fields = sum(len(embed.fields) for one in cut for embed in one.embeds)
    texts = sum(_length(one.content) + sum(_length(embed.description) for embed in one.embeds) for one in cut)
    lost = [counted(fields, "more field") if fields else "", f"{texts:,} characters of text" if texts else ""]
    said = f"… left out, since it is too long: {' and '.join(filter(None, lost)) or 'the end'}"
    room = _CONTENT - len(said) - 1
    return _Draft(content=f"{_cut(draft.content, room)}\n{said}".strip(), embeds=draft.embeds)


def _size(embed: Embed) -> int:
    texts = [
        embed.title,
        embed.description,
        embed.footer,
        *(part for one in embed.fields for part in (one.name, one.value)),
    ]
    return sum(map(_length, texts))


def _split(text: str, limit: int, *, first: int | None = None) -> Iterator[str]:
    """Yield *text* in pieces of at most *limit* characters, cut at the end of a line or a word where there is one."""
    room = limit if first is None else first
    while text:
        if _length(text) <= room:
            yield text
            return
        piece = _cut(text, room)
        at = max(piece.rfind("\n"), piece.rfind(" ") if piece.rfind("\n") < len(piece) // 2 else -1)
        piece = piece[:at] if at > len(piece) // 2 else piece
        yield piece.rstrip()
        text = text[len(piece) :].lstrip()
        room = limit


def _length(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text) if not text.isascii() else len(text)


def _cut(text: str, limit: int) -> str:
    """Return the beginning of *text* in at most *limit* UTF-16 units, without a broken character."""
    if text.isascii():
        return text[:limit]
    return text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", errors="ignore")
