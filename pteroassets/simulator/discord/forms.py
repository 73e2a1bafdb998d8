"""What a message may hold: Discord's limits of texts, embeds and components, each fault naming its field."""

from __future__ import annotations

from typing import Any, Final

from pteroassets.simulator.discord.refusals import FieldFaults

CONTENT: Final = 2000
EMBEDS: Final = 10
EMBED_TEXT: Final = 6000
EMBED_FIELDS: Final = 25
ROWS: Final = 5
BUTTONS: Final = 5
OPTIONS: Final = 25
LAYOUT_COMPONENTS: Final = 40
FILES: Final = 10
FILE_BYTES: Final = 10 << 20
LAYOUT_FLAG: Final = 1 << 15

ROW, BUTTON, SELECT, TEXT_INPUT = 1, 2, 3, 4
SELECTS: Final = frozenset({3, 5, 6, 7, 8})
LINK: Final = 5
_URL_SCHEMES: Final = ("http://", "https://", "attachment://")


def check_message(payload: dict[str, Any], *, is_layout: bool = False) -> None:
    """Refuse what no message may hold.

    Args:
        payload: Of a new message or an edit.
        is_layout: The message is made of components alone (flag ``1 << 15``).

    Raises:
        Refusal: 50035 with every fault.
    """
    faults = FieldFaults()
    faults.longest("content", payload.get("content"), CONTENT)
    embeds = _list_of(payload, "embeds", faults)
    components = _list_of(payload, "components", faults)
    faults.most("embeds", embeds, EMBEDS)
    total = sum(_check_embed(embed, f"embeds.{number}", faults) for number, embed in enumerate(embeds))
    if total > EMBED_TEXT:
        faults.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {EMBED_TEXT}")
    if is_layout:
        for name in ("content", "embeds"):
            if payload.get(name):
                faults.add(name, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "Not with this flag")
        if _count(components) > LAYOUT_COMPONENTS:
            faults.add("components", "BASE_TYPE_BAD_LENGTH", f"Must be {LAYOUT_COMPONENTS} or fewer in length.")
    else:
        faults.most("components", components, ROWS)
    _check_components(components, faults, is_layout=is_layout)
    _check_nonce(payload.get("nonce"), faults)
    _check_mentions(payload.get("allowed_mentions"), faults)
    faults.check()


def _list_of(payload: dict[str, Any], name: str, faults: FieldFaults) -> list[Any]:
    value = payload.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        faults.add(name, "LIST_TYPE_CONVERT", "Only iterables of objects may be used in a ListType")
        return []
    return value


def _check_embed(embed: dict[str, Any], path: str, faults: FieldFaults) -> int:
    """Note the faults of *embed*; return how much it counts towards the limit of all embeds."""
    total = faults.longest(f"{path}.title", embed.get("title"), 256)
    total += faults.longest(f"{path}.description", embed.get("description"), 4096)
    for part, key, limit in (("footer", "text", 2048), ("author", "name", 256)):
        value = embed.get(part)
        if value:
            faults.required(f"{path}.{part}.{key}", value.get(key))
            total += faults.longest(f"{path}.{part}.{key}", value.get(key), limit)
    fields = embed.get("fields") or []
    faults.most(f"{path}.fields", fields, EMBED_FIELDS)
    for number, one in enumerate(fields):
        for key, limit in (("name", 256), ("value", 1024)):
            where = f"{path}.fields.{number}.{key}"
            if faults.required(where, one.get(key)):
                total += faults.longest(where, one.get(key), limit)
    for where, url in (
        ("url", embed.get("url")),
        ("image.url", (embed.get("image") or {}).get("url")),
        ("thumbnail.url", (embed.get("thumbnail") or {}).get("url")),
    ):
        if url is not None and not str(url).startswith(_URL_SCHEMES):
            faults.add(f"{path}.{where}", "URL_TYPE_INVALID_SCHEME", f'Scheme "{str(url)[:20]}" is not supported.')
    colour = embed.get("color")
    if colour is not None and not (isinstance(colour, int) and 0 <= colour <= 0xFFFFFF):  # noqa: PLR2004 - Discord's bounds
        faults.add(f"{path}.color", "NUMBER_TYPE_MAX", "int value should be between 0 and 16777215.")
    shown = ("title", "description", "fields", "image", "thumbnail", "author", "footer")
    if not any(embed.get(name) for name in shown):
        faults.required(f"{path}.description", None)
    return total


def _count(components: list[Any]) -> int:
    return sum(1 + _count(one.get("components") or []) for one in components)


def _check_components(components: list[Any], faults: FieldFaults, *, is_layout: bool) -> None:
    seen: set[str] = set()
    for number, row in enumerate(components):
        path = f"components.{number}"
        if row.get("type") != ROW:
            if not is_layout:
                faults.add(f"{path}.type", "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1,).')
            else:
                _check_components_within(row, path, faults, seen)
            continue
        _check_row(row, path, faults, seen)


def _check_components_within(part: dict[str, Any], path: str, faults: FieldFaults, seen: set[str]) -> None:
    for number, one in enumerate(part.get("components") or []):
        where = f"{path}.components.{number}"
        if one.get("type") == ROW:
            _check_row(one, where, faults, seen)
        else:
            _check_components_within(one, where, faults, seen)


def _check_row(row: dict[str, Any], path: str, faults: FieldFaults, seen: set[str]) -> None:
    children = row.get("components") or []
    selects = [one for one in children if one.get("type") in SELECTS]
    if not children or len(children) > (1 if selects else BUTTONS):
        faults.add(f"{path}.components", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {BUTTONS} in length.")
    for number, one in enumerate(children):
        where = f"{path}.components.{number}"
        custom_id = one.get("custom_id")
        if one.get("type") == BUTTON:
            _check_button(one, where, faults)
        elif one.get("type") in SELECTS:
            faults.required(f"{where}.custom_id", custom_id)
            if one.get("type") == SELECT:
                check_options(one.get("options") or [], f"{where}.options", faults)
        else:
            faults.add(
                f"{where}.type", "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (2, 3, 5, 6, 7, 8).'
            )
        if custom_id is not None:
            faults.longest(f"{where}.custom_id", custom_id, 100)
            if custom_id in seen:
                faults.add(
                    f"{where}.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated"
                )
            seen.add(custom_id)


def _check_button(button: dict[str, Any], path: str, faults: FieldFaults) -> None:
    style = button.get("style")
    if style not in range(1, 7):
        faults.add(f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5, 6}.")
    elif style == LINK:
        faults.required(f"{path}.url", button.get("url"))
    else:
        faults.required(f"{path}.custom_id", button.get("custom_id"))
    faults.longest(f"{path}.label", button.get("label"), 80)
    if not button.get("label") and not button.get("emoji"):
        faults.add(f"{path}.label", "BUTTON_COMPONENT_LABEL_REQUIRED", "A button needs a label or an emoji.")


def check_options(options: list[dict[str, Any]], path: str, faults: FieldFaults) -> None:
    """Note the faults of the options of a select."""
    if not 1 <= len(options) <= OPTIONS:
        faults.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {OPTIONS} in length.")
    values = [str(one.get("value")) for one in options]
    for number, one in enumerate(options):
        for key in ("label", "value"):
            faults.required(f"{path}.{number}.{key}", one.get(key))
            faults.longest(f"{path}.{number}.{key}", one.get(key), 100)
        faults.longest(f"{path}.{number}.description", one.get("description"), 100)
        if values.index(str(one.get("value"))) != number:
            faults.add(
                f"{path}.{number}.value",
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "The specified option value is already used",
            )


def _check_nonce(nonce: Any, faults: FieldFaults) -> None:
    if nonce is not None and not isinstance(nonce, int) and not (isinstance(nonce, str) and len(nonce) <= 25):  # noqa: PLR2004 - Discord's bounds
        faults.add("nonce", "NONCE_TYPE_TOO_LONG", "Must be 25 or fewer in length.")


def _check_mentions(allowed: Any, faults: FieldFaults) -> None:
    if not allowed:
        return
    parse = allowed.get("parse") or []
    for number, one in enumerate(parse):
        if one not in {"roles", "users", "everyone"}:
            faults.add(f"allowed_mentions.parse.{number}", "BASE_TYPE_CHOICES", "Must be roles, users or everyone.")
    for name in ("roles", "users"):
        if name in parse and allowed.get(name):
            faults.add(
                f"allowed_mentions.{name}",
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{name}"] and {name}: [ids...] are mutually exclusive.',
            )
        faults.most(f"allowed_mentions.{name}", allowed.get(name) or [], 100)
