"""How lines begin and what they say: the layouts and dialects of the server programs, read from their declarations.

They are declared in the folder ``declarations``. To add a server program, add there what it says otherwise than others,
how its lines begin if no layout there fits, and a golden log to the tests; nothing else changes.

``[dialects.NAME]`` has the fields of `Dialect`, with the names of groups of messages in place of the messages, and
``[[messages.GROUP]]`` those of `Message`. A dialect may be ``like`` another one, from which it takes all but the signs.
Where players' ``names`` may have more than four words (``any``), entries and departures are looked for in every line;
that would cost too much in a dialect ``like`` such a one whose layout is that of most logs (``short``).
``[[layouts]]`` has the fields of `LogFormat`. Patterns of layouts are of bytes, since that is what is scanned.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from pteroassets.sources.minecraft.declarations import declared, spelled_out
from pteroassets.sources.minecraft.messages import ADDRESS, NAME, UUID_TEXT, Dialect, Message
from pteroassets.sources.minecraft.text import any_of


def _merged(kind: str) -> dict[str, Any]:
    return {name: value for part in _PARTS for name, value in part.get(kind, {}).items()}


_PARTS = [declared(name) for name in ("java", "bedrock", "proxies")]
_DIALECTS: dict[str, dict[str, Any]] = _merged("dialects")
_FRAGMENTS = {
    "NAME": NAME,
    "PROFILE": NAME.replace("name", "profile"),  # the same where a pattern has one already
    "ADDRESS": ADDRESS,
    "ADDRESS_LEFT": ADDRESS.replace("address", "at"),  # of somebody who goes: it is not kept
    "UUID": UUID_TEXT,
    "UUID_2": UUID_TEXT.replace("uuid", "uuid_2"),
    "BUNGEECORD": "|".join(sorted(_DIALECTS["bungeecord"]["software"])),
    "VELOCITY": "|".join(sorted(_DIALECTS["velocity"]["software"])),
    **_merged("fragments"),
}


def _message(message: Mapping[str, Any]) -> Message:
    words = {name: tuple(map(str.encode, message.get(name, ()))) for name in ("begins", "then", "anchors")}
    word = {name: message.get(name, "").encode() for name in ("echo", "of_peer")}
    return Message(**{**message, **words, **word, "pattern": spelled_out(message["pattern"], _FRAGMENTS)})


_MESSAGES = {group: [_message(each) for each in messages] for group, messages in _merged("messages").items()}


def _after_any_name(message: Message) -> Message:
    """Return an entry or departure that is found however many words the name has, as Bedrock's may."""
    if message.kind not in ("player_login", "player_lost_connection"):
        return message
    return replace(message, then=(), anchors=(*message.anchors, *(b" " + words for words in message.then)))


def _after_short_name(message: Message) -> Message:
    """Return a message that is found behind a name of up to four words, where looking for any name costs too much."""
    words = tuple(anchor.removeprefix(b" ") for anchor in message.anchors if anchor.startswith(b" "))
    others = tuple(anchor for anchor in message.anchors if not anchor.startswith(b" "))
    return replace(message, anchors=others, then=words) if words else message


_FOUND_BY: dict[str | None, Callable[[Message], Message]] = {
    None: lambda message: message,
    "any": _after_any_name,
    "short": _after_short_name,
}


def _dialect(name: str) -> Dialect:
    own = _DIALECTS[name]
    whole = {**_DIALECTS[own["like"]], "signs": None, **own} if "like" in own else own
    found_by = _FOUND_BY[whole.get("names")]
    return Dialect(
        name=name,
        messages=tuple(found_by(message) for group in whole["messages"] for message in _MESSAGES[group]),
        software=frozenset(whole.get("software", ())),
        signs="".join(whole["signs"]).encode() if whole.get("signs") else None,
        default_software=whole.get("default_software"),
    )


DIALECTS = {name: _dialect(name) for name in _DIALECTS}


@cache
def _signs(dialect: Dialect) -> re.Pattern[bytes] | None:
    return re.compile(dialect.signs) if dialect.signs is not None else None


def _shows(dialect: Dialect, text: bytes) -> bool:
    signs = _signs(dialect)
    return signs is not None and signs.match(text) is not None


def dialect_shown(dialects: tuple[Dialect, ...], message: bytes) -> Dialect:
    """Return the one of a layout's *dialects* that a message shows itself to be of; the last where it does not."""
    return next((each for each in dialects[:-1] if _shows(each, b"message " + message)), dialects[-1])


@cache
def dialect_by(dialects: tuple[Dialect, ...], software: str) -> Dialect:
    """Return the one of a layout's *dialects* that a program speaks; the last where none of them is known to be its."""
    return next((each for each in dialects if software in each.software), dialects[-1])


@lru_cache(maxsize=4096)
def dialect_of(dialects: tuple[Dialect, ...], thread: bytes, logger: bytes | None) -> Dialect:
    """Return the one of a layout's *dialects* that a thread or a logger shows; the last where neither does."""
    shown = [b"thread " + thread, *([b"logger " + logger] if logger is not None else [])]
    return next((each for each in dialects[:-1] if any(_shows(each, text) for text in shown)), dialects[-1])


#: BungeeCord and what is built on it, as their start lines name them.
BUNGEECORD_FAMILY = DIALECTS["bungeecord"].software
VELOCITY_FAMILY = DIALECTS["velocity"].software
#: Every proxy: the one list of them, which places, sessions and the warehouse go by.
PROXIES = BUNGEECORD_FAMILY | VELOCITY_FAMILY | DIALECTS["waterdogpe"].software


def is_proxy(software: str | None) -> bool | None:
    """Return whether a program is a proxy, by the name that the log gives it; None where it gives none."""
    return None if software is None else software in PROXIES


# what other programs are built on: a program's own name wins over them
_BASES = {"Vanilla": 0, "CraftBukkit": 1, "Forge": 1, "Fabric": 1}


def rank_of_software(software: str | None) -> int:
    """Return how special a program's name is; of two that a log names, the more special one is meant."""
    return -1 if software is None else _BASES.get(software, 2)


def _words(words: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(map(str.encode, words))


_IGNORED = declared("ignored")
#: Messages known to say nothing about players or runs: literal beginnings, and patterns. So are all in brackets.
IGNORED_WORDS = (
    *_words(_IGNORED["words"]),
    *_words(verb + sign for verb in _IGNORED["verbs"] for sign in string.ascii_lowercase + string.digits),
)
#: The same, where the message was read and says nothing: a ping of the server list, or a scanner.
IGNORED_WHEN_READ = (rb"/\S++ lost connection",)
#: What may follow the name that such a message begins with.
IGNORED_AFTER_NAME = _words(_IGNORED["after_name"])
IGNORED_PATTERNS = (rb"[^ \n]*+ (?:\(vehicle of[^)\n]*\) )?" + any_of(IGNORED_AFTER_NAME),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How lines of a layout are skimmed.

    Args:
        has_threads: Whether a thread and its level stand last before the message, in a bracket behind a form.
        has_logger: Whether a logger may follow that bracket, and a second space the colon.
        form: Pattern of what the form of a beginning must contain; others leave open whether a line has a prefix.
        unsure: Pairs of patterns of the first two bytes of a message, where the beginning may end later.
    """

    has_threads: bool = False
    has_logger: bool = False
    form: str = ""
    unsure: tuple[tuple[str, str], ...] = ((" ", "."),)

    def end_of(self, prefix: re.Match[bytes]) -> int | None:
        """Return where the form of a line's beginning ends; None where it leaves open whether a line has a prefix."""
        if self.has_threads:
            return prefix.start("thread")
        return prefix.end() if re.search(self.form.encode(), prefix[0]) is not None else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogFormat:
    """One layout of the part of a line before its message.

    *prefix* is a pattern that starts at the line's first byte and ends where the message begins. Its named groups
    are ``time`` and ``date``, ``thread`` and ``logger`` (or ``loader``) where the layout has them.

    Args:
        name: Of the layout.
        prefix: See above. One in which a date is optional (``{DATE_OR_NONE}``) is declared once and becomes two: where
            there is none, nobody has to look for it.
        dialects: What may be said in it; the last one where nothing shows another. By default those of Java.
        software: The only program that writes so.
        sign: Pattern by which a file is recognised, where lines of the layout alone are not enough.
        skim: How its lines are skimmed.
    """

    name: str
    prefix: bytes
    dialects: tuple[Dialect, ...]
    software: str | None = None
    sign: bytes | None = None
    skim: Way = Way()

    @property
    def scan_prefix(self) -> bytes:
        """The same pattern after a line feed, with the time as its only group: for finding all lines of a block."""
        return rb"\n" + re.sub(rb"\(\?P<(?!time>)\w+>", b"(?:", self.prefix)


def _unnamed(pattern: bytes) -> bytes:
    return re.sub(rb"\(\?P<\w+>", b"(?:", pattern)


_DECLARED = declared("layouts")
_DEFAULT_DIALECTS = ("velocity", "waterfall", "java")


def _layouts(layout: Mapping[str, Any]) -> Iterator[LogFormat]:
    """Yield the layouts that one declaration makes: two where a date is optional."""
    is_both = "{DATE_OR_NONE}" in "".join(layout["prefix"])
    for ending, date in (("", ""), ("_dated", "{DATE}[ T]"))[: 1 + is_both]:
        fragments = {**_DECLARED["fragments"], "DATE_OR_NONE": date}
        patterns = {
            name: spelled_out(layout[name], fragments).encode() for name in ("prefix", "sign") if name in layout
        }
        dialects = tuple(DIALECTS[name] for name in layout.get("dialects", _DEFAULT_DIALECTS))
        skim = layout.get("skim", {})
        if "unsure" in skim:
            skim = {**skim, "unsure": tuple((first, second) for first, second in skim["unsure"])}
        yield LogFormat(
            **{**layout, **patterns, "name": layout["name"] + ending, "dialects": dialects, "skim": Way(**skim)}
        )


FORMATS = tuple(made for layout in _DECLARED["layouts"] for made in _layouts(layout))


# what a log shipper's stamp is made of by ``shippers``
_OUTER = rb"(?P<outer_date>\d{4}-\d\d-\d\d)T(?P<outer_time>\d\d:\d\d:\d\d)(?P<outer_zone>[+-]\d\d:\d\d)?+ "
_SHIPPED = "shipped+"


def _shipped(format_: LogFormat) -> LogFormat:
    """Return the layout behind a log shipper's stamp; lines that show no time of their own have that of the stamp."""
    outer = _OUTER if b"(?P<time>" in format_.prefix else _OUTER.replace(b"outer_time", b"time")
    return replace(
        format_,
        name=f"{_SHIPPED}{format_.name}",
        prefix=outer + format_.prefix,
        sign=format_.sign and outer + format_.sign,
    )


_BEHIND_STAMPS = (
    *(each for each in FORMATS if each.name != "bedrock"),
    *(made for layout in _DECLARED["behind_stamps"] for made in _layouts(layout)),
)

ALL_FORMATS = {each.name: each for each in (*FORMATS, *map(_shipped, _BEHIND_STAMPS))}

_BY_NUMBER = list(ALL_FORMATS.values())
_SIGN = re.compile(
    rb"\n(?:" + rb"|".join(rb"(" + _unnamed(each.sign or each.prefix) + rb")" for each in _BY_NUMBER) + rb")"
)


def find_format(data: bytes) -> tuple[LogFormat, int] | None:
    """Return the layout of the first line in *data* that has one, and the place of the line feed before it."""
    match = _SIGN.search(data)
    return (_format_of(match), match.start()) if match is not None else None


#: The beginning of a line of any layout.
LAYOUT = re.compile(rb"|".join(_unnamed(each.sign or each.prefix) for each in FORMATS))


def has_layout(line: bytes) -> bool:
    """Return whether *line*, with nothing before it, begins as the lines of a server's log do."""
    return LAYOUT.match(line) is not None


_BEGINNINGS = [(re.compile(_unnamed(each.sign or each.prefix)), each) for each in FORMATS]


def layout_end(match: re.Match[bytes]) -> int | None:
    """Return where the form ends by which lines have the layout that `LAYOUT` found, as far as it tells."""
    format_ = next(each for pattern, each in _BEGINNINGS if pattern.match(match.string, match.start()))
    return match.end() if re.search(format_.skim.form.encode(), match[0]) is not None else None


#: What the lines of all layouts begin with.
OPENERS = b"[0123456789N"
_OPENERS = frozenset(OPENERS[place : place + 1] for place in range(len(OPENERS)))


def format_at(data: bytes, place: int) -> LogFormat | None:
    """Return the layout of the line behind the line feed at *place*."""
    if data[place + 1 : place + 2] not in _OPENERS:
        return None
    match = _SIGN.match(data, place)
    return _format_of(match) if match is not None else None


def _format_of(match: re.Match[bytes]) -> LogFormat:
    return _BY_NUMBER[(match.lastindex or 0) - 1]
