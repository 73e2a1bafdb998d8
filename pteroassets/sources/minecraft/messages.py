"""The messages of log lines: how a kind of message is declared, and how a line is read.

Finding is generous and runs over all bytes of a block; reading is strict, anchored at both ends and runs on candidates
only. Chat can hold any text, so nothing but the part right after the line's prefix is ever matched, and whatever begins
with a bracket or stands on a chat thread is a plugin's or a player's word. The messages are
those of ``declarations``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from itertools import chain
from typing import NamedTuple, TypeVar
from uuid import UUID

from pteroassets.sources.minecraft.deaths import FIRST_WORDS, read_death
from pteroassets.sources.minecraft.events import Detail, Kind
from pteroassets.sources.minecraft.reasons import plain_reason, refusal_cause
from pteroassets.sources.minecraft.text import any_of, decode, plain

#: Of declarations of messages: a player's name, an address in a login line, numbers, a UUID.
# Floodgate once put a star before the names of its players; a star and a space are /me
_MOST_NAME = 40
NAME = rf"(?P<name>(?:\*(?=\w))?[^<>\[\]/:*]{{1,{_MOST_NAME}}}?)"
ADDRESS = r"(?P<address>/?[^\s\[\]]*(?:\[[^\[\]\s]*\])?[^\s\[\]]*|IP hidden)"
UUID_TEXT = r"(?P<uuid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Message:
    """One kind of message.

    *pattern* must fit the whole message. What its named groups find goes where their names say: ``name`` (the player;
    ``profile`` in another place), ``uuid``, ``xuid``, ``address``, ``place`` (world and position), ``reason``,
    ``software``, ``version`` (of the game); others into the event's detail as `_NUMBERS` and `_TEXTS` say.

    At least one of *begins*, *then* and *anchors* says how a line with such a message is found:

    Args:
        kind: Of the event.
        pattern: Of the whole message.
        begins: What the message may begin with.
        then: What may follow a name of up to four words and a space.
        anchors: Words that are looked for wherever they stand, whatever stands before them. Each costs a search.
        echo: The same as *begins*, for a command's answer that others see as ``[NAME: answer]``.
        of_peer: What may follow a proxy's ``[NAME] ``.
        detail: What goes into the detail of each such event.
        from_anyone: Whether a mod or plugin that logs under its own name is believed.
        is_claim: Whether it can name any program, so that it is believed only while a server starts: what a plugin
            says to everybody looks the same.
    """

    kind: Kind
    pattern: str
    begins: tuple[bytes, ...] = ()
    then: tuple[bytes, ...] = ()
    anchors: tuple[bytes, ...] = ()
    echo: bytes = b""
    of_peer: bytes = b""
    detail: Mapping[str, str | int] = field(default_factory=dict)
    from_anyone: bool = False
    is_claim: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dialect:
    """The messages of related server programs.

    Args:
        name: Of the dialect.
        messages: Tried in this order.
        software: The programs that speak it, as the log names them.
        signs: Pattern of a thread, a logger or the message by which a line shows that it is of this dialect.
        default_software: The program if no line names one.
    """

    name: str
    messages: tuple[Message, ...]
    software: frozenset[str] = frozenset()
    signs: bytes | None = None
    default_software: str | None = None


class Reading(NamedTuple):
    """What one line says: an event's parts."""

    kind: Kind
    player: str | None = None
    player_uuid: UUID | None = None
    detail: Detail | None = None
    is_sponge: bool = False
    is_claim: bool = False


#: Threads that write nothing but chat, in the CraftBukkit family.
CHAT_THREAD = b"Async Chat Thread"

_CHAT = re.compile(r"(?:\[Not Secure\] )?<([^<>]{1,64})> ?")
# a chat thread's lines are chat whatever their layout; the name is the last word before the mark
_CHAT_LAYOUT = re.compile(
    r"(?:.{0,64}<(?P<angled>[^<>]{1,64})>|(?P<plain>[^<>]{0,64}?(?P<name>[\w.]{1,40})) ?(?::|»|>|➤|→)) ?(?P<text>.*)"
)
_DEATHS = "|".join(re.escape(words.decode()) for words in FIRST_WORDS)
_STRIPPED = "Actually, the message was too long to deliver fully. Sorry! Here's a stripped version: "
_DEATH = re.compile(rf"(?P<name>[^\s<>\[\]/:*»→➤|]+(?: [^\s<>\[\]/:*»→➤|]+){{0,2}}?) (?P<text>(?:{_DEATHS}).*)")
_TAGS = re.compile(r"^(?:\[[^\[\]]{1,24}\] ?)+")
MOST_NAME_WORDS = 4  #: with the address that may follow it, where no anchor finds the line

_NUMBER = r"-?\d{1,300}(?:\.\d+)?(?:E-?\d{1,2})?"
_PLACE = re.compile(rf"(?:(?:at|in) )?\((?:\[([^\]]*)\] ?|([^,\[\]]*), )?({_NUMBER}), ?({_NUMBER}), ?({_NUMBER})\)")
_SPONGE_WORLD = re.compile(r"(?:(?:at|in) )?(.+?)\(-?\d+\) at ")

#: Loggers under which the server programs themselves write, not mods or plugins.
_OWN_LOGGER = re.compile(
    r"(?:(?:\w{1,3}\.)*mi(?=\.)|n\.m|o\.b\.c|net\.(?:minecraft|minecraftforge|neoforged|fabricmc)|com\.mojang"
    r"|com\.velocitypowered|org\.(?:bukkit|spigotmc|spongepowered|quiltmc)|minecraft|mojang|fml|forge|neoforge"
    r"|fabricloader|sponge|quilt[ _]?loader|velocity|dedicatedserver|minecraftserver|playerlist"
    r"|server\w*packetlistenerimpl|netty\w*server\w*)?(?:[./:\s].*)?",
    re.IGNORECASE,
)


@cache
def is_foreign(logger: bytes) -> bool:
    """Return whether a logger is a mod's or a plugin's own, which may write anything."""
    return _OWN_LOGGER.fullmatch(decode(logger)) is None


class _Reader(NamedTuple):
    """A declared message, ready to read lines."""

    message: Message
    match: re.Pattern[str]
    groups: tuple[tuple[int, str, str], ...]  # of *match*: number, what it finds, the key in the event's detail


class _Readers(NamedTuple):
    """A dialect's declared messages, by what each of their lines contains.

    One search for any of the *words* is far cheaper than to try all patterns. Those of *of_names* follow a name.
    """

    by_first_word: dict[str, tuple[_Reader, ...]]
    of_names: re.Pattern[str]
    by_word_of_names: dict[str, tuple[_Reader, ...]]
    words: re.Pattern[str]
    by_word: dict[str, tuple[_Reader, ...]]


@cache
def _readers(dialect: Dialect) -> _Readers:
    by_first_word: dict[str, list[_Reader]] = {}
    of_words: list[tuple[bytes, _Reader]] = []
    after_names: list[tuple[bytes, _Reader]] = []
    for message in dialect.messages:
        pattern = re.compile(message.pattern)
        groups = tuple((number, *_finds(group)) for group, number in pattern.groupindex.items())
        reader = _Reader(message, pattern, groups)
        whole_words = [begin for begin in message.begins if b" " in begin]
        for first in dict.fromkeys(begin.decode().partition(" ")[0] for begin in whole_words):
            by_first_word.setdefault(first, []).append(reader)
        words = [*message.anchors, message.echo, message.of_peer, *message.then]
        words += [begin for begin in message.begins if begin not in whole_words]
        of_words += [(word, reader) for word in words if word]
        after_names += [(word, reader) for word in (*message.anchors, *message.then)]
    by_first = {first: tuple(readers) for first, readers in by_first_word.items()}
    return _Readers(by_first, *_by_word(after_names), *_by_word(of_words))


def _by_word(of_words: Sequence[tuple[bytes, _Reader]]) -> tuple[re.Pattern[str], dict[str, tuple[_Reader, ...]]]:
    """Return a pattern of all words, and the readers of each that it can find."""
    by_word = {
        word.decode(): tuple(dict.fromkeys(reader for other, reader in of_words if word in other))
        for word in set(_shortest(word for word, _ in of_words))
    }
    return re.compile("|".join(map(re.escape, sorted(by_word))) or "(?!)"), by_word


def read_message(
    message: bytes, dialect: Dialect, thread: bytes | None, logger: bytes | None, *, keep_text: bool
) -> Reading | None:
    """Return the reading of *message*, or None if it is of no interest.

    Args:
        message: What follows the line's prefix, without the line feed.
        dialect: Of the line.
        thread: Thread and level, where the layout shows them.
        logger: Logger, where the layout shows one.
        keep_text: Whether the players' own words are wanted: chat, commands, names of items.
    """
    if thread is not None and thread.startswith(CHAT_THREAD):
        return _read_chat_thread(decode(message), keep_text=keep_text)
    return readings_of(dialect, logger is not None and is_foreign(logger), keep_text)[message]


_T = TypeVar("_T")


class Answers(dict[bytes, _T]):
    """What a function says of messages, by message: the same few players come and go all day, so each is asked once.

    A dictionary gives what it has in half of the time that a cached function takes.

    Args:
        of: The function.
    """

    def __init__(self, of: Callable[[bytes], _T]) -> None:
        super().__init__()
        self._of = of

    def __missing__(self, message: bytes) -> _T:
        """Ask about *message*, and keep the answer for a while."""
        answer = self._of(message)
        if len(message) <= _LONGEST_KEPT:
            if len(self) >= _MOST_KEPT:
                self.clear()
            self[message] = answer
        return answer


_MOST_KEPT = 1 << 13  # messages: some 7 MB for what a dialect's say
_LONGEST_KEPT = 512  # bytes; longer messages do not come again


@cache
def readings_of(dialect: Dialect, foreign: bool, keep_text: bool) -> Answers[Reading | None]:  # noqa: FBT001 - keys
    """Return what messages of *dialect* say on any thread but a chat's, those of foreign loggers or of others."""
    return Answers(partial(_read, dialect=dialect, foreign=foreign, keep_text=keep_text))


def _read(message: bytes, dialect: Dialect, *, foreign: bool, keep_text: bool) -> Reading | None:
    """Read a message of any thread but a chat's."""
    raw = decode(message)
    is_coloured = "§" in raw
    may_be_chat = is_coloured or raw.startswith(("<", "[Not Secure] <"))
    if may_be_chat and not foreign and (chat := _CHAT.match(raw)) is not None:
        return _chat(chat[1], raw[chat.end() :], keep_text=keep_text)
    text = (plain(raw) if is_coloured else raw).lstrip()
    if is_coloured and raw.startswith("§") and text.startswith("["):
        # a display name with a coloured tag: what /say writes before its text begins with the bracket
        return _read_tagged(_TAGS.sub("", text), dialect, foreign=foreign)
    readers = _readers(dialect)
    first = readers.by_first_word.get(text.partition(" ")[0], ())
    tries: Iterable[Iterable[_Reader]]
    tries = chain((first,), (readers.by_word[word[0]] for word in readers.words.finditer(text)))
    if first and not foreign:
        # a player may be called like the word that such a message begins with
        if (death := _read_death(text, keep_text=keep_text)) is not None:
            return death
        tries = chain((readers.by_word_of_names[word[0]] for word in readers.of_names.finditer(text)), tries)
    for reader in chain.from_iterable(tries):
        if (match := reader.match.fullmatch(text)) is None:
            continue
        if foreign and not reader.message.from_anyone:
            return None
        return _reading(reader, match, keep_text=keep_text)
    return None if foreign else _read_death(text, keep_text=keep_text)


def _read_death(text: str, *, keep_text: bool) -> Reading | None:
    match = _DEATH.fullmatch(text.removeprefix(_STRIPPED))
    if match is None or (death := read_death(match["text"], keep_item=keep_text)) is None:
        return None
    return _of_player("player_death", match["name"], death)


def _read_tagged(text: str, dialect: Dialect, *, foreign: bool) -> Reading | None:
    readers = _readers(dialect)
    for word in readers.words.findall(text):
        for reader in readers.by_word[word]:
            is_entry = reader.message.kind in ("player_join", "player_leave")
            if is_entry and (match := reader.match.fullmatch(text)) and not foreign:
                return _reading(reader, match, keep_text=False)
    return None


def _chat(name: str, text: str, *, keep_text: bool) -> Reading:
    return Reading("player_chat", plain_name(name), None, {"text": text} if keep_text else None)


def _read_chat_thread(text: str, *, keep_text: bool) -> Reading | None:
    match = _CHAT.match(text)
    if match is not None:
        return _chat(match[1], text[match.end() :], keep_text=keep_text)
    match = _CHAT_LAYOUT.match(text)
    if match is None:
        return None
    return _chat(match["angled"] or match["name"], match["text"], keep_text=keep_text)


_NUMBERS = {"entity": "entity_id", "behind": "behind_milliseconds", "ticks": "ticks", "skipped": "ticks"}
_TEXTS = {
    "version": "game_version",
    "software": "software",
    "report": "report",
    "exception": "exception",
    "server": "server",
    "title": "advancement",
}


def _finds(group: str) -> tuple[str, str]:
    """Return what a group of a declared pattern finds, by its name, and the key of the detail where it goes."""
    if group == "text":
        return "said", "text"
    if group in _NUMBERS:
        return "number", _NUMBERS[group]
    role = group.partition("_")[0]
    return ("text", _TEXTS[role]) if role in _TEXTS else (role, role)


def _reading(reader: _Reader, match: re.Match[str], *, keep_text: bool) -> Reading | None:
    """Return the reading of a declared message, with each group's match in its named field."""
    declared = reader.message
    detail: dict[str, str | int | float] = dict(declared.detail)
    player = player_uuid = None
    is_sponge = False
    for number, finds, key in reader.groups:
        value = match[number]
        if value is None:
            continue
        match finds:
            case "name" | "profile":
                player = plain_name(value)
            case "said":
                if keep_text:
                    detail[key] = value
            case "address":
                if host := _host(value):
                    detail[key] = host
            case "number":
                detail[key] = int(value)
            case "place":
                is_sponge = _add_place(detail, value)
            case "reason":
                detail[key] = plain_reason(value)
            case "text":
                detail[key] = value.strip()
            case "uuid":
                player_uuid = _uuid(value)
            case "xuid":
                player_uuid = UUID(int=int(value)) if value else None
            case "formerly":
                detail[key] = plain_name(value)
            case "seconds":
                detail["startup_seconds"] = float(value.replace(",", "."))
            case _:
                pass
    if declared.kind == "login_refused":
        reason = str(detail.get("reason", ""))
        player = None if player in {"<null>", "null"} else player
        if player is None and not reason:
            return None  # a ping of the server list
        detail.setdefault("cause", refusal_cause(reason))
        if not reason:
            detail.pop("reason", None)
    if player is not None and not 0 < len(player) <= _MOST_NAME:
        return None
    return Reading(declared.kind, player, player_uuid, detail or None, is_sponge, declared.is_claim)


@lru_cache(maxsize=4096)
def _uuid(text: str) -> UUID:
    return UUID(text)


def _of_player(kind: Kind, name: str, detail: Detail | None = None) -> Reading | None:
    player = plain_name(name)
    return Reading(kind=kind, player=player, detail=detail) if 0 < len(player) <= _MOST_NAME else None


def _add_place(detail: dict[str, str | int | float], text: str) -> bool:
    """Add world and position; return whether they are in Sponge's form."""
    place, sponge = _PLACE.fullmatch(text), None
    if place is None and (sponge := _SPONGE_WORLD.match(text)) is not None:
        place = _PLACE.fullmatch(text, sponge.end())
    if place is None:
        return False
    world, comma, x, y, z = place.groups()
    if world := (sponge and sponge[1]) or world or comma:
        detail["world"] = world
    detail["x"], detail["y"], detail["z"] = float(x), float(y), float(z)
    return sponge is not None


_HOST = re.compile(r"[^/]*+/(?:([0-9.]++)|\[([0-9a-fA-F:.]+)(?:%[^\]]*)?\]|([0-9a-fA-F:.]+?))(?::\d+)?")


def _host(address: str) -> str | None:
    """Return the address of ``host/address:port`` or ``/[address%scope]:port``; None if there is none."""
    match = _HOST.fullmatch(address)
    return match and match[match.lastindex or 0]


def plain_name(name: str) -> str:
    """Return *name* without colour codes and outer spaces."""
    return plain(name).strip()


def _shortest(words: Iterable[bytes]) -> Iterable[bytes]:
    """Return those of *words* that contain none of the others: a search for these finds the others too."""
    unique = set(words)
    return (word for word in unique if not any(other in word for other in unique if other != word))


class Finding(NamedTuple):
    """How lines of interest are found: patterns of what their messages begin with, and words looked for anywhere."""

    in_brackets: bytes
    others: bytes
    begins: tuple[bytes, ...]
    then: tuple[bytes, ...]
    any_then: bytes  # pattern of *then*
    echoes: tuple[bytes, ...]
    of_peers: tuple[bytes, ...]
    anchors: frozenset[bytes]


def finding(dialects: Iterable[Dialect], words_of_deaths: tuple[bytes, ...]) -> Finding:
    """Return how messages of interest in any of *dialects* are found."""
    messages = [message for dialect in dialects for message in dialect.messages]
    begins = [b"<", b"[Not Secure] <", _STRIPPED.encode(), *(word for each in messages for word in each.begins)]
    then = [*words_of_deaths, *(word for each in messages for word in each.then)]
    any_then = after_words = any_of(then)
    for _ in range(MOST_NAME_WORDS - 1):
        after_words = rb"(?:" + any_then + rb"|[^ \n]*+ " + after_words + rb")"
    echoes = [each.echo for each in messages if each.echo]
    of_peers = [each.of_peer for each in messages if each.of_peer]
    bracketed = [begin for begin in begins if begin.startswith(b"[")]
    in_brackets = [any_of(dict.fromkeys(bracketed))]
    if echoes or of_peers:
        ends = [b": " + any_of(echoes)] if echoes else []
        ends += [rb"[^\]\n]*+(?:\](?! )[^\]\n]*+)*+\] " + any_of(of_peers)] if of_peers else []
        in_brackets.append(rb"\[[^\]\n:]{1,60}+(?:" + b"|".join(ends) + rb")")
    others = [
        any_of(dict.fromkeys(begin for begin in begins if begin not in bracketed)),
        # a first word may be any here; reading is strict
        rb"[^ \n]*+ " + after_words,
    ]
    return Finding(
        in_brackets=rb"(?:" + b"|".join(in_brackets) + rb")",
        others=rb"(?:" + b"|".join(others) + rb")",
        begins=tuple(begins),
        then=tuple(then),
        any_then=any_then,
        echoes=tuple(echoes),
        of_peers=tuple(of_peers),
        anchors=frozenset(_shortest(anchor for each in messages for anchor in each.anchors)),
    )
